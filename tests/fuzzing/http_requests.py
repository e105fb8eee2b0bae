"""Hostile requests as bytes: bodies, addresses, headers, and requests that are broken as a whole."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.fuzzing import values

TOKEN = b"$TOKEN"  # where the caller's token stands, which no example knows

RIGHT: list[dict[str, Any]] = [
    {"query": "{ viewer { permissions } }"},
    {"query": "query A($n: Int) { clients(first: $n) { nodes { id name } } }", "variables": {"n": 2}, "operationName": "A"},
    {"query": "{ __typename }", "extensions": {"cost": True}},
    {"query": "{ a: __typename }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
    {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}},
    {"documentId": "sha256:abc", "variables": {"x": [None, {"a": "é"}]}},
    {"query": 'mutation { labelCreate(input: {name: "Fuzz"}) { userErrors { code } } }'},
]
FIELDS = ["query", "variables", "operationName", "extensions", "documentId", "doc_id", "id", "__proto__", "Query", ""]
PIECES = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\\ud800", b"\\u0000", b"[" * 40,
    b"{" * 40, b'{"a":' * 40, b"9" * 400, b"1e999", b"NaN", b",", b":", b'"', b"\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"%00",
    b"%ff", b'"query":1,', b"null",
]  # fmt: skip
JSON_TYPES = [
    "application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF-8", "application/json; charset=utf-16",
    "application/json;;;", 'application/json; charset="utf8"', "text/plain", "application/graphql", "multipart/form-data; boundary=a",
    "application/x-www-form-urlencoded", "", ";", "é",
]  # fmt: skip
ACCEPTED = [
    "application/json", "application/graphql-response+json", "*/*", "application/*;q=0.1", "text/html", "*/*;q=0",
    "application/json;q=9e999", ",,;q=,", "application/json;q=" + "0" * 3_000,
    "application/graphql-response+json;q=1, */*;q=0.5", ";", "a" * 5_000, "é", "",
]  # fmt: skip
ENCODINGS = ["gzip", "identity", "br, gzip;q=0", "*;q=0", "é", "", "IDENTITY", "x" * 3_000]
OTHERS = {
    "Idempotency-Key": ["", "a", "é", "a" * 255, "a" * 5_000, "\x7f", '"a"', "\xff\xfe"],
    "Traceparent": ["00-" + "a" * 32 + "-" + "b" * 16 + "-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-00", "ff", "é", "", "00-" + "g" * 60],
    "Authorization": [
        "Bearer",
        "Bearer ",
        "bearer $TOKEN",
        "Bearer $TOKEN ",
        "Bearer \xe9",
        "Basic YTpi",
        "Bearer rlt_" + "a" * 43,
        "Bearer " + "a" * 9_000,
    ],
    "Accept-Encoding": ENCODINGS,
    "Content-Encoding": ENCODINGS,
    "Origin": ["null", "https://evil.example", "", "é"],
    "Expect": ["100-continue", "é"],
    "Connection": ["close", "keep-alive", "upgrade", "é"],
    "Upgrade": ["websocket", "h2c", "é"],
    "X-Forwarded-For": ["127.0.0.1", "::1", "é", "1.2.3.4, 5.6.7.8", ""],
    "Cookie": ["a=b", "é"],
    "Range": ["bytes=0-0"],
}
METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "FOO", "post"]


@dataclass(frozen=True)
class Request:
    """What is sent, by whom; `is_whole` where its length is right, so that an answer is due."""

    raw: bytes
    role: str | None
    is_whole: bool = True

    def __str__(self) -> str:
        """All that it takes to send it again."""
        return f"as {self.role or 'nobody'}, whole: {self.is_whole}\n{self.raw!r}"

    def written_again(self, blanks: int) -> "Request":
        """The same with blanks before its document, so that the server has not read it before."""
        document, length = b'"query": "', b"Content-Length: %d\r\n"
        body = self.raw.partition(b"\r\n\r\n")[2]
        if not (blanks and self.is_whole and document in body):
            return self
        raw = self.raw.replace(length % len(body), length % (len(body) + blanks)).replace(document, document + b" " * blanks, 1)
        return Request(raw, self.role, self.is_whole)

    @property
    def method(self) -> bytes:
        return self.raw.partition(b" ")[0]


def request(
    body: bytes, role: str | None, method: str = "POST", path: str = "/graphql", headers: list[tuple[str, str]] | None = None
) -> Request:
    """A request with the length that it has."""
    given = [("Content-Type", "application/json")] if headers is None else headers
    names = {name.lower() for name, _ in given}
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in given)]
    if role and "authorization" not in names:
        lines.append(f"Authorization: Bearer {TOKEN.decode()}")
    if method != "GET" or body:
        lines.append(f"Content-Length: {len(body)}")
    return Request("\r\n".join([*lines, "\r\n"]).encode("latin-1", "replace") + body, role)


def encoded(body: object, *, is_ascii: bool) -> bytes:
    return json.dumps(body, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")


roles = st.sampled_from(["OWNER", "VIEWER", "OWNER", "VIEWER", None])  # the first is drawn most often


@st.composite
def posts(draw: DrawFn, bodies: st.SearchStrategy[dict[str, Any]]) -> Request:
    """Such a body, from anyone."""
    headers = [("Content-Type", "application/json")]
    if draw(st.booleans()):
        headers.append(("Accept", "application/graphql-response+json"))
    if draw(st.integers(0, 5)) == 0:
        headers.append(("Idempotency-Key", draw(st.sampled_from(["a", "b", "c"]))))
    return request(encoded(draw(bodies), is_ascii=draw(st.booleans())), draw(roles), headers=headers)


@st.composite
def bodies(draw: DrawFn) -> Request:
    """A body that is broken, is nearly JSON, or is JSON of the wrong types."""
    kind = draw(st.integers(0, 9))
    if kind <= 3:
        body = draw(broken(encoded(draw(st.sampled_from(RIGHT)), is_ascii=draw(st.booleans()))))
    elif kind <= 5:
        body = _utf8(draw(values.json_texts()))
    elif kind <= 7:
        parts = ", ".join(
            f"{json.dumps(draw(st.sampled_from(FIELDS)))}: {draw(values.json_texts())}" for _ in range(draw(st.integers(1, 4)))
        )
        body = _utf8("{" + parts + "}")
    elif kind == 8:
        body = encoded(draw(_wrong_types()), is_ascii=True)
    else:
        body = _utf8('{"query": "{ __typename }", "variables": {"x": ' + draw(values.crowds()) + "}}")
    return request(body[:990_000], draw(roles))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@st.composite
def _wrong_types(draw: DrawFn) -> dict[str, Any]:
    """A right request with something else in one or two places of the protocol."""
    found = {**draw(st.sampled_from(RIGHT))}
    for _ in range(draw(st.integers(1, 2))):
        field = draw(st.sampled_from(FIELDS))
        found[field] = draw(values.anything())
        if field == "extensions" and draw(st.booleans()):
            inner = draw(st.dictionaries(st.sampled_from(["version", "sha256Hash", "x"]), values.anything(1), max_size=3))
            found[field] = {"persistedQuery": inner, "cost": draw(values.anything(1))}
    return found


@st.composite
def broken(draw: DrawFn, sent: bytes) -> bytes:
    """Bytes changed, left out, doubled, cut off, or put in."""
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(sent)))
        until = min(len(sent), place + draw(st.integers(1, 40)))
        how = draw(st.integers(0, 5))
        if how == 0:
            sent = sent[:place] + bytes([draw(st.integers(0, 255))]) + sent[place + 1 :]
        elif how == 1:
            sent = sent[:place] + sent[until:]
        elif how == 2:
            sent = sent[:place] + sent[place:until] * draw(st.sampled_from([2, 3, 50, 500])) + sent[until:]
        elif how == 3:
            sent = sent[:place]
        else:
            sent = sent[:place] + draw(st.sampled_from(PIECES)) + sent[place:]
    return sent


@st.composite
def gets(draw: DrawFn) -> Request:
    """A request by its address: parameters of any kind, however they are encoded."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        name = draw(st.sampled_from([*FIELDS, "query", "variables", "extensions"]))
        kind = draw(st.integers(0, 3))
        value = draw(values.json_texts(2)) if kind == 0 else draw(values.texts()) if kind == 1 else json.dumps(RIGHT[1].get(name, {}))
        if kind == 3:
            value = draw(st.sampled_from(["{ __typename }", '{ node(id: "x") { id } }', "mutation { a }", "{ viewer { permissions } }"]))
        escaped = quote_from_bytes(_utf8(value)) if draw(st.integers(0, 3)) else quote(value.encode("utf-8", "replace"), safe="{}\"'%+;:,")
        parts.append(f"{name}={draw(st.sampled_from(['', '', '', '%', '%ff', '+', '%00']))}{escaped[:1_500]}")
    joined = draw(st.sampled_from(["&", "&", ";", "&&", "?"])).join(parts)
    method = draw(st.sampled_from(["GET", "GET", "GET", "HEAD"]))
    return request(b"", draw(roles), method, f"/graphql?{joined}", [])


@st.composite
def with_headers(draw: DrawFn) -> Request:
    """A right body below strange headers, by any method."""
    headers = [("Content-Type", draw(st.sampled_from([JSON_TYPES[0], *JSON_TYPES]))), ("Accept", draw(st.sampled_from(ACCEPTED)))]
    others = draw(st.lists(st.sampled_from([(name, each) for name, given in OTHERS.items() for each in given]), max_size=3))
    method = draw(st.sampled_from([*METHODS, "POST", "POST", "POST", "GET"]))
    body = encoded(draw(st.sampled_from(RIGHT)), is_ascii=True)
    return request(b"" if method in {"GET", "HEAD", "TRACE"} else body, draw(roles), method, "/graphql", headers + others)


@st.composite
def wires(draw: DrawFn) -> Request:
    """A request broken as a whole: its first line, its headers, its length, its chunks."""
    body = encoded(draw(st.sampled_from(RIGHT)), is_ascii=True)
    made = request(body, draw(roles))
    raw = made.raw
    if draw(st.booleans()):
        head, _, _ = raw.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
        raw = b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b"%x" % len(body), body, b"0", b"", b""])
    return Request(draw(broken(raw)), made.role, is_whole=False)

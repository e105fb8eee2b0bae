"""Generate hostile HTTP requests as bytes: bodies, paths, headers, and requests with broken framing."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.support.fuzzing import values

TOKEN = b"$TOKEN"  # placeholder: an example does not depend on the token of a run

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
ACCEPT_HEADERS = [
    "application/json", "application/graphql-response+json", "*/*", "application/*;q=0.1", "text/html", "*/*;q=0",
    "application/json;q=9e999", ",,;q=,", "application/json;q=" + "0" * 3_000,
    "application/graphql-response+json;q=1, */*;q=0.5", ";", "a" * 5_000, "é", "",
]  # fmt: skip
ENCODINGS = ["gzip", "identity", "br, gzip;q=0", "*;q=0", "é", "", "IDENTITY", "x" * 3_000]
OTHER_HEADERS = {
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
    """The bytes of a request and the role that sends it. The server must respond if `has_valid_framing`: its length is right."""

    raw: bytes
    role: str | None
    has_valid_framing: bool = True

    def __str__(self) -> str:
        """Return everything that is needed to send the request again."""
        return f"as {self.role or 'nobody'}, valid framing: {self.has_valid_framing}\n{self.raw!r}"

    def with_blanks(self, blanks: int) -> "Request":
        """Return the same request with spaces before its document, so that it is not in the server's document cache."""
        document, length = b'"query": "', b"Content-Length: %d\r\n"
        body = self.raw.partition(b"\r\n\r\n")[2]
        if not (blanks and self.has_valid_framing and document in body):
            return self
        raw = self.raw.replace(length % len(body), length % (len(body) + blanks)).replace(document, document + b" " * blanks, 1)
        return Request(raw, self.role, self.has_valid_framing)

    @property
    def method(self) -> bytes:
        return self.raw.partition(b" ")[0]


def build_request(
    body: bytes, role: str | None, method: str = "POST", path: str = "/graphql", headers: list[tuple[str, str]] | None = None
) -> Request:
    """Return a request whose `Content-Length` is right."""
    header_lines = [("Content-Type", "application/json")] if headers is None else headers
    names = {name.lower() for name, _ in header_lines}
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in header_lines)]
    if role and "authorization" not in names:
        lines.append(f"Authorization: Bearer {TOKEN.decode()}")
    if method != "GET" or body:
        lines.append(f"Content-Length: {len(body)}")
    return Request("\r\n".join([*lines, "\r\n"]).encode("latin-1", "replace") + body, role)


def encode_json(body: object, *, is_ascii: bool) -> bytes:
    return json.dumps(body, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")


roles = st.sampled_from(["OWNER", "VIEWER", "OWNER", "VIEWER", None])  # Hypothesis draws the first most often


@st.composite
def post_requests(draw: DrawFn, bodies: st.SearchStrategy[dict[str, Any]]) -> Request:
    """Return a POST request with one of these bodies, from any role."""
    headers = [("Content-Type", "application/json")]
    if draw(st.booleans()):
        headers.append(("Accept", "application/graphql-response+json"))
    if draw(st.integers(0, 5)) == 0:
        headers.append(("Idempotency-Key", draw(st.sampled_from(["a", "b", "c"]))))
    return build_request(encode_json(draw(bodies), is_ascii=draw(st.booleans())), draw(roles), headers=headers)


@st.composite
def body_requests(draw: DrawFn) -> Request:
    """Return a body that is broken, is almost JSON, or is JSON of the wrong types."""
    kind = draw(st.integers(0, 9))
    if kind <= 3:
        body = draw(corrupt_bytes(encode_json(draw(st.sampled_from(RIGHT)), is_ascii=draw(st.booleans()))))
    elif kind <= 5:
        body = _utf8(draw(values.json_texts()))
    elif kind <= 7:
        parts = ", ".join(
            f"{json.dumps(draw(st.sampled_from(FIELDS)))}: {draw(values.json_texts())}" for _ in range(draw(st.integers(1, 4)))
        )
        body = _utf8("{" + parts + "}")
    elif kind == 8:
        body = encode_json(draw(_wrong_types()), is_ascii=True)
    else:
        body = _utf8('{"query": "{ __typename }", "variables": {"x": ' + draw(values.large_json()) + "}}")
    return build_request(body[:990_000], draw(roles))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@st.composite
def _wrong_types(draw: DrawFn) -> dict[str, Any]:
    """Return a valid request body with something else in one or two fields of the protocol."""
    body = {**draw(st.sampled_from(RIGHT))}
    for _ in range(draw(st.integers(1, 2))):
        field = draw(st.sampled_from(FIELDS))
        body[field] = draw(values.any_json())
        if field == "extensions" and draw(st.booleans()):
            inner = draw(st.dictionaries(st.sampled_from(["version", "sha256Hash", "x"]), values.any_json(1), max_size=3))
            body[field] = {"persistedQuery": inner, "cost": draw(values.any_json(1))}
    return body


@st.composite
def corrupt_bytes(draw: DrawFn, data: bytes) -> bytes:
    """Return the data with bytes changed, removed, repeated, cut off or inserted."""
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(data)))
        until = min(len(data), index + draw(st.integers(1, 40)))
        how = draw(st.integers(0, 5))
        if how == 0:
            data = data[:index] + bytes([draw(st.integers(0, 255))]) + data[index + 1 :]
        elif how == 1:
            data = data[:index] + data[until:]
        elif how == 2:
            data = data[:index] + data[index:until] * draw(st.sampled_from([2, 3, 50, 500])) + data[until:]
        elif how == 3:
            data = data[:index]
        else:
            data = data[:index] + draw(st.sampled_from(PIECES)) + data[index:]
    return data


@st.composite
def get_requests(draw: DrawFn) -> Request:
    """Return a GET request with parameters of any kind in any encoding."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        name = draw(st.sampled_from([*FIELDS, "query", "variables", "extensions"]))
        kind = draw(st.integers(0, 3))
        value = (
            draw(values.json_texts(2)) if kind == 0 else draw(values.hostile_texts()) if kind == 1 else json.dumps(RIGHT[1].get(name, {}))
        )
        if kind == 3:
            value = draw(st.sampled_from(["{ __typename }", '{ node(id: "x") { id } }', "mutation { a }", "{ viewer { permissions } }"]))
        escaped = quote_from_bytes(_utf8(value)) if draw(st.integers(0, 3)) else quote(value.encode("utf-8", "replace"), safe="{}\"'%+;:,")
        parts.append(f"{name}={draw(st.sampled_from(['', '', '', '%', '%ff', '+', '%00']))}{escaped[:1_500]}")
    query_string = draw(st.sampled_from(["&", "&", ";", "&&", "?"])).join(parts)
    method = draw(st.sampled_from(["GET", "GET", "GET", "HEAD"]))
    return build_request(b"", draw(roles), method, f"/graphql?{query_string}", [])


@st.composite
def header_requests(draw: DrawFn) -> Request:
    """Return a valid body with strange headers, by any method."""
    headers = [("Content-Type", draw(st.sampled_from([JSON_TYPES[0], *JSON_TYPES]))), ("Accept", draw(st.sampled_from(ACCEPT_HEADERS)))]
    others = draw(
        st.lists(st.sampled_from([(name, each) for name, header_values in OTHER_HEADERS.items() for each in header_values]), max_size=3)
    )
    method = draw(st.sampled_from([*METHODS, "POST", "POST", "POST", "GET"]))
    body = encode_json(draw(st.sampled_from(RIGHT)), is_ascii=True)
    return build_request(b"" if method in {"GET", "HEAD", "TRACE"} else body, draw(roles), method, "/graphql", headers + others)


@st.composite
def raw_requests(draw: DrawFn) -> Request:
    """Return a request with broken bytes anywhere: in its first line, headers, length or chunks."""
    body = encode_json(draw(st.sampled_from(RIGHT)), is_ascii=True)
    valid_request = build_request(body, draw(roles))
    raw = valid_request.raw
    if draw(st.booleans()):
        head, _, _ = raw.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
        raw = b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b"%x" % len(body), body, b"0", b"", b""])
    return Request(draw(corrupt_bytes(raw)), valid_request.role, has_valid_framing=False)

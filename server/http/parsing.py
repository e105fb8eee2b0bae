"""Parse requests strictly: UTF-8, JSON of limited depth and size without NaN or duplicate keys, then the fields of GraphQL over HTTP."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.documents.literals import MAX_DIGITS, has_too_many_digits
from server.documents.trusted import SHA256_PREFIX
from server.errors import ClientDisconnected, ErrorCode, HttpError
from server.http.json_limits import check_size
from server.http.request import Request
from server.settings import GetPolicy

LARGE_BODY_BYTES = 20_000  # parsing more takes a millisecond or longer
MAX_CONTENT_TYPE = 200  # characters that are parsed: splitting a header of 16 kB takes milliseconds
EXAMPLE_BODY = '`{"query": "…", "variables": {…}}`'
PARAMETERS = {"query", "variables", "operationName", "extensions", "documentId", "doc_id", "id"}
MAX_NAMES, MAX_NAME = 3, 40  # unknown fields in an error message, and characters of each
NO_BATCH = f"The body is a list, but a request has one operation. Send {EXAMPLE_BODY} for each operation."
EXPECTATIONS = {  # by the type of pydantic's error, whose own message may name a Python class
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "greater_than_equal": "must be 1",
    "int_type": "must be a whole number",
    "less_than_equal": "must be 1",
    "missing": "is required",
    "model_type": "must be an object",
    "string_pattern_mismatch": "must be a SHA-256 of 64 lowercase hexadecimal digits",
    "string_too_short": "must not be empty",
    "string_type": "must be a string",
}
# JSON can contain NUL and surrogates only as escapes. The pattern also matches valid surrogate pairs and text after an escaped backslash.
UNSTORABLE_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
SURROGATE = re.compile("[\ud800-\udfff]")


class PersistedQuery(BaseModel):
    """Extension of Apollo's automatic persisted queries (APQ)."""

    model_config = ConfigDict(strict=True)
    version: int = Field(ge=1, le=1)
    sha256Hash: str = Field(pattern=r"^[0-9a-f]{64}$")  # noqa: N815 the name in the protocol


class Extensions(BaseModel):
    """Known `extensions` of a request. Others are ignored."""

    model_config = ConfigDict(strict=True)
    cost: bool = False
    persistedQuery: PersistedQuery | None = None  # noqa: N815


class GraphQLRequest(BaseModel):
    """Request of GraphQL over HTTP. The document is given by its text, its hash or its id."""

    model_config = ConfigDict(strict=True, extra="forbid")
    query: str | None = Field(default=None, min_length=1)
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815
    extensions: Extensions | None = None
    documentId: str | None = None  # noqa: N815
    doc_id: str | None = None
    id: str | None = None

    @property
    def persisted_hash(self) -> str | None:
        """Return the SHA-256 of an automatic persisted query."""
        return self.extensions.persistedQuery.sha256Hash if self.extensions and self.extensions.persistedQuery else None

    @property
    def document_key(self) -> str | None:
        """Return the SHA-256 or the id of a known document."""
        document_id = self.documentId or self.doc_id or self.id
        return document_id.removeprefix(SHA256_PREFIX) if document_id else self.persisted_hash

    @property
    def wants_cost(self) -> bool:
        return bool(self.extensions and self.extensions.cost)


# `model_validate` calls this and takes twice as long, because it checks its options first.
VALIDATE: Callable[[object], GraphQLRequest] = GraphQLRequest.__pydantic_validator__.validate_python


def check_method(method: str, get_policy: GetPolicy) -> None:
    methods = ["POST"] if get_policy is GetPolicy.OFF else ["GET", "POST"]
    if method not in methods:
        message = "Send a POST with a JSON body." if get_policy is GetPolicy.OFF else "Send a POST with a JSON body, or a GET with a query."
        raise HttpError(ErrorCode.METHOD_NOT_ALLOWED, message, headers={"allow": ", ".join(methods)})


def parse_get(parameters: Mapping[str, str], get_policy: GetPolicy) -> GraphQLRequest:
    graphql_request = parse_parameters(parameters)
    if graphql_request.query is not None and get_policy is GetPolicy.PERSISTED:
        message = "A GET request must name a known document by its id or hash. Send a POST instead."
        raise HttpError(ErrorCode.METHOD_NOT_ALLOWED, message, headers={"allow": "POST"})
    return graphql_request


async def receive_body(request: Request, max_bytes: int, count_bytes: Callable[[int], None]) -> bytes:
    """Receive the body, and reject it as soon as it is too large, whatever `Content-Length` says.

    `count_bytes` is called with the size of each part before the last. It may raise an error to reject the body.
    """
    if not _is_json((request.header(b"content-type") or "")[:MAX_CONTENT_TYPE]):
        raise HttpError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send `Content-Type: application/json`, in UTF-8.")
    if (request.header(b"content-encoding") or "identity").lower() != "identity":
        raise HttpError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send the body uncompressed, without `Content-Encoding`.")
    buffer = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        buffer += message.get("body", b"")
        if len(buffer) > max_bytes:
            reason = f"The body is larger than {max_bytes} bytes. Send several requests."
            raise HttpError(ErrorCode.PAYLOAD_TOO_LARGE, reason, headers={"connection": "close"})
        if not message.get("more_body", False):
            return bytes(buffer)
        count_bytes(len(message["body"]))


@lru_cache(maxsize=16)
def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = {each.partition("=")[2].strip('"') for each in parameters if each.startswith("charset=")}
    return kind == "application/json" and not charsets - {"utf-8", "utf8"}


def parse_body(body: bytes) -> GraphQLRequest:
    """Parse the body of a POST."""
    return _validate_request(parse_json(body, "body"))


def parse_parameters(parameters: Mapping[str, str]) -> GraphQLRequest:
    """Parse the query string of a GET, in which `variables` and `extensions` are JSON."""
    members: dict[str, object] = {name: value for name, value in parameters.items() if name in PARAMETERS}
    for name in ("variables", "extensions"):
        if name in parameters:
            members[name] = parse_json(parameters[name].encode(), name)
    return _validate_request(members)


def _validate_request(members: object) -> GraphQLRequest:
    if isinstance(members, list):
        raise _bad_request(NO_BATCH)
    # Check names before pydantic does, which would report each of thousands of unknown fields.
    if isinstance(members, dict) and (unknown_names := [name for name in members if name not in PARAMETERS]):
        names = ", ".join(f"`{name[:MAX_NAME]}`" for name in unknown_names[:MAX_NAMES]) + (", …" if len(unknown_names) > MAX_NAMES else "")
        raise _bad_request(f"The request must be {EXAMPLE_BODY}. Unknown fields: {names}.")
    try:
        return VALIDATE(members)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        messages = " ".join(f"{_name_member(detail['loc'])} {EXPECTATIONS.get(detail['type'], 'is invalid')}." for detail in details)
        raise _bad_request(f"The request must be {EXAMPLE_BODY}. {messages}") from None


def _name_member(path: Sequence[int | str]) -> str:
    return f"`{'.'.join(map(str, path))}`" if path else "The body"


def parse_json(text: bytes, label: str) -> object:
    """Parse JSON strictly. Error messages name the text by `label`."""
    check_size(text)
    try:
        value = STRICT.decode(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise _bad_request(f"The {label} is not UTF-8.") from None
    except RecursionError:
        raise _bad_request(f"The {label} is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise _bad_request(f"The {label} is not JSON: {error.msg} at character {error.pos}.") from None
    if UNSTORABLE_ESCAPE.search(text):
        _check_texts(value)
    return value


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _bad_request("The JSON has a duplicate key in an object.")
    return members


def _parse_integer(digits: str) -> int:
    _check_digits(digits)
    return int(digits)


def _parse_float(digits: str) -> float:
    _check_digits(digits)
    if not math.isfinite(number := float(digits)):
        raise _bad_request(f"The number {digits[:MAX_DIGITS]} is too large.")
    return number


def _check_digits(number: str) -> None:
    if len(number) > MAX_DIGITS and has_too_many_digits(number):
        raise _bad_request(f"A number has at most {MAX_DIGITS} digits.")


def _reject_constant(name: str) -> NoReturn:
    raise _bad_request(f"The body is not JSON: `{name}` is not allowed.")


class _Decoder(json.JSONDecoder):
    """Decode as Python's decoder does, but without its two regular expressions for whitespace around the value."""

    def decode(self, s: str, *more: Any) -> Any:  # noqa: ANN401 the decoder's own
        try:
            value, end = self.scan_once(s, 0)  # type: ignore[attr-defined]
        except StopIteration:
            return super().decode(s, *more)
        # If anything but whitespace follows, decode again for the error message. The text may be long, so avoid that for whitespace.
        return super().decode(s, *more) if s[end:].strip(" \t\n\r") else value


STRICT = _Decoder(object_pairs_hook=_build_object, parse_int=_parse_integer, parse_float=_parse_float, parse_constant=_reject_constant)


def _check_texts(value: object) -> None:
    """Reject strings that PostgreSQL cannot store: those with NUL or an unpaired surrogate."""
    for text in _iterate_texts(value):
        if "\0" in text:
            raise _bad_request("A string cannot contain the character NUL.")
        if not text.isascii() and SURROGATE.search(text):
            raise _bad_request("A string contains an unpaired surrogate.")


def _iterate_texts(node: object) -> Iterator[str]:
    """Yield all strings and keys. `check_size` limits their number and nesting."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from _iterate_texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _iterate_texts(value)


def _bad_request(message: str) -> HttpError:
    return HttpError(ErrorCode.BAD_REQUEST, message)

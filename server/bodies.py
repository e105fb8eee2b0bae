"""Requests read strictly: UTF-8, JSON without NaN or a key twice, not too deep and not too much; then GraphQL over HTTP's own fields."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.json_limits import MAX_DIGITS, check_size, has_too_many_digits
from server.limits import Get
from server.refusals import ClientGone, ErrorCode, Unanswerable
from server.request import Request
from server.trusted import SHA256

LARGE = 20_000  # bytes: reading more takes a millisecond and up
MAX_CONTENT_TYPE = 200  # characters that count: splitting a header of 16 kB takes milliseconds
SHAPE = '`{"query": "…", "variables": {…}}`'
PARAMETERS = {"query", "variables", "operationName", "extensions", "documentId", "doc_id", "id"}
MAX_NAMES, MAX_NAME = 3, 40  # of unknown fields in a message, and characters of each
# The decoder takes NUL and surrogates only as escapes. This also finds pairs of surrogates and what follows an escaped backslash.
UNSTORABLE_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
SURROGATE = re.compile("[\ud800-\udfff]")


class Persisted(BaseModel):
    """Apollo's protocol of automatic persisted queries."""

    model_config = ConfigDict(strict=True)
    version: int = Field(ge=1, le=1)
    sha256Hash: str = Field(pattern=r"^[0-9a-f]{64}$")  # noqa: N815 the name in the protocol


class Extensions(BaseModel):
    """What is known of a request's `extensions`; anything else in it is for others."""

    model_config = ConfigDict(strict=True)
    cost: bool = False
    persistedQuery: Persisted | None = None  # noqa: N815


class Asked(BaseModel):
    """What is asked, as GraphQL over HTTP has it; the document by its text, its hash or its id."""

    model_config = ConfigDict(strict=True, extra="forbid")
    query: str | None = Field(default=None, min_length=1)
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815
    extensions: Extensions | None = None
    documentId: str | None = None  # noqa: N815
    doc_id: str | None = None
    id: str | None = None

    @property
    def persisted(self) -> str | None:
        """The SHA-256 by Apollo's protocol."""
        return self.extensions.persistedQuery.sha256Hash if self.extensions and self.extensions.persistedQuery else None

    @property
    def key(self) -> str | None:
        """The SHA-256 or the id of a document that is known."""
        named = self.documentId or self.doc_id or self.id
        return named.removeprefix(SHA256) if named else self.persisted

    @property
    def wants_cost(self) -> bool:
        return bool(self.extensions and self.extensions.cost)


# `model_validate` calls this too, and takes twice as long because it looks at its options first.
VALIDATE: Callable[[object], Asked] = Asked.__pydantic_validator__.validate_python


def check_method(method: str, get: Get) -> None:
    taken = ["POST"] if get is Get.OFF else ["GET", "POST"]
    if method not in taken:
        message = "Send a POST with a JSON body." if get is Get.OFF else "Send a POST with a JSON body, or a query by GET."
        raise Unanswerable(ErrorCode.METHOD_NOT_ALLOWED, message, headers={"allow": ", ".join(taken)})


def asked_by_get(parameters: Mapping[str, str], get: Get) -> Asked:
    found = read_parameters(parameters)
    if found.query is not None and get is Get.PERSISTED:
        message = "By GET only a document that is known is answered, by its id or hash. Send a POST."
        raise Unanswerable(ErrorCode.METHOD_NOT_ALLOWED, message, headers={"allow": "POST"})
    return found


async def body(request: Request, most: int, count: Callable[[int], None]) -> bytes:
    """Receive the body, and refuse it as soon as it is too large, whatever its header said.

    `count` is called with the bytes of each part before the last, and may refuse them.
    """
    if not _is_json((request.header(b"content-type") or "")[:MAX_CONTENT_TYPE]):
        raise Unanswerable(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send `Content-Type: application/json`, in UTF-8.")
    if (request.header(b"content-encoding") or "identity").lower() != "identity":
        raise Unanswerable(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without `Content-Encoding`.")
    held = bytearray()
    while True:
        said = await request.receive()
        if said["type"] == "http.disconnect":
            raise ClientGone
        held += said.get("body", b"")
        if len(held) > most:
            raise Unanswerable(ErrorCode.PAYLOAD_TOO_LARGE, f"A request has at most {most} bytes.", headers={"connection": "close"})
        if not said.get("more_body", False):
            return bytes(held)
        count(len(said["body"]))


@lru_cache(maxsize=16)
def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = {each.partition("=")[2].strip('"') for each in parameters if each.startswith("charset=")}
    return kind == "application/json" and not charsets - {"utf-8", "utf8"}


def read(sent: bytes) -> Asked:
    """What the body of a POST asks."""
    return _asked(read_json(sent, "body"))


def read_parameters(parameters: Mapping[str, str]) -> Asked:
    """What the address of a GET asks; `variables` and `extensions` are JSON."""
    said: dict[str, object] = {name: value for name, value in parameters.items() if name in PARAMETERS}
    for name in ("variables", "extensions"):
        if name in parameters:
            said[name] = read_json(parameters[name].encode(), name)
    return _asked(said)


def _asked(said: object) -> Asked:
    # Before pydantic, which would report each of thousands of unknown fields.
    if isinstance(said, dict) and (unknown := [name for name in said if name not in PARAMETERS]):
        names = ", ".join(f"`{name[:MAX_NAME]}`" for name in unknown[:MAX_NAMES]) + (", …" if len(unknown) > MAX_NAMES else "")
        raise _bad(f"The request is not {SHAPE}: it has no field {names}.")
    try:
        return VALIDATE(said)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_context=False, include_input=False)
        faults = "; ".join(f"{'.'.join(str(step) for step in fault['loc']) or 'body'}: {fault['msg']}" for fault in found)
        raise _bad(f"The request is not {SHAPE}: {faults}.") from None


def read_json(sent: bytes, what: str) -> object:
    """Return what a strict reading of the text gives; `what` names it in messages."""
    check_size(sent)
    try:
        said = STRICT.decode(sent.decode("utf-8"))
    except UnicodeDecodeError:
        raise _bad(f"The {what} is not UTF-8.") from None
    except RecursionError:
        raise _bad(f"The {what} is nested too deeply.") from None
    except json.JSONDecodeError as wrong:
        raise _bad(f"The {what} is not JSON: {wrong.msg} at character {wrong.pos}.") from None
    if UNSTORABLE_ESCAPE.search(sent):
        _check_texts(said)
    return said


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _bad("The body has a key twice in one object.")
    return found


def _integer(digits: str) -> int:
    _check_digits(digits)
    return int(digits)


def _real(digits: str) -> float:
    _check_digits(digits)
    if not math.isfinite(found := float(digits)):
        raise _bad(f"{digits[:MAX_DIGITS]} is too large a number.")
    return found


def _check_digits(number: str) -> None:
    if len(number) > MAX_DIGITS and has_too_many_digits(number):
        raise _bad(f"A number has at most {MAX_DIGITS} digits.")


def _constant(name: str) -> NoReturn:
    raise _bad(f"The body is not JSON: {name} is no number.")


class _Decoder(json.JSONDecoder):
    """Decode as Python's decoder does, but do not look for white space around the value by two regular expressions."""

    def decode(self, s: str, *more: Any) -> Any:  # noqa: ANN401 the decoder's own
        try:
            value, end = self.scan_once(s, 0)  # type: ignore[attr-defined]
        except StopIteration:
            return super().decode(s, *more)
        # Otherwise decode again, which tells what is wrong, and not for white space: the text may be long.
        return super().decode(s, *more) if s[end:].strip(" \t\n\r") else value


STRICT = _Decoder(object_pairs_hook=_pairs, parse_int=_integer, parse_float=_real, parse_constant=_constant)


def _check_texts(said: object) -> None:
    """Refuse texts that PostgreSQL cannot store: it has every character but NUL, and half a surrogate pair is none."""
    for text in _texts(said):
        if "\0" in text:
            raise _bad("A text cannot hold the character NUL.")
        if not text.isascii() and SURROGATE.search(text):
            raise _bad("A text has half of a surrogate pair.")


def _texts(said: object) -> Iterator[str]:
    """Yield all texts and keys. `check_size` bounds their number and how deep they lie."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict):
        yield from said
        for value in said.values():
            yield from _texts(value)
    elif isinstance(said, list):
        for value in said:
            yield from _texts(value)


def _bad(message: str) -> Unanswerable:
    return Unanswerable(ErrorCode.BAD_REQUEST, message)

"""Requests read strictly: UTF-8, JSON without NaN or a key twice, not too deep and not too much; then GraphQL over HTTP's own fields."""

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.limits import Get
from server.refusals import ClientGone, ErrorCode, Unanswerable
from server.request import Request
from server.trusted import SHA256

LARGE = 20_000  # bytes: reading more takes a millisecond and up
DEEPEST, MOST_VALUES, MOST_DIGITS = 32, 20_000, 20
SHAPE = '`{"query": "…", "variables": {…}}`'
PARAMETERS = {"query", "variables", "operationName", "extensions", "documentId", "doc_id", "id"}


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


async def body(request: Request, most: int) -> bytes:
    """The body, refused as soon as it is too large, whatever its header said."""
    if not _is_json(request.header(b"content-type") or ""):
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


@lru_cache(maxsize=16)
def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = {each.partition("=")[2].strip('"') for each in parameters if each.startswith("charset=")}
    return kind == "application/json" and not charsets - {"utf-8", "utf8"}


def read(sent: bytes) -> Asked:
    """What the body of a POST asks."""
    return _asked(_json(sent, "body"))


def read_parameters(parameters: Mapping[str, str]) -> Asked:
    """What the address of a GET asks; `variables` and `extensions` are JSON."""
    said: dict[str, object] = {name: value for name, value in parameters.items() if name in PARAMETERS}
    for name in ("variables", "extensions"):
        if name in parameters:
            said[name] = _json(parameters[name].encode(), name)
    return _asked(said)


def _asked(said: object) -> Asked:
    try:
        return Asked.model_validate(said)
    except ValidationError as wrong:
        faults = "; ".join(f"{'.'.join(str(step) for step in fault['loc']) or 'body'}: {fault['msg']}" for fault in wrong.errors())
        raise _bad(f"The request is not {SHAPE}: {faults}.") from None


def _json(sent: bytes, what: str) -> object:
    try:
        said = STRICT.decode(sent.decode("utf-8"))
    except UnicodeDecodeError:
        raise _bad(f"The {what} is not UTF-8.") from None
    except RecursionError:
        raise _bad(f"The {what} is nested too deeply.") from None
    except json.JSONDecodeError as wrong:
        raise _bad(f"The {what} is not JSON: {wrong.msg} at character {wrong.pos}.") from None
    _bounded(said)
    return said


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _bad("The body has a key twice in one object.")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise _bad(f"A whole number has at most {MOST_DIGITS} digits.")
    return int(digits)


def _real(digits: str) -> float:
    if not math.isfinite(found := float(digits)):
        raise _bad(f"{digits[:MOST_DIGITS]} is too large a number.")
    return found


def _constant(name: str) -> NoReturn:
    raise _bad(f"The body is not JSON: {name} is no number.")


STRICT = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_float=_real, parse_constant=_constant)


def _bounded(said: object) -> None:
    """Level by level, so that what is nested deeply cannot exhaust the stack."""
    level, values = [said], 0
    for _ in range(DEEPEST + 1):
        values += len(level)
        if values > MOST_VALUES:
            raise _bad(f"A request has at most {MOST_VALUES} values.")
        level = [below for value in level for below in _below(value)]
        if not level:
            return
    raise _bad(f"The body is more than {DEEPEST} levels deep.")


def _below(value: object) -> list[object]:
    """The parts of a value; texts are looked at here. PostgreSQL keeps every character but NUL, and half a surrogate is none."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
            raise _bad("A text has half of a surrogate pair.")
        if "\0" in value:
            raise _bad("A text cannot hold the character NUL.")
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _bad(message: str) -> Unanswerable:
    return Unanswerable(ErrorCode.BAD_REQUEST, message)

"""Make requests repeatable: for a day, a repeat with the same idempotency key returns the first outcome."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import PlainSerializer, PlainValidator, TypeAdapter
from pydantic_core import to_jsonable_python

from db.queries import idempotency as rows
from db.tables import IdempotencyKey
from domain.core.errors import IdempotencyKeyReused, InvalidInput, RuleViolation, UserError
from domain.core.scope import WriteScope

MAX_KEY_LENGTH = 255
REDACTED_MESSAGE = "The message was removed when a client was deleted. Send the request with a new idempotency key to see it."
V = TypeVar("V")
ERROR_TYPES: dict[str, type[UserError]] = {kind.code: kind for kind in UserError.__subclasses__()}


def _dump_error(error: UserError) -> dict[str, Any]:
    return {"code": error.code, **{each.name: to_jsonable_python(getattr(error, each.name)) for each in fields(error)}}


def _load_error(dump: Mapping[str, Any]) -> UserError:
    kind = ERROR_TYPES[dump["code"]]
    return TypeAdapter(kind).validate_python({name: value for name, value in dump.items() if name != "code"})


StoredError: TypeAlias = Annotated[UserError, PlainSerializer(_dump_error), PlainValidator(_load_error)]
"""A user error inside a stored value. It is loaded as an instance of its own class."""
STORED_ERRORS: TypeAdapter[Sequence[UserError]] = TypeAdapter(list[StoredError])


@dataclass(frozen=True)
class Outcome(Generic[V]):
    """The outcome of a change: a value, or user errors."""

    value: V | None
    user_errors: Sequence[UserError] = ()


@dataclass(frozen=True)
class RequestKey:
    """An idempotency key and the request that it was sent with. Reusing a key for another request is an error."""

    text: str
    request: str

    @property
    def hash(self) -> bytes:
        return sha256(self.request.encode()).digest()


async def run_once(scope: WriteScope, key: RequestKey, kind: TypeAdapter[V], action: Callable[[], Awaitable[V]]) -> Outcome[V]:
    """Run `action` and store its outcome, user errors included, or return the outcome that an earlier run with this key stored.

    The key, the action and its outcome are part of the same unit of work. Raises `RuleViolation` for an invalid key and for a key
    that was used for another request.
    """
    if not 1 <= len(key.text) <= MAX_KEY_LENGTH or not key.text.isprintable():
        raise RuleViolation(InvalidInput([], f"An idempotency key must have 1 to {MAX_KEY_LENGTH} printable characters. Use a UUID."))
    subject = scope.actor.token_id or scope.actor.member_id or scope.tenant
    is_new = await rows.claim(scope, subject, key.text, key.hash)
    row = await rows.get(scope, subject, key.text)
    if not is_new:
        return _replay(row, key, kind)
    await rows.delete_expired(scope)
    try:
        async with scope.savepoint():
            outcome = Outcome(await action())
    except RuleViolation as violation:
        outcome = Outcome(None, violation.user_errors)
    value_dump = None if outcome.value is None else kind.dump_python(outcome.value, mode="json")
    row.outcome = {"value": value_dump, "refusals": STORED_ERRORS.dump_python(list(outcome.user_errors), mode="json")}
    return outcome


def _replay(row: IdempotencyKey, key: RequestKey, kind: TypeAdapter[V]) -> Outcome[V]:
    if row.request_hash != key.hash or row.outcome is None:
        raise RuleViolation(IdempotencyKeyReused([], "This idempotency key was used with another input. Use a new key for a new request."))
    value, error_dumps = row.outcome["value"], row.outcome["refusals"]
    return Outcome(None if value is None else kind.validate_python(value, strict=False), STORED_ERRORS.validate_python(error_dumps))


async def redact_errors(scope: WriteScope) -> None:
    """Redact stored errors, whose messages may contain deleted data. Completed requests stay marked as completed."""
    await rows.delete_rejected(scope)
    for row in await rows.find_with_messages(scope):
        row.outcome = _redact(row.outcome)


def _redact(json_value: Any) -> Any:  # noqa: ANN401 JSON
    if isinstance(json_value, list):
        return [_redact(each) for each in json_value]
    if not isinstance(json_value, dict):
        return json_value
    return {name: REDACTED_MESSAGE if name == "message" else _redact(value) for name, value in json_value.items()}

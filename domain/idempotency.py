"""Requests that may be sent again: the same key gives the outcome of the first time, for a day."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import PlainSerializer, PlainValidator, TypeAdapter
from pydantic_core import to_jsonable_python

from db import idempotency as rows
from db.tables import IdempotencyKey
from domain.errors import IdempotencyKeyReused, InvalidInput, Refusal, Refused
from domain.scope import WriteScope

LONGEST = 255
GONE = "Why is not told any more: a client was deleted since. Send it under a new key to hear it again."
V = TypeVar("V")
KINDS: dict[str, type[Refusal]] = {kind.code: kind for kind in Refusal.__subclasses__()}


def _written(refusal: Refusal) -> dict[str, Any]:
    return {"code": refusal.code, **{each.name: to_jsonable_python(getattr(refusal, each.name)) for each in fields(refusal)}}


def _read(written: Mapping[str, Any]) -> Refusal:
    kind = KINDS[written["code"]]
    return TypeAdapter(kind).validate_python({name: value for name, value in written.items() if name != "code"})


Kept: TypeAlias = Annotated[Refusal, PlainSerializer(_written), PlainValidator(_read)]
"""A refusal within a value, which is read again as the kind that it was."""
REFUSALS: TypeAdapter[Sequence[Refusal]] = TypeAdapter(list[Kept])


@dataclass(frozen=True)
class Outcome(Generic[V]):
    """What a change came to: a value, or why there is none."""

    value: V | None
    refusals: Sequence[Refusal] = ()


@dataclass(frozen=True)
class Key:
    """A key that the caller chose, and what it was sent with: another request under the same key is a mistake."""

    text: str
    request: str

    @property
    def hash(self) -> bytes:
        return sha256(self.request.encode()).digest()


async def once(scope: WriteScope, key: Key, kind: TypeAdapter[V], act: Callable[[], Awaitable[V]]) -> Outcome[V]:
    """What `act` comes to, or came to when it was first asked for; a refusal is kept too. All of it in the one unit of work."""
    if not 1 <= len(key.text) <= LONGEST or not key.text.isprintable():
        raise Refused(InvalidInput([], f"An idempotency key has 1 to {LONGEST} printable characters, a UUID for instance."))
    subject = scope.actor.token_id or scope.actor.member_id or scope.tenant
    is_ours = await rows.claim(scope, subject, key.text, key.hash)
    row = await rows.get(scope, subject, key.text)
    if not is_ours:
        return _replayed(row, key, kind)
    await rows.delete_expired(scope)
    try:
        async with scope.savepoint():
            outcome = Outcome(await act())
    except Refused as refused:
        outcome = Outcome(None, refused.refusals)
    written = None if outcome.value is None else kind.dump_python(outcome.value, mode="json")
    row.outcome = {"value": written, "refusals": REFUSALS.dump_python(list(outcome.refusals), mode="json")}
    return outcome


def _replayed(row: IdempotencyKey, key: Key, kind: TypeAdapter[V]) -> Outcome[V]:
    if row.request_hash != key.hash or row.outcome is None:
        raise Refused(IdempotencyKeyReused([], "This idempotency key was used with other input. Take a new one for a new request."))
    value, refusals = row.outcome["value"], row.outcome["refusals"]
    return Outcome(None if value is None else kind.validate_python(value, strict=False), REFUSALS.validate_python(refusals))


async def forget(scope: WriteScope) -> None:
    """What is kept of requests that were refused, since their sentences may name what is gone; what was done stays known as done."""
    await rows.delete_rejected(scope)
    for row in await rows.find_with_messages(scope):
        row.outcome = _without_sentences(row.outcome)


def _without_sentences(held: Any) -> Any:  # noqa: ANN401 JSON
    if isinstance(held, list):
        return [_without_sentences(each) for each in held]
    if not isinstance(held, dict):
        return held
    return {name: GONE if name == "message" else _without_sentences(value) for name, value in held.items()}

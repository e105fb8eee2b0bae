"""Many clients at once, from elsewhere: those there are take what is given, the others are made."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from db import entities
from db.keys import name_key, number_key
from db.tables import Client, ClientFields, Organization
from domain import client_forms, organizations
from domain.changes import already_archived
from domain.checks import longest
from domain.client_forms import ClientForm
from domain.errors import Ambiguous, Duplicate, Faults, InvalidInput, Refusal, Refused, TooLong, TooMany, WrongValue
from domain.idempotency import Kept
from domain.matching import Decision, Existing, Match, Named, decided
from domain.scope import Permission, WriteScope
from domain.texts import clean

MOST = 100


class OnError(StrEnum):
    """What becomes of the others when one is refused."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    SKIP_FAILED = "SKIP_FAILED"


class Action(StrEnum):
    """What became of one client."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"
    NOT_DONE = "NOT_DONE"


@dataclass(frozen=True)
class Upserted:
    """What became of one client, and which it is; or why it was refused."""

    action: Action
    client_id: UUID | None = None
    refusals: list[Kept] = field(default_factory=list)


class _Undone(Exception):  # noqa: N818 a step back, no error
    """One was refused, so the others are not done either."""


async def upsert(scope: WriteScope, forms: Sequence[ClientForm], on_error: OnError) -> list[Upserted]:
    """What became of each, in their order, with every fault of every one. Two that meet take turns, or both would make the same client."""
    _may(scope, forms)
    _count(forms)
    organization = await organizations.lock_organization(scope)
    incoming = [Named(_key(form, "number", number_key), _key(form, "name", name_key)) for form in forms]
    there = await _there(scope, incoming)
    known = [Existing(row.number_key, row.name_key, id=key, is_archived=row.archived_at is not None) for key, row in there.items()]
    done: list[Upserted] = []
    with suppress(_Undone):
        async with scope.savepoint():
            for place, (form, decision) in enumerate(zip(forms, decided(incoming, known), strict=True)):
                client = there[decision.clients[0]] if decision.match in {Match.SAME, Match.ARCHIVED} else None
                done.append(await _tried(scope, place, _Entry(organization, form, decision, client)))
            if on_error is OnError.ALL_OR_NOTHING and any(each.refusals for each in done):
                raise _Undone
            return done
    return [each if each.refusals else Upserted(Action.NOT_DONE) for each in done]


def _may(scope: WriteScope, forms: Sequence[ClientForm]) -> None:
    scope.must(Permission.CLIENTS_IMPORT)
    scope.must(Permission.CLIENTS_WRITE)
    if any(form.financial is not None for form in forms):
        scope.must(Permission.FINANCE_WRITE)


def _count(forms: Sequence[ClientForm]) -> None:
    if not forms:
        raise Refused(InvalidInput(["clients"], "`clients` has at least 1 entry."))
    if len(forms) > MOST:
        raise Refused(TooMany(["clients"], f"`clients` has at most {MOST} entries."))


def _key(form: ClientForm, name: str, key_of: Callable[[str], str]) -> str | None:
    """None for what is empty or wrong: the form's own check says so."""
    given = form.general.get(name)
    with suppress(TooLong, WrongValue):
        text = clean(str(given), longest(ClientFields, name)) if given is not None else ""
        return key_of(text) if text else None
    return None


async def _there(scope: WriteScope, incoming: Sequence[Named]) -> dict[UUID, Client]:
    """The clients that they may be, held: one statement for all numbers, one for all names."""
    numbers = sorted({each.number_key for each in incoming if each.number_key is not None})
    names = sorted({each.name_key for each in incoming if each.number_key is None and each.name_key is not None})
    found = await entities.find_for_update(scope, Client, number_key=numbers) if numbers else []
    found += await entities.find_for_update(scope, Client, name_key=names, number=None) if names else []
    return {row.id: row for row in found}


@dataclass(frozen=True)
class _Entry:
    organization: Organization
    form: ClientForm
    decision: Decision
    client: Client | None


async def _tried(scope: WriteScope, place: int, entry: _Entry) -> Upserted:
    """One that is refused leaves nothing behind; its faults lie at its place."""
    try:
        async with scope.savepoint():
            return await _done(scope, entry)
    except Refused as refused:
        at = ["clients", str(place)]
        return Upserted(Action.REFUSED, refusals=[replace(each, path=[*at, *each.path]) for each in refused.refusals])


async def _done(scope: WriteScope, entry: _Entry) -> Upserted:
    match, client = entry.decision.match, entry.client
    if match is Match.NEW:
        return Upserted(Action.CREATED, await client_forms.make(scope, entry.organization, entry.form))
    if match is Match.SAME and client:
        is_changed = await client_forms.change(scope, entry.organization, client, entry.form)
        return Upserted(Action.UPDATED if is_changed else Action.UNCHANGED, client.id)
    faults = Faults()
    faults.found.append(_why(scope, entry))
    # A number that is there twice is no fault of its own.
    general = {name: value for name, value in entry.form.general.items() if name != "number"}
    with faults.part():
        await client_forms.check(scope, entry.organization, replace(entry.form, general=general), client)
    raise Refused(*faults.found)


def _why(scope: WriteScope, entry: _Entry) -> Refusal:
    decision, at = entry.decision, [entry.decision.by]
    if decision.match is Match.DUPLICATE:
        return Duplicate(at, f"This {decision.by} is in `clients` already, at place {decision.before}. Leave out one of the two.")
    if entry.client:
        return already_archived(scope, entry.client, at)
    return Ambiguous(at, f"{len(decision.clients)} clients without a number have this name. Give them numbers to tell them apart.")

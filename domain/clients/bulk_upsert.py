"""Upsert many clients at once: update the clients that match an existing one, and create the others."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AliasChoices, Field

from db.sql import locking
from db.tables import Client, ClientFields, Organization
from db.tables.keys import name_key, number_key
from domain.clients import editing
from domain.clients.editing import ClientForm
from domain.clients.matching import Decision, ExistingClient, Match, MatchKeys, match_clients
from domain.core.errors import Ambiguous, Duplicate, ErrorCollector, InvalidInput, RuleViolation, UserError, too_many
from domain.core.idempotency import StoredError
from domain.core.locking import already_archived
from domain.core.scope import Permission, WriteScope
from domain.core.validation import max_length
from domain.organization import organizations
from domain.standards.errors import TooLong, WrongValue
from domain.standards.text import clean

MAX_CLIENTS = 100


class OnError(StrEnum):
    """Effect of a rejected client on the other clients of the call."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    SKIP_FAILED = "SKIP_FAILED"


class UpsertAction(StrEnum):
    """The action that was taken for one client."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"
    NOT_DONE = "NOT_DONE"


@dataclass(frozen=True)
class UpsertResult:
    """The outcome for one client: its id or its errors."""

    action: UpsertAction
    client_id: UUID | None = None
    # The outcome is stored and returned again for a repeated idempotency key. Older versions stored this field as `refusals`.
    user_errors: Annotated[list[StoredError], Field(validation_alias=AliasChoices("user_errors", "refusals"))] = field(default_factory=list)


class _Rollback(Exception):  # noqa: N818 control flow, not an error
    """One client was rejected, so all others are rolled back."""


async def upsert(scope: WriteScope, forms: Sequence[ClientForm], on_error: OnError) -> list[UpsertResult]:
    """Upsert the clients and return their outcomes in order, with every error.

    Lock the organization, so that concurrent calls run one after the other. Otherwise two calls could create the same client twice.
    """
    _require_permissions(scope, forms)
    _validate_count(forms)
    organization = await organizations.lock_organization(scope)
    incoming = [MatchKeys(_match_key(form, "number", number_key), _match_key(form, "name", name_key)) for form in forms]
    clients_by_id = await _lock_candidates(scope, incoming)
    existing = [
        ExistingClient(row.number_key, row.name_key, id=key, is_archived=row.archived_at is not None) for key, row in clients_by_id.items()
    ]
    results: list[UpsertResult] = []
    with suppress(_Rollback):
        async with scope.savepoint():
            for index, (form, decision) in enumerate(zip(forms, match_clients(incoming, existing), strict=True)):
                client = clients_by_id[decision.clients[0]] if decision.match in {Match.SAME, Match.ARCHIVED} else None
                results.append(await _upsert_entry(scope, index, _Entry(organization, form, decision, client)))
            if on_error is OnError.ALL_OR_NOTHING and any(each.user_errors for each in results):
                raise _Rollback
            return results
    return [each if each.user_errors else UpsertResult(UpsertAction.NOT_DONE) for each in results]


def _require_permissions(scope: WriteScope, forms: Sequence[ClientForm]) -> None:
    scope.require(Permission.CLIENTS_IMPORT)
    scope.require(Permission.CLIENTS_WRITE)
    if any(form.financial is not None for form in forms):
        scope.require(Permission.FINANCE_WRITE)


def _validate_count(forms: Sequence[ClientForm]) -> None:
    if not forms:
        raise RuleViolation(InvalidInput(["clients"], "`clients` is empty. Pass at least 1 client."))
    if len(forms) > MAX_CLIENTS:
        raise RuleViolation(too_many("clients", MAX_CLIENTS))


def _match_key(form: ClientForm, name: str, make_key: Callable[[str], str]) -> str | None:
    """Return the key to match by, or None for an empty or invalid value. The validation of the form reports invalid values later."""
    value = form.general.get(name)
    with suppress(TooLong, WrongValue):
        text = clean(str(value), max_length(ClientFields, name)) if value is not None else ""
        return make_key(text) if text else None
    return None


async def _lock_candidates(scope: WriteScope, incoming: Sequence[MatchKeys]) -> dict[UUID, Client]:
    """Lock the clients that may match, with one statement for all numbers and one for all names.

    Names matter only between clients without a number: see `domain.clients.matching`.
    """
    numbers = sorted({each.number_key for each in incoming if each.number_key is not None})
    names = sorted({each.name_key for each in incoming if each.number_key is None and each.name_key is not None})
    candidates = await locking.find_for_update(scope, Client, number_key=numbers) if numbers else []
    candidates += await locking.find_for_update(scope, Client, name_key=names, number=None) if names else []
    return {row.id: row for row in candidates}


@dataclass(frozen=True)
class _Entry:
    """One submitted client, its match, and the existing client that it matches, if there is exactly one."""

    organization: Organization
    form: ClientForm
    decision: Decision
    client: Client | None


async def _upsert_entry(scope: WriteScope, index: int, entry: _Entry) -> UpsertResult:
    """Upsert one client in a savepoint. The paths of its errors start with its index."""
    try:
        async with scope.savepoint():
            return await _apply_entry(scope, entry)
    except RuleViolation as violation:
        path = ["clients", str(index)]
        return UpsertResult(UpsertAction.REFUSED, user_errors=[replace(each, path=[*path, *each.path]) for each in violation.user_errors])


async def _apply_entry(scope: WriteScope, entry: _Entry) -> UpsertResult:
    match, client = entry.decision.match, entry.client
    if match is Match.NEW:
        return UpsertResult(UpsertAction.CREATED, await editing.create_from_form(scope, entry.organization, entry.form))
    if match is Match.SAME and client:
        is_changed = await editing.apply_form(scope, entry.organization, client, entry.form)
        return UpsertResult(UpsertAction.UPDATED if is_changed else UpsertAction.UNCHANGED, client.id)
    errors = ErrorCollector()
    errors.user_errors.append(_match_error(scope, entry))
    # Report the other errors of the form too. Leave out the number, because the match error is about it already.
    general = {name: value for name, value in entry.form.general.items() if name != "number"}
    with errors.collect():
        await editing.validate_form(scope, entry.organization, replace(entry.form, general=general), client)
    raise RuleViolation(*editing.sort_errors(errors.user_errors))


def _match_error(scope: WriteScope, entry: _Entry) -> UserError:
    decision, path = entry.decision, [entry.decision.matched_by]
    if decision.match is Match.DUPLICATE:
        message = f"The client at index {decision.first_index} of `clients` has the same {decision.matched_by}. Remove one of the two."
        return Duplicate(path, message)
    if entry.client:
        return already_archived(scope, entry.client, path)
    return Ambiguous(path, f"{len(decision.clients)} clients without a number have this name. Give each a number, and pass `number` here.")

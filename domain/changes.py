"""Changing a row that others may be changing too: held, compared with what its changer saw, and counted."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from db import entities
from db.moments import now
from db.tables import ApiToken, Client, Entity, Project, Table
from db.tables.base import Versioned
from domain.errors import AlreadyArchived, Refused, VersionConflict, not_found
from domain.scope import Scope, WriteScope

T = TypeVar("T", bound=Entity)
A = TypeVar("A", Client, Project)
CALLED: dict[type[Table], str] = {ApiToken: "token"}


def called(table: type[Table]) -> str:
    """What users call a row of the table."""
    return CALLED.get(table) or to_snake(table.__name__).replace("_", " ")


async def held(scope: WriteScope, table: type[T], key: UUID, expected_version: int | None = None, *, at: Sequence[str] = ("id",)) -> T:
    """The row, nobody else's until the unit of work ends; refused when there is none, or when it is no longer what its changer saw."""
    row = (await entities.lock_for_update(scope, table, [key])).get(key)
    if row is None:
        raise Refused(not_found(called(table), at))
    expect(row, expected_version)
    return row


async def active(scope: WriteScope, table: type[A], key: UUID, expected_version: int | None = None, *, at: Sequence[str] = ("id",)) -> A:
    """The same of what is not archived. That is said first: who reads again what was archived can change it no more than before."""
    row = await held(scope, table, key, at=at)
    must_be_active(scope, row, at)
    expect(row, expected_version)
    return row


def filled(row: Table, fields: type[BaseModel]) -> dict[str, Any]:
    """What a row has of a field set."""
    return {name: getattr(row, name) for name in fields.model_fields}


def expect(row: Table, version: int | None) -> None:
    """An organization's id is the tenant."""
    current = getattr(row, "version", None)
    if version is not None and current is not None and version != current:
        message = f"Somebody else changed this {called(type(row))}: it is at version {current}. Read it again, and repeat your change."
        raise Refused(VersionConflict(["expectedVersion"], message, type(row).__name__, getattr(row, "id", row.tenant_id), current))


def apply(row: Versioned, changes: Mapping[str, object]) -> bool:
    """Whether anything is other than it was. What is written as it stands is no change."""
    altered = {name: value for name, value in changes.items() if getattr(row, name) != value}
    for name, value in altered.items():
        setattr(row, name, value)
    if altered:
        touch(row)
    return bool(altered)


def touch(row: Versioned) -> None:
    """One version on, also when only what belongs to the row has changed."""
    row.version += 1
    row.updated_at = now()


def must_be_active(scope: Scope, row: Client | Project, at: Sequence[str] = ("id",)) -> None:
    """What is archived takes no change; whoever asks holds the row."""
    if row.archived_at:
        raise Refused(already_archived(scope, row, at))


def already_archived(scope: Scope, row: Client | Project, at: Sequence[str]) -> AlreadyArchived:
    back = "clientUnarchive" if isinstance(row, Client) or row.archive_operation_id else "projectUnarchive"
    name = scope.name(row.name, f"This {called(type(row))}")
    message = f"{name} is archived, and stays as it is. Take it back first with `{back}`."
    return AlreadyArchived([*at], message, type(row).__name__, row.id)


async def known(scope: WriteScope, table: type[T], ids: Mapping[UUID, Sequence[str]], *, exclusively: bool = False) -> dict[UUID, T]:
    """The rows of these ids, kept from being removed, or from being changed by others; a refusal at its path for each that there is not."""
    holding = entities.lock_for_update if exclusively else entities.lock_for_key_share
    found = await holding(scope, table, list(ids)) if ids else {}
    if missing := [path for key, path in ids.items() if key not in found]:
        raise Refused(*(not_found(called(table), path) for path in missing))
    return found

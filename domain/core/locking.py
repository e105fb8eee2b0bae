"""Lock rows, check their versions and apply changes, so that concurrent changes do not overwrite each other."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from db.sql import locking
from db.tables import ApiToken, Client, ClientContact, Entity, Project, Table
from db.tables.base import Versioned
from db.tables.timestamps import now
from domain.core.errors import AlreadyArchived, RuleViolation, VersionConflict, not_found
from domain.core.scope import Scope, WriteScope

T = TypeVar("T", bound=Entity)
A = TypeVar("A", Client, Project)
DISPLAY_NAMES: dict[type[Table], str] = {ApiToken: "token", ClientContact: "link between contact and client"}


def display_name(table: type[Table]) -> str:
    """Return the name of the table's rows in messages to users."""
    return DISPLAY_NAMES.get(table) or to_snake(table.__name__).replace("_", " ")


async def lock(scope: WriteScope, table: type[T], key: UUID, expected_version: int | None = None, *, path: Sequence[str] = ("id",)) -> T:
    """Lock a row until the unit of work ends. Raises `RuleViolation` if it does not exist or its version is not the expected one."""
    row = (await locking.lock_for_update(scope, table, [key])).get(key)
    if row is None:
        raise RuleViolation(not_found(display_name(table), path))
    expect_version(row, expected_version)
    return row


async def lock_active(
    scope: WriteScope, table: type[A], key: UUID, expected_version: int | None = None, *, path: Sequence[str] = ("id",)
) -> A:
    """Lock a row that is not archived.

    Check for archiving before the version: to a caller with an outdated version, reading an archived row again is no help.
    """
    row = await lock(scope, table, key, path=path)
    require_active(scope, row, path)
    expect_version(row, expected_version)
    return row


def field_values(row: Table, fields: type[BaseModel]) -> dict[str, Any]:
    """Return the row's values of the fields in a field set."""
    return {name: getattr(row, name) for name in fields.model_fields}


def expect_version(row: Table, version: int | None) -> None:
    """Raise `RuleViolation` unless the row has this version."""
    current = getattr(row, "version", None)
    if version is not None and current is not None and version != current:
        message = (
            f"This {display_name(type(row))} was changed meanwhile and now has version {current}. "
            "Read it again, then repeat your change with the new `expectedVersion`."
        )
        raise RuleViolation(VersionConflict(["expectedVersion"], message, type(row).__name__, _shown_id(row), current))


def _shown_id(row: Table) -> UUID:
    """Return the id of the object that shows the row: of a link its client. An organization has its tenant's id."""
    shown_id: UUID = row.client_id if isinstance(row, ClientContact) else getattr(row, "id", row.tenant_id)
    return shown_id


def apply_changes(row: Versioned, changes: Mapping[str, object]) -> bool:
    """Apply the changes and return whether any value differs. Writing an equal value is no change."""
    changed_values = {name: value for name, value in changes.items() if getattr(row, name) != value}
    for name, value in changed_values.items():
        setattr(row, name, value)
    if changed_values:
        bump_version(row)
    return bool(changed_values)


def bump_version(row: Versioned) -> None:
    """Increment the version. Call this also when only a part of the object has changed that is stored in another table."""
    row.version += 1
    mark_updated(row)


def mark_updated(row: Versioned) -> None:
    """Set the time of the last change. That is all that changes on a client with its labels and links, so no open form conflicts."""
    row.updated_at = now()


def require_active(scope: Scope, row: Client | Project, path: Sequence[str] = ("id",)) -> None:
    """Raise `RuleViolation` if the row is archived. The caller has locked it."""
    if row.archived_at:
        raise RuleViolation(already_archived(scope, row, path))


def already_archived(scope: Scope, row: Client | Project, path: Sequence[str]) -> AlreadyArchived:
    mutation = "clientUnarchive" if isinstance(row, Client) or row.archive_operation_id else "projectUnarchive"
    name = scope.visible_name(row.name, f"This {display_name(type(row))}")
    message = f"{name} is archived and cannot be changed. Unarchive it first with `{mutation}`."
    return AlreadyArchived([*path], message, type(row).__name__, row.id)


def list_paths(name: str, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the path of each id in a list of the input: that of its first occurrence."""
    return {key: [name, str(ids.index(key))] for key in ids}


async def lock_references(
    scope: WriteScope, table: type[T], ids: Mapping[UUID, Sequence[str]], *, is_exclusive: bool = False
) -> dict[UUID, T]:
    """Lock the rows with these ids against removal, or exclusively. Raises `RuleViolation` with the path of each missing row."""
    lock_rows = locking.lock_for_update if is_exclusive else locking.lock_for_key_share
    entities_by_id = await lock_rows(scope, table, list(ids)) if ids else {}
    if missing := [path for key, path in ids.items() if key not in entities_by_id]:
        raise RuleViolation(*(not_found(display_name(table), path) for path in missing))
    return entities_by_id

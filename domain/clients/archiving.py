"""Archive and unarchive clients with their projects and portals. Unarchiving restores exactly what archiving changed."""

from typing import TypeVar
from uuid import UUID

from db.sql import locking
from db.tables import Client, ClientPortal, Project
from db.tables.keys import new_id
from db.tables.timestamps import now
from domain.core.errors import NotArchived, RuleViolation
from domain.core.locking import bump_version, expect_version, lock, lock_active
from domain.core.scope import Permission, WriteScope

T = TypeVar("T", Client, Project, ClientPortal)


async def archive(scope: WriteScope, client_id: UUID, *, expected_version: int) -> UUID:
    """Archive a client with its active projects, and close its open portals. Registrations are kept, but no new ones are accepted."""
    scope.require(Permission.CLIENTS_ARCHIVE)
    client = await lock_active(scope, Client, client_id, expected_version)
    operation, archived_at = new_id(), now()
    for project in await locking.find_for_update(scope, Project, client_id=client_id, archived_at=None):
        project.archived_at = archived_at
        _set_archive_operation(project, operation)
    for portal in await locking.find_for_update(scope, ClientPortal, client_id=client_id, closed_at=None):
        portal.closed_at = archived_at
        _set_archive_operation(portal, operation)
    client.archived_at, client.archived_by = archived_at, scope.actor.member_id
    _set_archive_operation(client, operation)
    return client.id


async def unarchive(scope: WriteScope, client_id: UUID, *, expected_version: int) -> UUID:
    """Unarchive a client with the projects and portals that were archived with it."""
    scope.require(Permission.CLIENTS_ARCHIVE)
    client = await lock(scope, Client, client_id)
    if client.archived_at is None:
        raise RuleViolation(NotArchived(["id"], "This client is not archived. No action is needed."))
    expect_version(client, expected_version)
    for project in await _lock_archived_together(scope, Project, client):
        project.archived_at = None
        _set_archive_operation(project, None)
    for portal in await _lock_archived_together(scope, ClientPortal, client):
        portal.closed_at = None
        _set_archive_operation(portal, None)
    client.archived_at = client.archived_by = None
    _set_archive_operation(client, None)
    return client.id


async def _lock_archived_together(scope: WriteScope, table: type[T], client: Client) -> list[T]:
    """Lock the rows that were archived with the client."""
    operation = client.archive_operation_id
    return await locking.find_for_update(scope, table, client_id=client.id, archive_operation_id=operation) if operation else []


def _set_archive_operation(row: Client | Project | ClientPortal, operation: UUID | None) -> None:
    """Set the operation that archived the row, or clear it."""
    row.archive_operation_id = operation
    bump_version(row)

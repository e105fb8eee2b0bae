"""The end of the work for a client, and its taking up again. Archiving takes along what is active, and un-archiving brings back no more."""

from typing import TypeVar
from uuid import UUID

from db import entities
from db.keys import new_id
from db.moments import now
from db.tables import Client, ClientPortal, Project
from domain.changes import active, expect, held, touch
from domain.errors import NotArchived, Refused
from domain.scope import Permission, WriteScope

T = TypeVar("T", Client, Project, ClientPortal)


async def archive(scope: WriteScope, client_id: UUID, *, expected_version: int | None) -> UUID:
    """Closes a client, its projects and its portals; what was registered stays as it is, and nothing is registered any more."""
    scope.must(Permission.CLIENTS_ARCHIVE)
    client = await active(scope, Client, client_id, expected_version)
    operation, at = new_id(), now()
    for project in await entities.find_for_update(scope, Project, client_id=client_id, archived_at=None):
        project.archived_at = at
        _mark(project, operation)
    for portal in await entities.find_for_update(scope, ClientPortal, client_id=client_id, closed_at=None):
        portal.closed_at = at
        _mark(portal, operation)
    client.archived_at, client.archived_by = at, scope.actor.member_id
    _mark(client, operation)
    return client.id


async def unarchive(scope: WriteScope, client_id: UUID, *, expected_version: int | None) -> UUID:
    """Takes a client up again, with the projects and portals that its archiving took along; what was closed before stays so."""
    scope.must(Permission.CLIENTS_ARCHIVE)
    client = await held(scope, Client, client_id)
    if client.archived_at is None:
        raise Refused(NotArchived(["id"], "This client is active already. There is nothing to take back: go on with it as it is."))
    expect(client, expected_version)
    for project in await _taken(scope, Project, client):
        project.archived_at = None
        _mark(project, None)
    for portal in await _taken(scope, ClientPortal, client):
        portal.closed_at = None
        _mark(portal, None)
    client.archived_at = client.archived_by = None
    _mark(client, None)
    return client.id


async def _taken(scope: WriteScope, table: type[T], client: Client) -> list[T]:
    """What the archiving of the client took along, held."""
    operation = client.archive_operation_id
    return await entities.find_for_update(scope, table, client_id=client.id, archive_operation_id=operation) if operation else []


def _mark(row: Client | Project | ClientPortal, operation: UUID | None) -> None:
    """As taken by this archiving, or by none any more."""
    row.archive_operation_id = operation
    touch(row)

"""Rules of portals. Whoever sees a client sees its portals, what they show and to whom: the portals themselves hold no figures."""

from collections.abc import Sequence
from uuid import UUID

from db import portals as rows
from db.rows import PortalContactRow, PortalProjectRow, PortalRow
from domain.scope import Permission, Scope

MOST = 20  # of a client
MOST_SHOWN = 100  # projects, and contacts, of a portal


async def of_clients(scope: Scope, ids: Sequence[UUID]) -> list[list[PortalRow]]:
    """The portals of each client, the newest first, those that are closed too."""
    scope.must(Permission.CLIENTS_READ)
    return await rows.of_clients(scope, ids, count=MOST)


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[PortalRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)


async def projects(scope: Scope, ids: Sequence[UUID]) -> list[list[PortalProjectRow]]:
    """The projects that each portal shows, the newest first."""
    scope.must(Permission.CLIENTS_READ)
    return await rows.projects(scope, ids, count=MOST_SHOWN)


async def contacts(scope: Scope, ids: Sequence[UUID]) -> list[list[PortalContactRow]]:
    """Who has access to each portal, by name."""
    scope.must(Permission.CLIENTS_READ)
    return await rows.contacts(scope, ids, count=MOST_SHOWN)

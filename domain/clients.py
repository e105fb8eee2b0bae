"""Rules of clients."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from db import clients as rows
from db.rows import ClientRow
from domain.pages import Order, Page, Wanted
from domain.scope import Permission, ReadScope, Scope

BY_NAME: Order[ClientRow] = Order("clients.name", attrgetter("name_key", "id"))


async def page(scope: ReadScope, *, first: int, after: str | None) -> Page[ClientRow]:
    """All clients of the organization by name."""
    scope.must(Permission.CLIENTS_READ)
    wanted = Wanted.of(BY_NAME, scope.cursors, first=first, after=after)
    return wanted.page(await rows.page(scope, after=wanted.after, size=wanted.size))


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[ClientRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)

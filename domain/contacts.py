"""Rules of contacts."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from db import contacts as rows
from db.rows import ClientContactRow, ContactRow
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

BY_POSITION: Order[ClientContactRow] = Order("client.contacts.position", attrgetter("position", "id"))


async def of_clients(scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> list[Page[ClientContactRow]]:
    """The contacts of each client by their position there. Whoever sees a client sees its contacts."""
    reading = Reading.of(BY_POSITION, scope.cursors, span)
    found = await rows.of_clients(scope, ids, is_ascending=span.is_forward, after=reading.after, size=span.size)
    return [reading.page(contacts) for contacts in found]


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[ContactRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)

"""Rules of contacts."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from db import contacts as rows
from db.contacts import counts_of_clients
from db.rows import ClientContactRow, ContactRow
from db.search import Search
from domain.errors import searched
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

__all__ = ["Search", "by_id", "counts", "counts_of_clients", "of_clients", "page"]

BY_POSITION: Order[ClientContactRow] = Order("client.contacts.position", attrgetter("position", "id"))
BY_NAME: Order[ContactRow] = Order("contacts.name", attrgetter("name_key", "id"))


async def of_clients(scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> list[Page[ClientContactRow]]:
    """The contacts of each client by their position there. Whoever sees a client sees its contacts."""
    reading = Reading.of(BY_POSITION, scope.cursors, span)
    return reading.pages(await rows.of_clients(scope, ids, reading.part), ids)


async def page(scope: ReadScope, search: str | None, span: Span) -> Page[ContactRow]:
    """Contacts of the organization by name, those with the text in it where one is given."""
    scope.must(Permission.CLIENTS_READ)
    reading = Reading.of(BY_NAME, scope.cursors, span)
    wanted = Search(searched(search))
    return reading.page(await rows.page(scope, wanted, reading.part), wanted)


async def counts(scope: Scope, wanted: Sequence[Search]) -> list[int]:
    """How many there are of each."""
    scope.must(Permission.CLIENTS_READ)
    return [await rows.count(scope, each) for each in wanted]


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[ContactRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)

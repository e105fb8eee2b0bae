"""Rules of clients."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from db import clients as rows
from db.clients import Filter, Sort, Sorting
from db.paging import Key
from db.rows import ClientRow
from db.tables.clients import LAST
from domain.errors import BadInput
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

__all__ = ["Filter", "Sort", "Sorting", "by_id", "by_number", "count", "page"]

LONGEST_SEARCH = 200
MOST_LABELS = 50
PLACES: dict[Sort, Callable[[ClientRow], Key]] = {
    Sort.NAME: lambda row: (row.name_key, row.id),
    Sort.NUMBER: lambda row: (row.number_key or LAST, row.id),
    Sort.CREATED_AT: lambda row: (row.created_at, row.id),
    Sort.UPDATED_AT: lambda row: (row.updated_at, row.id),
}


async def page(scope: ReadScope, wanted: Filter, sorting: Sorting, span: Span) -> Page[ClientRow]:
    """Clients of the organization that are wanted, in an order."""
    scope.must(Permission.CLIENTS_READ)
    wanted = _checked(wanted)
    order = Order(f"clients.{sorting.by.lower()}.{'up' if sorting.is_ascending else 'down'}", PLACES[sorting.by])
    reading = Reading.of(order, scope.cursors, span)
    read = replace(sorting, is_ascending=sorting.is_ascending == span.is_forward)
    found = await rows.page(scope, wanted, read, after=reading.after, size=span.size)
    return reading.page(found, wanted)


def _checked(wanted: Filter) -> Filter:
    """Blanks alone search for nothing."""
    if wanted.search is not None and len(wanted.search) > LONGEST_SEARCH:
        raise BadInput(f"`search` has at most {LONGEST_SEARCH} characters.")
    if any(len(labels or ()) > MOST_LABELS for labels in (wanted.labels_any, wanted.labels_all, wanted.labels_none)):
        raise BadInput(f"`labels` takes at most {MOST_LABELS} of each.")
    return replace(wanted, search=(wanted.search or "").strip() or None)


async def count(scope: Scope, wanted: Filter) -> int:
    scope.must(Permission.CLIENTS_READ)
    return await rows.count(scope, wanted)


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[ClientRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)


async def by_number(scope: Scope, number: str) -> ClientRow | None:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_number(scope, number)

"""Rules of labels. Whoever sees a client sees its labels, so that query needs no rule."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from db import labels as rows
from db.labels import of_clients
from db.rows import LabelRow
from db.search import Search
from domain.errors import searched
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

__all__ = ["by_id", "counts", "of_clients", "page"]

BY_NAME: Order[LabelRow] = Order("labels.name", attrgetter("name_key", "id"))


async def page(scope: ReadScope, search: str | None, span: Span) -> Page[LabelRow]:
    """Labels of the organization by name, those with the text in it where one is given."""
    scope.must(Permission.CLIENTS_READ)
    reading = Reading.of(BY_NAME, scope.cursors, span)
    wanted = Search(searched(search))
    return reading.page(await rows.page(scope, wanted, reading.part), wanted)


async def counts(scope: Scope, wanted: Sequence[Search]) -> list[int]:
    """How many there are of each."""
    scope.must(Permission.CLIENTS_READ)
    return [await rows.count(scope, each) for each in wanted]


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[LabelRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)

"""Rules of labels. Whoever sees a client sees its labels, so that query needs no rule."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from db import labels as rows
from db.labels import of_clients
from db.rows import LabelRow
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

__all__ = ["by_id", "count", "of_clients", "page"]

BY_NAME: Order[LabelRow] = Order("labels.name", attrgetter("name_key", "id"))


async def page(scope: ReadScope, span: Span) -> Page[LabelRow]:
    """Labels of the organization by name."""
    scope.must(Permission.CLIENTS_READ)
    reading = Reading.of(BY_NAME, scope.cursors, span)
    return reading.page(await rows.page(scope, reading.part))


async def count(scope: Scope) -> int:
    scope.must(Permission.CLIENTS_READ)
    return await rows.count(scope)


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[LabelRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)

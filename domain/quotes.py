"""Rules of quotes. Only those see them who may see figures; others get nothing, not an error."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from db import quotes as rows
from db.rows import QuoteLineRow, QuoteRow
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

NEWEST: Order[QuoteRow] = Order("client.quotes.newest", attrgetter("id", "id"), is_ascending=False)
MOST_LINES = 100


async def of_clients(scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> Sequence[Page[QuoteRow] | None]:
    """The quotes of each client, the newest first."""
    if not scope.may(Permission.FINANCE_READ):
        return [None] * len(ids)
    reading = Reading.of(NEWEST, scope.cursors, span)
    return reading.pages(await rows.of_clients(scope, ids, reading.part), ids)


async def counts(scope: Scope, ids: Sequence[UUID]) -> list[int]:
    """How many quotes each client has. Only who may see figures has a page of them to ask it of."""
    scope.must(Permission.FINANCE_READ)
    return await rows.counts(scope, ids)


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[QuoteRow | None]:
    return await rows.by_id(scope, ids) if scope.may(Permission.FINANCE_READ) else [None] * len(ids)


async def lines(scope: Scope, ids: Sequence[UUID]) -> list[list[QuoteLineRow]]:
    """The lines of each quote, by their position."""
    scope.must(Permission.FINANCE_READ)
    return await rows.lines(scope, ids, count=MOST_LINES)

"""Rules of what only those see who may see figures: financial settings and invoices. Others get nothing, not an error."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from db import finance as rows
from db.rows import FinancialRow, InvoiceRow
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

NEWEST: Order[InvoiceRow] = Order("client.invoices.newest", attrgetter("id", "id"), is_ascending=False)


async def of_clients(scope: Scope, ids: Sequence[UUID]) -> list[FinancialRow | None]:
    """The financial settings of each client."""
    if not scope.may(Permission.FINANCE_READ):
        return [None] * len(ids)
    return await rows.of_clients(scope, ids)


async def invoices(scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> Sequence[Page[InvoiceRow] | None]:
    """The invoices of each client, the newest first."""
    if not scope.may(Permission.FINANCE_READ):
        return [None] * len(ids)
    reading = Reading.of(NEWEST, scope.cursors, span)
    return reading.pages(await rows.invoices(scope, ids, reading.part), ids)


async def invoice_counts(scope: Scope, ids: Sequence[UUID]) -> list[int]:
    """How many invoices each client has. Only who may see figures has a page of them to ask it of."""
    scope.must(Permission.FINANCE_READ)
    return await rows.invoice_counts(scope, ids)


async def invoices_by_id(scope: Scope, ids: Sequence[UUID]) -> list[InvoiceRow | None]:
    return await rows.invoices_by_id(scope, ids) if scope.may(Permission.FINANCE_READ) else [None] * len(ids)

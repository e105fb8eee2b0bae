"""Compute the revenue of clients.

Revenue comes from issued invoices and credit notes, which count as negative. Drafts and void documents never count. "Invoiced" is the net
amount of the documents within the period. "Paid" is the amount that was allocated to them within the period, including VAT. "Outstanding"
is their gross amount minus all allocations, as of the end of the period. Amounts in the base currency use the exchange rate that each
document got when it was issued.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from db.queries import revenue as rows
from db.queries.clients import ClientFilter
from db.rows import RevenueRow
from domain.core.money import new_tuple
from domain.core.periods import Period
from domain.core.scope import Permission, Scope


class Revenue(NamedTuple):
    """The revenue of one or more clients: the total in the organization's currency, and the amounts per currency."""

    total: RevenueRow
    by_currency: Sequence[RevenueRow]
    period: Period


async def by_client(scope: Scope, ids: Sequence[UUID], *, period: Period) -> Sequence[Revenue | None]:
    """Return the revenue of each client: zero for a client without documents, None without FINANCE_READ."""
    if not scope.allows(Permission.FINANCE_READ):
        return [None] * len(ids)
    row_groups = await rows.by_client(scope, ids, start=period.start, end=period.end)
    return [new_tuple(Revenue, (total, by_currency, period)) for total, *by_currency in row_groups]


async def for_all_clients(scope: Scope, filters: Sequence[ClientFilter], *, period: Period) -> Sequence[Revenue | None]:
    """Return the total revenue of all clients that match, for each filter. None without FINANCE_READ."""
    if not scope.allows(Permission.FINANCE_READ):
        return [None] * len(filters)
    row_groups = [await rows.for_all_clients(scope, each, start=period.start, end=period.end) for each in filters]
    return [new_tuple(Revenue, (total, by_currency, period)) for total, *by_currency in row_groups]

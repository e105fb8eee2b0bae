"""Compute the revenue of clients.

Documents are issued invoices and credit notes, the latter counting below zero; drafts and void ones never count. Invoiced is their
net within the period. Paid is what was allocated to them within it, including VAT. Outstanding is their gross less all that was
allocated, as of the period's end. The base amounts use the exchange rate that each document got when it was issued.
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
    """The revenue of one client or of several: the total in the organization's currency, and each currency by itself."""

    total: RevenueRow
    by_currency: Sequence[RevenueRow]
    period: Period


async def by_client(scope: Scope, ids: Sequence[UUID], *, period: Period) -> Sequence[Revenue | None]:
    """Return the revenue of each client, None without FINANCE_READ, zero for a client without documents."""
    if not scope.allows(Permission.FINANCE_READ):
        return [None] * len(ids)
    row_groups = await rows.by_client(scope, ids, start=period.start, end=period.end)
    return [new_tuple(Revenue, (total, by_currency, period)) for total, *by_currency in row_groups]


async def for_all_clients(scope: Scope, filters: Sequence[ClientFilter], *, period: Period) -> Sequence[Revenue | None]:
    """Return the revenue of all clients that each filter matches."""
    if not scope.allows(Permission.FINANCE_READ):
        return [None] * len(filters)
    row_groups = [await rows.for_all_clients(scope, each, start=period.start, end=period.end) for each in filters]
    return [new_tuple(Revenue, (total, by_currency, period)) for total, *by_currency in row_groups]

"""What a client brought in.

Documents are issued invoices and credit notes, the latter counting below zero; drafts and void ones never count. Invoiced is their
net within the period. Paid is what was allocated to them within it, including VAT. Outstanding is their gross less all that was
allocated, as of the period's end. The base amounts are the sums of what each document was frozen at when it was issued.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from db import revenue as rows
from db.clients import ClientFilter
from db.rows import RevenueRow
from domain.scope import Permission, Scope
from domain.values import Period, made


class Revenue(NamedTuple):
    """The figures of one client, or of several: all in the organization's currency, and each currency by itself."""

    total: RevenueRow
    by_currency: Sequence[RevenueRow]
    period: Period


async def by_client(scope: Scope, ids: Sequence[UUID], *, period: Period) -> Sequence[Revenue | None]:
    """None for whoever may not see figures; zero for a client without documents."""
    if not scope.may(Permission.FINANCE_READ):
        return [None] * len(ids)
    found = await rows.by_client(scope, ids, start=period.start, end=period.end)
    return [made(Revenue, (total, by_currency, period)) for total, *by_currency in found]


async def of_all(scope: Scope, wanted: Sequence[ClientFilter], *, period: Period) -> Sequence[Revenue | None]:
    """The figures of all clients that each filter finds."""
    if not scope.may(Permission.FINANCE_READ):
        return [None] * len(wanted)
    found = [await rows.for_all_clients(scope, each, start=period.start, end=period.end) for each in wanted]
    return [made(Revenue, (total, by_currency, period)) for total, *by_currency in found]

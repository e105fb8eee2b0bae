"""Revenue."""

from collections.abc import Sequence
from datetime import date
from operator import attrgetter

import strawberry

from db.rows import RevenueRow
from domain import revenue
from domain.scope import Permission
from schema.fields import Terms, listed
from schema.lens import lens, read
from schema.money import Money, money
from schema.scalars import CurrencyCode

REVENUE = Terms(needs=Permission.FINANCE_READ, cost=3)
REVENUE_OF_ALL = Terms(needs=Permission.FINANCE_READ, cost=600)
INVOICED = "Invoices less credit notes issued within the period, excluding VAT. Drafts and void documents never count."
PAID = "What was paid on them within the period, by date of payment, less what was paid back, including VAT."
OUTSTANDING = "What was still to be paid at the end of the period, including VAT."


@lens(RevenueRow, description="What was brought in, in one of the currencies of the invoices.")
class CurrencyRevenue:
    currency: CurrencyCode = strawberry.field(description="The currency.")
    invoiced: Money = read(money("invoiced"), description=INVOICED)
    paid: Money = read(money("paid"), description=PAID)
    outstanding: Money = read(money("outstanding"), description=OUTSTANDING)


@lens(
    revenue.Revenue,
    description="What was brought in, in the organization's currency: each document counts at the exchange rate of its issue.",
)
class Revenue:
    since: date | None = read(attrgetter("period.since"), description="First day of the period; null when it has no beginning.")
    until: date | None = read(attrgetter("period.until"), description="Last day of the period; null when it has no end.")
    invoiced: Money = read(money("total.invoiced"), description=INVOICED)
    paid: Money = read(money("total.paid"), description=PAID)
    outstanding: Money = read(money("total.outstanding"), description=OUTSTANDING)
    by_currency: Sequence[CurrencyRevenue] = strawberry.field(description="The same for each currency by itself.", directives=[listed(3)])

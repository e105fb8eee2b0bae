"""Revenue."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

import strawberry

from db.rows import RevenueRow
from domain import revenue, values
from schema.lens import lens, read
from schema.scalars import CurrencyCode


def _money(of: str) -> Callable[[object], values.Money]:
    amount, currency = attrgetter(of), attrgetter(f"{of.rpartition('.')[0]}.currency".lstrip("."))
    return lambda row: values.Money(amount(row), currency(row))


@lens(values.Money, description="An amount in a currency.")
class Money:
    amount: Decimal = strawberry.field(description="How much.")
    currency: CurrencyCode = strawberry.field(description="In which currency.")


INVOICED = "Invoices less credit notes issued within the period, excluding VAT. Concepts and void documents never count."
PAID = "What was paid on them within the period, by date of payment, less what was paid back, including VAT."
OUTSTANDING = "What was still to be paid at the end of the period, including VAT."


@lens(RevenueRow, description="What a client brought in, in one of the currencies it is invoiced in.")
class CurrencyRevenue:
    currency: CurrencyCode = strawberry.field(description="The currency.")
    invoiced: Money = read(_money("invoiced"), description=INVOICED)
    paid: Money = read(_money("paid"), description=PAID)
    outstanding: Money = read(_money("outstanding"), description=OUTSTANDING)


@lens(
    revenue.Revenue,
    description="What a client brought in, in the organization's currency: each document counts at the exchange rate of its issue.",
)
class Revenue:
    since: date | None = read(attrgetter("period.since"), description="First day of the period; null when it has no beginning.")
    until: date | None = read(attrgetter("period.until"), description="Last day of the period; null when it has no end.")
    invoiced: Money = read(_money("total.invoiced"), description=INVOICED)
    paid: Money = read(_money("total.paid"), description=PAID)
    outstanding: Money = read(_money("total.outstanding"), description=OUTSTANDING)
    by_currency: Sequence[CurrencyRevenue] = strawberry.field(description="The same for each currency by itself.")

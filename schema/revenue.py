"""Revenue."""

from collections.abc import Sequence
from datetime import date
from operator import attrgetter

import strawberry

from db.rows import RevenueRow
from domain.core.scope import Permission
from domain.reports import revenue
from schema.core.fields import FieldOptions, list_size
from schema.core.money import Money, read_money
from schema.core.row_type import computed_field, row_type
from schema.core.scalars import CurrencyCode

REVENUE_OPTIONS = FieldOptions(permission=Permission.FINANCE_READ, cost=3)
TOTAL_REVENUE_OPTIONS = FieldOptions(permission=Permission.FINANCE_READ, cost=600)
INVOICED_DESCRIPTION = "Invoices less credit notes issued within the period, excluding VAT. Drafts and void documents never count."
PAID_DESCRIPTION = "What was paid on them within the period, by date of payment, less what was paid back, including VAT."
OUTSTANDING_DESCRIPTION = "What was still to be paid at the end of the period, including VAT."


@row_type(RevenueRow, description="What was brought in, in one of the currencies of the invoices.")
class CurrencyRevenue:
    currency: CurrencyCode = strawberry.field(description="The currency.")
    invoiced: Money = computed_field(read_money("invoiced"), description=INVOICED_DESCRIPTION)
    paid: Money = computed_field(read_money("paid"), description=PAID_DESCRIPTION)
    outstanding: Money = computed_field(read_money("outstanding"), description=OUTSTANDING_DESCRIPTION)


@row_type(
    revenue.Revenue,
    description="What was brought in, in the organization's currency: each document counts at the exchange rate of its issue.",
)
class Revenue:
    since: date | None = computed_field(attrgetter("period.since"), description="First day of the period; null when it has no beginning.")
    until: date | None = computed_field(attrgetter("period.until"), description="Last day of the period; null when it has no end.")
    invoiced: Money = computed_field(read_money("total.invoiced"), description=INVOICED_DESCRIPTION)
    paid: Money = computed_field(read_money("total.paid"), description=PAID_DESCRIPTION)
    outstanding: Money = computed_field(read_money("total.outstanding"), description=OUTSTANDING_DESCRIPTION)
    by_currency: Sequence[CurrencyRevenue] = strawberry.field(
        description="The same for each currency by itself.", directives=[list_size(3)]
    )

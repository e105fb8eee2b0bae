"""GraphQL types of revenue."""

from collections.abc import Sequence
from datetime import date
from operator import attrgetter

from db.rows import RevenueRow
from domain.core.scope import Permission
from domain.reports import revenue
from schema.core.fields import FieldOptions, list_size
from schema.core.money import Money, read_money
from schema.core.row_type import attribute, computed_field, row_type
from schema.core.scalars import CurrencyCode

# The costs follow the processor time that `benchmarks.points` measures. The total reads the monthly balances of all clients.
REVENUE_OPTIONS = FieldOptions(permission=Permission.FINANCE_READ, cost=3)
TOTAL_REVENUE_OPTIONS = FieldOptions(permission=Permission.FINANCE_READ, cost=600)
INVOICED_DESCRIPTION = "Invoices minus credit notes issued in the period, excluding VAT. Drafts and void documents do not count."
PAID_DESCRIPTION = "Payments minus refunds in the period, by date of payment, including VAT."
OUTSTANDING_DESCRIPTION = "Unpaid amount at the end of the period, including VAT."


@row_type(RevenueRow, description="Revenue from the invoices in one currency, not converted.")
class CurrencyRevenue:
    currency: CurrencyCode = attribute("Currency of the amounts.")
    invoiced: Money = computed_field(read_money("invoiced"), INVOICED_DESCRIPTION)
    paid: Money = computed_field(read_money("paid"), PAID_DESCRIPTION)
    outstanding: Money = computed_field(read_money("outstanding"), OUTSTANDING_DESCRIPTION)


@row_type(revenue.Revenue, description="Revenue in the organization's `baseCurrency`, converted at the exchange rate of each document.")
class Revenue:
    since: date | None = computed_field(attrgetter("period.since"), "First day of the period. Null if the period has no beginning.")
    until: date | None = computed_field(attrgetter("period.until"), "Last day of the period. Null if the period has no end.")
    invoiced: Money = computed_field(read_money("total.invoiced"), INVOICED_DESCRIPTION)
    paid: Money = computed_field(read_money("total.paid"), PAID_DESCRIPTION)
    outstanding: Money = computed_field(read_money("total.outstanding"), OUTSTANDING_DESCRIPTION)
    by_currency: Sequence[CurrencyRevenue] = attribute("Revenue by currency of the invoices.", directives=[list_size(3)])

"""Financial settings and invoices of clients."""

from datetime import date
from operator import attrgetter

import strawberry

from db.rows import FinancialRow, InvoiceRow
from db.tables.clients import ClientFinancialFields, InvoiceDelivery, VatTreatment
from db.tables.invoices import InvoiceKind, InvoiceStatus
from domain.invoicing import invoices, layouts, vat_rates
from resolvers.enums import describe_enum
from schema.core.connections import COUNT_OPTIONS, TOTAL_DESCRIPTION, Connection
from schema.core.fields import relation
from schema.core.money import Money, read_money
from schema.core.row_type import Node, computed_field, row_type
from schema.core.scalars import CurrencyCode
from schema.layouts import InvoiceLayout
from schema.vat_rates import VatRate

describe_enum(
    VatTreatment,
    "Why a client's invoices carry the VAT that they carry.",
    DOMESTIC="VAT of the organization's own country.",
    REVERSE_CHARGE="None: it is reverse-charged to the client.",
    INTRA_COMMUNITY="None: the client is a business elsewhere in the European Union.",
    EXPORT="None: the client is outside the European Union.",
    EXEMPT="None: what is sold is exempt.",
)
describe_enum(
    InvoiceDelivery,
    "How invoices reach a client.",
    EMAIL="By e-mail.",
    PEPPOL="Over the Peppol network.",
    POST="On paper.",
    MANUAL="Otherwise: somebody sees to it.",
)
describe_enum(InvoiceKind, "An invoice, or one that takes back.", INVOICE="An invoice.", CREDIT_NOTE="A credit note.")
describe_enum(
    InvoiceStatus,
    "How far an invoice is.",
    DRAFT="Not issued yet; counts in no figure.",
    OPEN="Issued, and not wholly paid.",
    PAID="Wholly paid.",
    VOID="Withdrawn; counts in no figure.",
)


@row_type(
    FinancialRow,
    fields=ClientFinancialFields,
    description="What a client's projects and invoices are made with unless they say otherwise.",
)
class ClientFinancialSettings:
    currency: CurrencyCode = strawberry.field(description="Currency; the organization's where the client has none of its own.")
    default_hourly_rate: Money | None = computed_field(read_money("default_hourly_rate"), description="Price of an hour.")
    default_mileage_rate: Money | None = computed_field(read_money("default_mileage_rate"), description="Price of a kilometre.")
    vat_treatment: VatTreatment | None = strawberry.field(description="Why its invoices carry the VAT that they carry.")
    vat_rate: VatRate | None = relation(vat_rates.by_id, key="vat_rate_id", description="Its rate of VAT; null for the organization's.")
    payment_term_days: int | None = strawberry.field(description="Days to pay in; null for the organization's.")
    iban: str | None = strawberry.field(description="Bank account.")
    bic: str | None = strawberry.field(description="Bank.")
    invoice_layout: InvoiceLayout | None = relation(
        layouts.by_id, key="invoice_layout_id", description="Its own layout of invoices; null for the organization's."
    )
    invoice_delivery: InvoiceDelivery = strawberry.field(description="How invoices reach it.")
    buyer_reference: str | None = strawberry.field(description="What its invoices refer to.")
    purchase_order_required: bool = strawberry.field(description="Whether its invoices need the number of an order.")


@row_type(InvoiceRow, description="An invoice or a credit note; amounts are positive in both.")
class Invoice(Node):
    kind: InvoiceKind = strawberry.field(description="Invoice or credit note.")
    number: str | None = strawberry.field(description="Number, given when it was issued.")
    status: InvoiceStatus = strawberry.field(description="How far it is.")
    issued_on: date | None = computed_field(attrgetter("invoice_date"), description="Day of issue.")
    due_on: date | None = computed_field(attrgetter("due_date"), description="Last day to pay.")
    net: Money = computed_field(read_money("net"), description="Excluding VAT.")
    vat: Money = computed_field(read_money("vat"), description="VAT.")
    gross: Money = computed_field(read_money("gross"), description="Including VAT.")
    version: int = strawberry.field(description="Grows by one with each change.")


@strawberry.type(description="Invoices of a client, the newest first.")
class InvoiceConnection(Connection[Invoice]):
    total_count: int | None = relation(invoices.counts, key="selector", description=TOTAL_DESCRIPTION, options=COUNT_OPTIONS)

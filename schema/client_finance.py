"""Financial settings of clients."""

import strawberry

from db.rows import FinancialRow
from db.tables.clients import ClientFinancialFields, InvoiceDelivery, VatTreatment
from domain.invoicing import layouts, vat_rates
from resolvers.enums import describe_enum
from schema.core.fields import relation
from schema.core.money import Money, read_money
from schema.core.row_type import computed_field, row_type
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

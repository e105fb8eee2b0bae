"""GraphQL type of the financial settings of clients."""

from db.rows import FinancialRow
from db.tables.clients import ClientFinancialFields, InvoiceDelivery, VatTreatment
from domain.invoicing import layouts, vat_rates
from resolvers.enums import describe_enum
from schema.core.fields import relation
from schema.core.money import Money, read_money
from schema.core.row_type import attribute, computed_field, row_type
from schema.core.scalars import CurrencyCode
from schema.layouts import InvoiceLayout
from schema.vat_rates import VatRate

describe_enum(
    VatTreatment,
    "Reason for the VAT on a client's invoices.",
    DOMESTIC="VAT of the organization's own country.",
    REVERSE_CHARGE="No VAT: reverse charge to the client.",
    INTRA_COMMUNITY="No VAT: the client is a business elsewhere in the European Union.",
    EXPORT="No VAT: the client is outside the European Union.",
    EXEMPT="No VAT: the goods or services are exempt.",
)
describe_enum(
    InvoiceDelivery,
    "Way in which a client receives invoices.",
    EMAIL="By e-mail.",
    PEPPOL="Through the Peppol network.",
    POST="On paper, by post.",
    MANUAL="In another way, which the organization arranges itself.",
)


@row_type(FinancialRow, fields=ClientFinancialFields, description="Financial settings: the defaults for a client's projects and invoices.")
class ClientFinancialSettings:
    currency: CurrencyCode = attribute("Currency code (ISO 4217), for example `EUR`. Defaults to the organization's `baseCurrency`.")
    default_hourly_rate: Money | None = computed_field(
        read_money("default_hourly_rate"), "Default price of an hour, excluding VAT. Null if none is set."
    )
    default_mileage_rate: Money | None = computed_field(
        read_money("default_mileage_rate"), "Default price of a kilometre, excluding VAT. Null if none is set."
    )
    vat_treatment: VatTreatment | None = attribute("Reason for the VAT on the client's invoices.")
    vat_rate: VatRate | None = relation(
        vat_rates.by_id, "VAT rate. If null, `defaultVatRate` of the organization applies.", key="vat_rate_id"
    )
    payment_term_days: int | None = attribute("Payment term in days. Defaults to the organization's `defaultPaymentTermDays`.")
    iban: str | None = attribute("Bank account number (IBAN).")
    bic: str | None = attribute("Bank identifier code (BIC).")
    invoice_layout: InvoiceLayout | None = relation(
        layouts.by_id, "Invoice layout. If null, the organization's `defaultLayout` applies.", key="invoice_layout_id"
    )
    invoice_delivery: InvoiceDelivery = attribute("Way in which the client receives invoices.")
    buyer_reference: str | None = attribute("Reference of the client for its invoices.")
    purchase_order_required: bool = attribute("Whether the client's invoices need a purchase order number.")

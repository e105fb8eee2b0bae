"""GraphQL type of the organization, with its VAT rates, layouts, members and tokens."""

from db.rows import OrganizationRow
from db.tables import OrganizationFields
from domain.invoicing import layouts, vat_rates
from domain.organization import members, tokens
from resolvers.pagination import paginate
from schema.core.fields import FINANCE_READ_OPTIONS, relation
from schema.core.row_type import Node, attribute, row_type
from schema.core.scalars import CurrencyCode
from schema.layouts import InvoiceLayout, InvoiceLayoutConnection
from schema.members import MemberConnection
from schema.tokens import MANAGE_OPTIONS, ApiTokenConnection
from schema.vat_rates import VatRate, VatRateConnection


@row_type(
    OrganizationRow,
    fields=OrganizationFields,
    description="An organization that uses Relaties. A token gives access to the data of one organization only.",
)
class Organization(Node):
    name: str = attribute("Name.")
    base_currency: CurrencyCode = attribute("Currency of totals (ISO 4217), for example `EUR`. Fixed once an invoice was issued.")
    country: str = attribute("Country code (ISO 3166-1 alpha-2), for example `NL`. Default for telephone numbers and postal codes.")
    locale: str = attribute("Language and region (BCP 47), for example `nl-NL`.")
    timezone: str = attribute("Time zone (IANA), for example `Europe/Amsterdam`.")
    default_payment_term_days: int = attribute("Payment term in days, for clients without a term of their own.")
    fiscal_year_start_month: int = attribute("First month of the fiscal year.")
    client_number_format: str | None = attribute("Format of client numbers. `K-####` gives `K-0001` and so on; null means `####`.")
    invoice_number_format: str | None = attribute("Format of invoice numbers. `F-####` gives `F-0001` and so on; null means `####`.")
    client_required: bool = attribute("Whether registrations need a client.")
    project_required: bool = attribute("Whether registrations need a project.")
    default_vat_rate: VatRate | None = relation(
        vat_rates.by_id,
        "VAT rate for clients without a rate of their own. Null if none is set.",
        key="default_vat_rate_id",
        options=FINANCE_READ_OPTIONS,
    )
    default_layout: InvoiceLayout | None = relation(
        layouts.by_id,
        "Invoice layout for clients without a layout of their own. Null if none is set.",
        key="default_layout_id",
        options=FINANCE_READ_OPTIONS,
    )
    version: int = attribute("Version number, incremented by every change.")
    vat_rates: VatRateConnection | None = relation(
        vat_rates.of_organization, "VAT rates, oldest first.", paginate, options=FINANCE_READ_OPTIONS
    )
    invoice_layouts: InvoiceLayoutConnection | None = relation(
        layouts.of_organization, "Invoice layouts, oldest first.", paginate, options=FINANCE_READ_OPTIONS
    )
    members: MemberConnection | None = relation(members.of_organization, "Members, oldest first, including removed members.", paginate)
    tokens: ApiTokenConnection | None = relation(tokens.of_organization, "API tokens, newest first.", paginate, options=MANAGE_OPTIONS)

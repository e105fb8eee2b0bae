"""The organization, and what belongs to it."""

import strawberry

from db.rows import OrganizationRow
from db.tables import OrganizationFields
from domain.invoicing import layouts, vat_rates
from domain.organization import members, tokens
from resolvers.pagination import paginate
from schema.core.fields import FINANCE_READ_OPTIONS, relation
from schema.core.row_type import Node, row_type
from schema.core.scalars import CurrencyCode
from schema.layouts import InvoiceLayout, InvoiceLayoutConnection
from schema.members import MemberConnection
from schema.tokens import MANAGE_OPTIONS, ApiTokenConnection
from schema.vat_rates import VatRate, VatRateConnection


@row_type(OrganizationRow, fields=OrganizationFields, description="A company that uses Relaties. Nobody sees anything of another.")
class Organization(Node):
    name: str = strawberry.field(description="Name.")
    base_currency: CurrencyCode = strawberry.field(description="Currency in which totals are given; it stays once an invoice was issued.")
    country: str = strawberry.field(description="Country of ISO 3166-1, as `NL`.")
    locale: str = strawberry.field(description="Language and region, as `nl-NL`.")
    timezone: str = strawberry.field(description="Time zone, as `Europe/Amsterdam`.")
    default_payment_term_days: int = strawberry.field(description="Days to pay in, for clients without a term of their own.")
    fiscal_year_start_month: int = strawberry.field(description="Month in which the fiscal year begins, 1 to 12.")
    client_number_format: str | None = strawberry.field(
        description="Form of clients' numbers, as `K-####`: the number takes the place of the #."
    )
    invoice_number_format: str | None = strawberry.field(
        description="Form of invoices' numbers, as `F-####`: the number takes the place of the #."
    )
    client_required: bool = strawberry.field(description="Whether a registration has to name a client.")
    project_required: bool = strawberry.field(description="Whether a registration has to name a project.")
    default_vat_rate: VatRate | None = relation(
        vat_rates.by_id,
        key="default_vat_rate_id",
        description="Rate of VAT of clients without one of their own.",
        options=FINANCE_READ_OPTIONS,
    )
    default_layout: InvoiceLayout | None = relation(
        layouts.by_id,
        key="default_layout_id",
        description="Invoice layout of clients without one of their own.",
        options=FINANCE_READ_OPTIONS,
    )
    version: int = strawberry.field(description="Grows by one with each change.")
    vat_rates: VatRateConnection | None = relation(
        vat_rates.of_organization, paginate, description="Its rates of VAT in the order of their making.", options=FINANCE_READ_OPTIONS
    )
    invoice_layouts: InvoiceLayoutConnection | None = relation(
        layouts.of_organization, paginate, description="Its invoice layouts in the order of their making.", options=FINANCE_READ_OPTIONS
    )
    members: MemberConnection | None = relation(
        members.of_organization, paginate, description="Its members in the order of their making, those who were removed too."
    )
    tokens: ApiTokenConnection | None = relation(
        tokens.of_organization, paginate, description="Its tokens, the newest first.", options=MANAGE_OPTIONS
    )

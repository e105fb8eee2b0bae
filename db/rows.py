"""What the queries return: a class per shape of row, declared once; what is shown and what is ruled read these."""

from datetime import date, datetime
from uuid import UUID

from db.query import Row


class OrganizationRow(Row):
    id: UUID
    name: str
    base_currency: str
    country: str
    locale: str
    timezone: str
    default_payment_term_days: int
    fiscal_year_start_month: int
    client_number_format: str | None
    invoice_number_format: str | None
    client_required: bool
    project_required: bool
    default_vat_rate_id: UUID | None
    default_layout_id: UUID | None
    version: int


class MemberRow(Row):
    id: UUID
    name: str
    email: str
    role: str
    is_active: bool
    version: int


class TokenRow(Row):
    id: UUID
    name: str
    member_id: UUID | None
    member_name: str | None
    role: str | None
    scope: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class ActorRow(Row):
    """Whom a token stands for: the columns of the look-up function."""

    tenant_id: UUID
    token_id: UUID
    member_id: UUID | None
    member_role: str | None
    token_role: str | None
    scope: list[str] | None
    expires_at: datetime | None


class KeyRow(Row):
    id: UUID


class FixedRow(Row):
    """How many of what wears a label stay as they are."""

    clients: int
    registrations: int


class EventRow(Row):
    """What happened to one object; the changes are JSON."""

    id: UUID
    at: datetime
    channel: str
    member_id: UUID | None
    operation: str
    action: str
    object_type: str
    object_id: UUID
    client_id: UUID | None
    contact_id: UUID | None
    changes: str


class NumberRow(Row):
    number_key: str


class NumberedRow(Row):
    """An invoice that has a number."""

    number: str


class CountRow(Row):
    count: int


class CountOfRow(Row):
    """How many of something a row has."""

    id: UUID
    count: int


class ClientRow(Row):
    """A client with its primary address."""

    id: UUID
    name_key: str
    number_key: str | None
    name: str
    trade_name: str | None
    number: str | None
    kind: str
    is_prospect: bool
    phone: str | None
    email: str | None
    website: str | None
    language: str | None
    notes: str | None
    kvk_number: str | None
    kvk_branch_number: str | None
    kbo_number: str | None
    vat_number: str | None
    has_address: bool
    line1: str | None
    line2: str | None
    postal_code: str | None
    city: str | None
    region: str | None
    country: str | None
    attention: str | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class ContactClientRow(ClientRow):
    """A client as one of its contacts knows it."""

    contact_id: UUID
    position: int
    department: str | None
    is_invoice_contact: bool
    is_primary: bool
    roles: list[str]
    recipient: str
    link_is_active: bool


class LabelClientRow(ClientRow):
    label_id: UUID


class AddressRow(Row):
    client_id: UUID
    type: str
    line1: str | None
    line2: str | None
    postal_code: str | None
    city: str | None
    region: str | None
    country: str | None
    attention: str | None


class FinancialRow(Row):
    """The financial settings of a client; its currency is the organization's where it has none of its own."""

    client_id: UUID
    currency: str
    default_hourly_rate: str | None
    default_mileage_rate: str | None
    vat_treatment: str | None
    vat_rate_id: UUID | None
    payment_term_days: int | None
    iban: str | None
    bic: str | None
    invoice_layout_id: UUID | None
    invoice_delivery: str
    buyer_reference: str | None
    purchase_order_required: bool


class VatRateRow(Row):
    id: UUID
    name: str
    country: str
    percentage: str
    category: str
    valid_from: date | None
    valid_until: date | None
    external_code: str | None
    is_active: bool
    version: int


class InvoiceLayoutRow(Row):
    id: UUID
    name: str
    language: str
    template: str
    is_default: bool
    is_active: bool
    version: int


class ProjectRow(Row):
    id: UUID
    client_id: UUID
    name: str
    code: str | None
    starts_on: date | None
    ends_on: date | None
    invoice_method: str
    invoice_reference: str | None
    archived_at: datetime | None
    archive_operation_id: UUID | None
    created_at: datetime
    updated_at: datetime
    version: int


class ProjectFinancialRow(Row):
    """The prices of a project, in the currency of its client, and what an hour costs that client."""

    project_id: UUID
    currency: str
    invoice_method: str
    hourly_rate: str | None
    fixed_price: str | None
    client_hourly_rate: str | None


class RegistrationRow(Row):
    """A registration without its figures; `is_archived` where its client or its project is."""

    id: UUID
    client_id: UUID
    project_id: UUID | None
    member_id: UUID
    kind: str
    registered_on: date
    is_billable: bool
    status: str
    client_status: str
    note: str | None
    minutes: int | None
    started_at: datetime | None
    ended_at: datetime | None
    quantity: str | None
    distance_km: str | None
    departure: str | None
    destination: str | None
    trip_type: str | None
    is_archived: bool
    created_at: datetime
    updated_at: datetime
    version: int


class RegistrationFinancialRow(Row):
    """The figures of a registration, and what tells whether they lack a rate."""

    registration_id: UUID
    kind: str
    is_billable: bool
    invoice_method: str | None
    currency: str
    unit_rate: str
    rate_source: str
    unit_price: str | None
    amount_net: str
    vat_rate_id: UUID | None


class InvoiceRow(Row):
    id: UUID
    client_id: UUID
    kind: str
    number: str | None
    status: str
    invoice_date: date | None
    due_date: date | None
    currency: str
    net: str
    vat: str
    gross: str
    version: int


class ContactRow(Row):
    id: UUID
    name_key: str
    first_name: str | None
    last_name: str | None
    job_title: str | None
    email: str | None
    phone: str | None
    mobile: str | None
    language: str | None
    notes: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime
    version: int


class ClientContactRow(ContactRow):
    """A contact as one client knows it: what the link holds belongs to the edge."""

    client_id: UUID
    position: int
    department: str | None
    is_invoice_contact: bool
    is_primary: bool
    roles: list[str]
    recipient: str
    link_is_active: bool


class LabelRow(Row):
    id: UUID
    name_key: str
    name: str
    color: str
    is_active: bool
    version: int


class ClientLabelRow(LabelRow):
    client_id: UUID


class RegistrationLabelRow(LabelRow):
    registration_id: UUID


class RevenueRow(Row):
    """Sums in one currency, or `is_total` of all, in the organization's."""

    is_total: bool
    currency: str
    invoiced: str
    paid: str
    outstanding: str


class ClientRevenueRow(RevenueRow):
    client_id: UUID


class ConsequencesRow(Row):
    """How much of everything hangs on a client."""

    id: UUID
    archived_at: datetime | None
    projects: int
    active_projects: int
    registrations: int
    time_registrations: int
    expense_registrations: int
    mileage_registrations: int
    unbilled_registrations: int
    invoices: int
    draft_invoices: int
    payments: int
    quotes: int
    draft_quotes: int
    portals: int
    open_portals: int

    @property
    def issued_invoices(self) -> int:
        """Those that were, and those made void since."""
        return self.invoices - self.draft_invoices


class ClientAmountsRow(Row):
    """Of one client in one currency: invoiced is net, outstanding gross, unbilled net."""

    client_id: UUID
    currency: str
    invoiced: str
    outstanding: str
    unbilled: str


class OrphanRow(Row):
    """A contact whom only this client has."""

    client_id: UUID
    contact_id: UUID


class PaymentRow(Row):
    payment_id: UUID

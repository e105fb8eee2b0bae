"""Rows of clients, of clients of a contact or a label, and of addresses."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row


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
    """A client of a contact, with the fields of the link."""

    contact_id: UUID
    position: int
    department: str | None
    is_invoice_contact: bool
    is_primary: bool
    roles: list[str]
    recipient: str
    link_is_active: bool
    link_version: int


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
    """The financial settings of a client. Without a currency of its own, its currency is the organization's base currency."""

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


class DuplicateRow(Row):
    """A client or a label whose number or name has the same folded form as an older one's."""

    organization: str
    kind: str
    id: UUID
    text: str

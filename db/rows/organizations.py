"""Rows of organizations, members and tokens, and of single values such as counts."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row


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
    created_by: UUID | None
    expires_at: datetime | None
    revoked_at: datetime | None


class ActorRow(Row):
    """The actor of a token: the columns of the database function `token_actor`."""

    tenant_id: UUID
    token_id: UUID
    member_id: UUID | None
    member_role: str | None
    token_role: str | None
    scope: list[str] | None
    expires_at: datetime | None


class IdRow(Row):
    id: UUID


class NumberKeyRow(Row):
    number_key: str


class InvoiceNumberRow(Row):
    """The number of an invoice that has one."""

    number: str


class CountRow(Row):
    count: int


class CountByIdRow(Row):
    """A count for the row with this id."""

    id: UUID
    count: int

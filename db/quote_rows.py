"""What the queries of quotes and portals return, as in `db.rows`."""

from datetime import date, datetime
from uuid import UUID

from db.query import Row
from db.rows import ContactRow, ProjectRow


class QuoteRow(Row):
    id: UUID
    client_id: UUID
    number: str | None
    status: str
    quote_date: date | None
    valid_until: date | None
    currency: str
    net: str
    vat: str
    gross: str
    reference: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class QuoteLineRow(Row):
    """A line, in the currency of its quote."""

    id: UUID
    quote_id: UUID
    currency: str
    position: int
    description: str
    quantity: str
    unit_price: str
    vat_percentage: str
    net: str
    vat: str
    project_id: UUID | None


class PortalRow(Row):
    id: UUID
    client_id: UUID
    name: str
    language: str
    shows_descriptions: bool
    shows_rates: bool
    shows_budget: bool
    shows_invoices: bool
    shows_quotes: bool
    takes_approval: bool
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class PortalProjectRow(ProjectRow):
    """A project that a portal shows."""

    portal_id: UUID


class PortalContactRow(ContactRow):
    """A contact who has access to a portal."""

    portal_id: UUID

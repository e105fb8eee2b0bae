"""Rows of quotes and their lines."""

from datetime import date, datetime
from uuid import UUID

from db.engine.statement import Row


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
    """A quote line, with the currency of its quote."""

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

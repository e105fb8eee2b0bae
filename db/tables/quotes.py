"""Quotes and their lines."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field as ColumnField

from db.tables.base import ENUM_TEXT, Entity, Versioned, check, enum_check, foreign_key
from db.tables.invoices import DocumentAmounts, DocumentLine, VatCategory


class QuoteStatus(StrEnum):
    DRAFT = "DRAFT"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class Quote(DocumentAmounts, Versioned, Entity, table=True):
    """A quote to a client. Once sent, its number, date and exchange rate are fixed."""

    __tablename__ = "quote"
    __table_args__ = (
        foreign_key("client", "client_id"),
        enum_check("status", QuoteStatus),
        check("numbered", "status = 'DRAFT' OR (number IS NOT NULL AND quote_date IS NOT NULL)"),
        check("days", "valid_until >= quote_date"),
        check("amounts", "net >= 0 AND vat >= 0 AND gross = net + vat"),
        check("exchange_rate", "exchange_rate > 0"),
        UniqueConstraint("tenant_id", "number"),
        Index("quote_of_client", "tenant_id", "client_id", "id"),
    )
    client_id: UUID
    number: str | None = ColumnField(default=None, max_length=50)
    status: Annotated[QuoteStatus, ENUM_TEXT] = QuoteStatus.DRAFT
    quote_date: date | None = None
    valid_until: date | None = None
    reference: str | None = ColumnField(default=None, max_length=100)


class QuoteLine(DocumentLine, Entity, table=True):
    __tablename__ = "quote_line"
    __table_args__ = (
        foreign_key("quote", "quote_id"),
        foreign_key("vat_rate", "vat_rate_id"),
        foreign_key("project", "project_id"),
        enum_check("vat_category", VatCategory),
        UniqueConstraint("tenant_id", "quote_id", "position"),
        Index("quote_line_by_project", "tenant_id", "project_id"),
    )
    quote_id: UUID

"""Clients and their addresses."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field as ColumnField

from db.tables.base import (
    BYTE_ORDER_TEXT,
    COUNTRY,
    CURRENCY,
    ENUM_TEXT,
    LANGUAGE,
    Entity,
    Fields,
    Table,
    Versioned,
    check,
    enum_check,
    foreign_key,
    organization_foreign_key,
)

LAST_NUMBER_KEY = "\U0010ffff"  # sorts after every number, so that clients without a number come last


class ClientKind(StrEnum):
    COMPANY = "COMPANY"
    PERSON = "PERSON"
    GOVERNMENT = "GOVERNMENT"


class VatTreatment(StrEnum):
    """The VAT treatment of a client's invoices."""

    DOMESTIC = "DOMESTIC"
    REVERSE_CHARGE = "REVERSE_CHARGE"
    INTRA_COMMUNITY = "INTRA_COMMUNITY"
    EXPORT = "EXPORT"
    EXEMPT = "EXEMPT"


class InvoiceDelivery(StrEnum):
    EMAIL = "EMAIL"
    PEPPOL = "PEPPOL"
    POST = "POST"
    MANUAL = "MANUAL"


class AddressType(StrEnum):
    PRIMARY = "PRIMARY"
    INVOICE = "INVOICE"
    DELIVERY = "DELIVERY"
    VISITING = "VISITING"


class ClientFields(Fields):
    """The fields of a client. The columns, the inputs and their limits are derived from them."""

    name: str = Field(min_length=1, max_length=200)
    trade_name: str | None = Field(default=None, max_length=200)
    number: str | None = Field(default=None, min_length=1, max_length=50)
    kind: Annotated[ClientKind, ENUM_TEXT] = ClientKind.COMPANY
    is_prospect: bool = False
    phone: str | None = Field(default=None, max_length=50)
    email: str | None = Field(default=None, max_length=254)
    website: str | None = Field(default=None, max_length=200)
    language: str | None = Field(default=None, pattern=LANGUAGE, max_length=2)
    notes: str | None = Field(default=None, max_length=10_000)
    kvk_number: str | None = Field(default=None, max_length=8)
    kvk_branch_number: str | None = Field(default=None, max_length=12)
    kbo_number: str | None = Field(default=None, max_length=10)
    vat_number: str | None = Field(default=None, max_length=20)


class ClientFinancialFields(Fields):
    """The financial settings of a client: defaults for its projects and invoices."""

    currency: str | None = Field(default=None, pattern=CURRENCY, max_length=3)
    default_hourly_rate: Decimal | None = Field(default=None, max_digits=19, decimal_places=4, ge=0)
    default_mileage_rate: Decimal | None = Field(default=None, max_digits=19, decimal_places=4, ge=0)
    vat_treatment: Annotated[VatTreatment | None, ENUM_TEXT] = None
    payment_term_days: int | None = Field(default=None, ge=0, le=365)
    iban: str | None = Field(default=None, max_length=34)
    bic: str | None = Field(default=None, max_length=11)
    invoice_delivery: Annotated[InvoiceDelivery, ENUM_TEXT] = InvoiceDelivery.EMAIL
    buyer_reference: str | None = Field(default=None, max_length=100)
    purchase_order_required: bool = False


class Client(ClientFields, ClientFinancialFields, Versioned, Entity, table=True):
    __tablename__ = "client"
    __table_args__ = (
        organization_foreign_key(),
        foreign_key("vat_rate", "vat_rate_id"),
        foreign_key("invoice_layout", "invoice_layout_id"),
        foreign_key("member", "archived_by"),
        enum_check("kind", ClientKind),
        enum_check("vat_treatment", VatTreatment),
        enum_check("invoice_delivery", InvoiceDelivery),
        check("rates", "default_hourly_rate >= 0 AND default_mileage_rate >= 0"),
        check("payment_term", "payment_term_days BETWEEN 0 AND 365"),
        check("number", "number IS NOT NULL OR number_key IS NULL"),
        UniqueConstraint("tenant_id", "number_key"),
        Index("client_by_name", "tenant_id", "name_key", "id", postgresql_include=["number_key", "archived_at"]),
        Index("client_active_by_name", "tenant_id", "name_key", "id", postgresql_where=text("archived_at IS NULL")),
        Index("client_by_number", "tenant_id", text(f"coalesce(number_key, '{LAST_NUMBER_KEY}')"), "id"),
        Index("client_by_creation", "tenant_id", "created_at", "id"),
        Index("client_by_update", "tenant_id", "updated_at", "id"),
        Index("client_by_kvk_number", "tenant_id", "kvk_number", postgresql_where=text("kvk_number IS NOT NULL")),
        Index("client_by_layout", "tenant_id", "invoice_layout_id", postgresql_where=text("invoice_layout_id IS NOT NULL")),
        Index("client_by_vat_number", "tenant_id", "vat_number", postgresql_where=text("vat_number IS NOT NULL")),
    )
    name_key: str = ColumnField(sa_type=BYTE_ORDER_TEXT)
    number_key: str | None = ColumnField(default=None, sa_type=BYTE_ORDER_TEXT)
    vat_rate_id: UUID | None = None
    invoice_layout_id: UUID | None = None
    archived_at: datetime | None = None
    archived_by: UUID | None = None
    archive_operation_id: UUID | None = None


class AddressFields(Fields):
    """The fields of an address."""

    line1: str | None = Field(default=None, max_length=200)
    line2: str | None = Field(default=None, max_length=200)
    postal_code: str | None = Field(default=None, max_length=20)
    city: str | None = Field(default=None, max_length=100)
    region: str | None = Field(default=None, max_length=100)
    country: str | None = Field(default=None, pattern=COUNTRY, max_length=2)
    attention: str | None = Field(default=None, max_length=200)


class ClientAddress(AddressFields, Table, table=True):
    """An address of a client, at most one of each type. Without an invoice address, the primary address is used."""

    __tablename__ = "client_address"
    __table_args__ = (
        foreign_key("client", "client_id"),
        enum_check("type", AddressType),
        Index("client_address_by_country", "tenant_id", "country", "client_id", postgresql_where=text("type = 'PRIMARY'")),
    )
    client_id: UUID = ColumnField(primary_key=True)
    type: AddressType = ColumnField(primary_key=True, sa_type=Text)

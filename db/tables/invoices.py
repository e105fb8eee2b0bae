"""VAT rates, invoice layouts, invoices with their lines, and payments."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Boolean, Column, Computed, Index, UniqueConstraint, text
from sqlmodel import Field as ColumnField
from sqlmodel import SQLModel

from db.tables.base import (
    COUNTRY,
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


class VatCategory(StrEnum):
    """The VAT categories of EN 16931."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUTSIDE_SCOPE = "O"


class InvoiceKind(StrEnum):
    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


class InvoiceStatus(StrEnum):
    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAID = "PAID"
    VOID = "VOID"


class PaymentMethod(StrEnum):
    BANK_TRANSFER = "BANK_TRANSFER"
    DIRECT_DEBIT = "DIRECT_DEBIT"
    CARD = "CARD"
    CASH = "CASH"
    SETTLEMENT = "SETTLEMENT"


class VatRateFields(Fields):
    """The fields of a VAT rate."""

    name: str = Field(min_length=1, max_length=100)
    country: str = Field(pattern=COUNTRY, max_length=2)
    percentage: Decimal = Field(max_digits=5, decimal_places=2, ge=0, le=100)
    category: Annotated[VatCategory, ENUM_TEXT] = VatCategory.STANDARD
    valid_from: date | None = None
    valid_until: date | None = None
    is_active: bool = True
    external_code: str | None = Field(default=None, max_length=50)


class VatRate(VatRateFields, Versioned, Entity, table=True):
    __tablename__ = "vat_rate"
    __table_args__ = (
        organization_foreign_key(),
        enum_check("category", VatCategory),
        check("percentage", "percentage BETWEEN 0 AND 100 AND (category = 'S' OR percentage = 0)"),
        check("days", "valid_until >= valid_from"),
    )


class InvoiceLayoutFields(Fields):
    """The fields of an invoice layout."""

    name: str = Field(min_length=1, max_length=100)
    language: str = Field(default="nl", pattern=LANGUAGE, max_length=2)
    template: str = Field(default="standard", max_length=100)
    is_default: bool = False
    is_active: bool = True


class InvoiceLayout(InvoiceLayoutFields, Versioned, Entity, table=True):
    __tablename__ = "invoice_layout"
    __table_args__ = (
        organization_foreign_key(),
        Index("invoice_layout_default_unique", "tenant_id", unique=True, postgresql_where=text("is_default")),
    )


class DocumentAmounts(SQLModel):
    """The currency, the exchange rate and the amounts that invoices and quotes have."""

    currency: str = ColumnField(max_length=3)
    exchange_rate: Decimal = ColumnField(default=Decimal(1), max_digits=19, decimal_places=8)
    net: Decimal = ColumnField(default=Decimal(0), max_digits=19, decimal_places=2)
    vat: Decimal = ColumnField(default=Decimal(0), max_digits=19, decimal_places=2)
    gross: Decimal = ColumnField(default=Decimal(0), max_digits=19, decimal_places=2)


class DocumentLine(SQLModel):
    """The fields that the lines of invoices and quotes have. The VAT percentage and category are fixed when a line is created."""

    position: int
    description: str = ColumnField(max_length=1000)
    quantity: Decimal = ColumnField(max_digits=19, decimal_places=4)
    unit_price: Decimal = ColumnField(max_digits=19, decimal_places=4)
    vat_rate_id: UUID | None = None
    vat_percentage: Decimal = ColumnField(max_digits=5, decimal_places=2)
    vat_category: Annotated[VatCategory, ENUM_TEXT] = VatCategory.STANDARD
    net: Decimal = ColumnField(max_digits=19, decimal_places=2)
    vat: Decimal = ColumnField(max_digits=19, decimal_places=2)
    project_id: UUID | None = None


class Invoice(DocumentAmounts, Versioned, Entity, table=True):
    """An invoice or a credit note. The amounts of both are positive. Once issued, its client data and its exchange rate are fixed."""

    __tablename__ = "invoice"
    __table_args__ = (
        foreign_key("client", "client_id"),
        foreign_key("invoice", "credits_invoice_id"),
        foreign_key("invoice_layout", "layout_id"),
        enum_check("kind", InvoiceKind),
        enum_check("status", InvoiceStatus),
        check("numbered", "status = 'DRAFT' OR (number IS NOT NULL AND invoice_date IS NOT NULL AND client_name IS NOT NULL)"),
        check("credits", "credits_invoice_id IS NULL OR kind = 'CREDIT_NOTE'"),
        check("amounts", "net >= 0 AND vat >= 0 AND gross = net + vat AND gross_base = net_base + vat_base"),
        check("exchange_rate", "exchange_rate > 0"),
        UniqueConstraint("tenant_id", "number"),
        Index("invoice_of_client", "tenant_id", "client_id", "id"),
        Index("invoice_by_layout", "tenant_id", "layout_id", postgresql_where=text("layout_id IS NOT NULL")),
        Index("invoice_by_credited", "tenant_id", "credits_invoice_id", postgresql_where=text("credits_invoice_id IS NOT NULL")),
        UniqueConstraint("tenant_id", "id", "client_id", "currency", "is_issued", name="invoice_payable_unique"),
        Index(
            "invoice_by_client",
            "tenant_id",
            "client_id",
            "invoice_date",
            postgresql_include=["is_issued", "kind", "currency", "net", "net_base", "gross", "gross_base"],
        ),
        Index(
            "invoice_by_day",
            "tenant_id",
            "invoice_date",
            postgresql_include=["client_id", "is_issued", "kind", "currency", "net", "net_base", "gross", "gross_base"],
        ),
    )
    client_id: UUID
    kind: Annotated[InvoiceKind, ENUM_TEXT] = InvoiceKind.INVOICE
    credits_invoice_id: UUID | None = None
    number: str | None = ColumnField(default=None, max_length=50)
    status: Annotated[InvoiceStatus, ENUM_TEXT] = InvoiceStatus.DRAFT
    is_issued: bool | None = ColumnField(
        default=None, sa_column=Column(Boolean, Computed("status IN ('OPEN', 'PAID')", persisted=True), nullable=False)
    )
    invoice_date: date | None = None
    due_date: date | None = None
    net_base: Decimal = ColumnField(default=Decimal(0), max_digits=19, decimal_places=2)
    vat_base: Decimal = ColumnField(default=Decimal(0), max_digits=19, decimal_places=2)
    gross_base: Decimal = ColumnField(default=Decimal(0), max_digits=19, decimal_places=2)
    layout_id: UUID | None = None
    language: str | None = ColumnField(default=None, max_length=2)
    reference: str | None = ColumnField(default=None, max_length=100)
    client_name: str | None = ColumnField(default=None, max_length=200)
    client_address: str | None = ColumnField(default=None, max_length=1000)
    client_vat_number: str | None = ColumnField(default=None, max_length=20)
    contact_name: str | None = ColumnField(default=None, max_length=201)


class InvoiceLine(DocumentLine, Entity, table=True):
    __tablename__ = "invoice_line"
    __table_args__ = (
        foreign_key("invoice", "invoice_id"),
        foreign_key("vat_rate", "vat_rate_id"),
        foreign_key("project", "project_id"),
        enum_check("vat_category", VatCategory),
        check("discount", "discount_percentage BETWEEN 0 AND 100"),
        UniqueConstraint("tenant_id", "invoice_id", "position"),
        Index("invoice_line_by_project", "tenant_id", "project_id"),
    )
    invoice_id: UUID
    discount_percentage: Decimal = ColumnField(default=Decimal(0), max_digits=5, decimal_places=2)


class Payment(Versioned, Entity, table=True):
    """A payment received, or a refund, whose amount is negative."""

    __tablename__ = "payment"
    __table_args__ = (
        organization_foreign_key(),
        enum_check("method", PaymentMethod),
        check("exchange_rate", "exchange_rate > 0"),
        UniqueConstraint("tenant_id", "id", "paid_on", "currency"),
    )
    paid_on: date
    amount: Decimal = ColumnField(max_digits=19, decimal_places=2)
    currency: str = ColumnField(max_length=3)
    exchange_rate: Decimal = ColumnField(default=Decimal(1), max_digits=19, decimal_places=8)
    method: Annotated[PaymentMethod, ENUM_TEXT] = PaymentMethod.BANK_TRANSFER
    reference: str | None = ColumnField(default=None, max_length=140)


class PaymentAllocation(Table, table=True):
    """The part of a payment that belongs to one document, in the document's currency. Negative on a credit note.

    `amount_base` uses the fixed exchange rate of the document and is rounded cumulatively, so that the parts of a fully paid document add
    up to exactly its `gross_base`. Client, currency and date are copies, so that sums per client need no join; the foreign keys keep them
    equal to those of the document and the payment. `is_issued`, which is also part of the foreign key and must be true, rejects payments
    on a document that is not issued, and prevents a document with payments from becoming void.
    """

    __tablename__ = "payment_allocation"
    __table_args__ = (
        foreign_key(
            "payment", "payment_id", "paid_on", "currency", referenced_columns=("id", "paid_on", "currency"), on_update_cascade=True
        ),
        foreign_key(
            "invoice", "invoice_id", "client_id", "currency", "is_issued", referenced_columns=("id", "client_id", "currency", "is_issued")
        ),
        check("issued", "is_issued"),
        Index(
            "payment_allocation_by_client",
            "tenant_id",
            "client_id",
            "paid_on",
            postgresql_include=["currency", "amount", "amount_base"],
        ),
        Index("payment_allocation_by_invoice", "tenant_id", "invoice_id"),
        Index("payment_allocation_by_day", "tenant_id", "paid_on", postgresql_include=["currency", "amount", "amount_base"]),
    )
    payment_id: UUID = ColumnField(primary_key=True)
    invoice_id: UUID = ColumnField(primary_key=True)
    client_id: UUID
    currency: str = ColumnField(max_length=3)
    paid_on: date
    is_issued: bool = True
    amount: Decimal = ColumnField(max_digits=19, decimal_places=2)
    amount_base: Decimal = ColumnField(max_digits=19, decimal_places=2)

"""Rows of VAT rates, invoice layouts, invoices and revenue."""

from datetime import date
from uuid import UUID

from db.engine.statement import Row


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


class RevenueRow(Row):
    """The revenue in one currency. If `is_total`, the revenue in all currencies, converted to the base currency."""

    is_total: bool
    currency: str
    invoiced: str
    paid: str
    outstanding: str


class ClientRevenueRow(RevenueRow):
    client_id: UUID

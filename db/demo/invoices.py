"""The rows of invoices and their lines, with what an issued one keeps of its client."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import Client
from db.demo.dice import WORKDAYS
from db.demo.documents import Document, Line
from db.demo.money import decimal, quantity, rate
from db.demo.organization import TENANT
from db.demo.plan import Role
from db.tables.invoices import InvoiceKind


class InvoiceRow(NamedTuple):
    id: UUID
    client_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
    kind: str
    credits_invoice_id: UUID | None
    number: str | None
    status: str
    invoice_date: date | None
    due_date: date | None
    currency: str
    exchange_rate: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    net_base: Decimal
    vat_base: Decimal
    gross_base: Decimal
    layout_id: UUID
    language: str
    reference: str | None
    client_name: str | None
    client_address: str | None
    client_vat_number: str | None
    contact_name: str | None
    tenant_id: UUID = TENANT


class LineRow(NamedTuple):
    id: UUID
    invoice_id: UUID
    position: int
    description: str
    quantity: Decimal
    unit_price: Decimal
    discount_percentage: Decimal
    vat_rate_id: UUID
    vat_percentage: Decimal
    vat_category: str
    net: Decimal
    vat: Decimal
    project_id: UUID | None
    tenant_id: UUID = TENANT


class Snapshot(NamedTuple):
    """What an issued document says of its client, whatever becomes of the client; a concept says nothing yet."""

    name: str | None = None
    address: str | None = None
    vat_number: str | None = None
    contact: str | None = None


def snapshot(client: Client, contact: str | None) -> Snapshot:
    return Snapshot(client.row.name, client.addresses[-1].text, client.row.vat_number, contact)


def row(client: Client, document: Document, issued: Snapshot) -> InvoiceRow:
    slot = document.slot
    is_concept, is_credit = slot.role is Role.CONCEPT, slot.role is Role.CREDIT_NOTE
    day = None if is_concept else WORKDAYS[slot.day]
    shown = Snapshot() if is_concept else issued
    return InvoiceRow(
        id=document.id,
        client_id=client.row.id,
        created_at=document.created_at,
        updated_at=document.updated_at,
        version=1 + document.payments,
        kind=InvoiceKind.CREDIT_NOTE if is_credit else InvoiceKind.INVOICE,
        credits_invoice_id=document.credits.id if document.credits else None,
        number=slot.number,
        status=document.status,
        invoice_date=day,
        due_date=day and day + timedelta(client.term_days),
        currency=document.currency,
        exchange_rate=rate(document.rate),
        net=decimal(document.net),
        vat=decimal(document.vat),
        gross=decimal(document.gross),
        net_base=decimal(document.net_base),
        vat_base=decimal(document.vat_base),
        gross_base=decimal(document.gross_base),
        layout_id=client.layout_id,
        language=client.nation.language,
        reference=client.row.buyer_reference,
        client_name=shown.name,
        client_address=shown.address,
        client_vat_number=shown.vat_number,
        contact_name=shown.contact,
    )


def line_row(document: Document, line: Line, position: int) -> LineRow:
    return LineRow(
        id=line.id,
        invoice_id=document.id,
        position=position,
        description=line.description,
        quantity=quantity(line.quantity),
        unit_price=decimal(line.price),
        discount_percentage=decimal(line.discount * 100),
        vat_rate_id=line.vat.id,
        vat_percentage=line.vat.percentage,
        vat_category=line.vat.category,
        net=decimal(line.net),
        vat=decimal(line.vat_amount),
        project_id=line.project_id,
    )

"""Convert documents to the rows of invoices and their lines, with the client data that an issued invoice stores."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import DemoClient
from db.demo.documents import Document, Line
from db.demo.money import cents_to_decimal, quantity_to_decimal, rate_to_decimal
from db.demo.organization import TENANT
from db.demo.plan import DocumentKind
from db.demo.rng import WORKDAYS
from db.tables.invoices import InvoiceKind


class InvoiceRecord(NamedTuple):
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


class InvoiceLineRecord(NamedTuple):
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
    """The client data that an issued document stores, so that later changes of the client do not affect it. A draft has none."""

    name: str | None = None
    address: str | None = None
    vat_number: str | None = None
    contact: str | None = None


def take_snapshot(client: DemoClient, contact: str | None) -> Snapshot:
    return Snapshot(client.row.name, client.addresses[-1].text, client.row.vat_number, contact)


def invoice_record(client: DemoClient, document: Document, snapshot: Snapshot) -> InvoiceRecord:
    slot = document.slot
    is_draft, is_credit = slot.kind is DocumentKind.DRAFT, slot.kind is DocumentKind.CREDIT_NOTE
    day = None if is_draft else WORKDAYS[slot.day]
    client_data = Snapshot() if is_draft else snapshot
    return InvoiceRecord(
        id=document.id,
        client_id=client.row.id,
        created_at=document.created_at,
        updated_at=document.updated_at,
        version=1 + document.payment_count,
        kind=InvoiceKind.CREDIT_NOTE if is_credit else InvoiceKind.INVOICE,
        credits_invoice_id=document.credited_document.id if document.credited_document else None,
        number=slot.number,
        status=document.status,
        invoice_date=day,
        due_date=day and day + timedelta(client.term_days),
        currency=document.currency,
        exchange_rate=rate_to_decimal(document.rate),
        net=cents_to_decimal(document.net),
        vat=cents_to_decimal(document.vat),
        gross=cents_to_decimal(document.gross),
        net_base=cents_to_decimal(document.net_base),
        vat_base=cents_to_decimal(document.vat_base),
        gross_base=cents_to_decimal(document.gross_base),
        layout_id=client.layout_id,
        language=client.locale.language,
        reference=client.row.buyer_reference,
        client_name=client_data.name,
        client_address=client_data.address,
        client_vat_number=client_data.vat_number,
        contact_name=client_data.contact,
    )


def invoice_line_record(document: Document, line: Line, position: int) -> InvoiceLineRecord:
    return InvoiceLineRecord(
        id=line.id,
        invoice_id=document.id,
        position=position,
        description=line.description,
        quantity=quantity_to_decimal(line.quantity),
        unit_price=cents_to_decimal(line.price),
        discount_percentage=cents_to_decimal(line.discount * 100),
        vat_rate_id=line.vat.id,
        vat_percentage=line.vat.percentage,
        vat_category=line.vat.category,
        net=cents_to_decimal(line.net),
        vat=cents_to_decimal(line.vat_amount),
        project_id=line.project_id,
    )

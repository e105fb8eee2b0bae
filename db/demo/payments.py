"""Payments of a client's invoices, and refunds of its credit notes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import DemoClient
from db.demo.documents import Document
from db.demo.money import cents_to_decimal, exchange_rate, rate_to_decimal, to_base
from db.demo.numbers import structured_message
from db.demo.organization import TENANT
from db.demo.plan import DocumentKind
from db.demo.rng import TODAY, WORKDAYS, Rng
from db.tables.invoices import InvoiceStatus, PaymentMethod

METHODS = (PaymentMethod.BANK_TRANSFER,) * 17 + (PaymentMethod.DIRECT_DEBIT, PaymentMethod.DIRECT_DEBIT, PaymentMethod.CARD)
PAYMENT_COUNTS = (1,) * 17 + (2, 2, 3)
DAYS_LATE = (0, 0, 0, 2, 5, 9, 15, 30, 60)  # working days after about two thirds of the payment term
NEVER_PAID_PER_CENT = 1.5
PARTIAL_PAYMENT_PER_CENT, JOINT_PAYMENT_PER_CENT, REFUND_PER_CENT = 10, 8, 60


@dataclass(slots=True)
class Transfer:
    """A payment on one day, and the part of it for each document in cents, negative for a credit note."""

    day: int
    currency: str
    parts: list[tuple[Document, int]]

    @property
    def amount(self) -> int:
        return sum(cents for _, cents in self.parts)


class PaymentRecord(NamedTuple):
    id: UUID
    created_at: datetime
    updated_at: datetime
    paid_on: date
    amount: Decimal
    currency: str
    exchange_rate: Decimal
    method: str
    reference: str | None
    version: int = 1
    tenant_id: UUID = TENANT


class AllocationRecord(NamedTuple):
    payment_id: UUID
    invoice_id: UUID
    client_id: UUID
    currency: str
    paid_on: date
    amount: Decimal
    amount_base: Decimal
    is_issued: bool = True
    tenant_id: UUID = TENANT


def draw_payments(rng: Rng, client: DemoClient, documents: list[Document]) -> tuple[list[PaymentRecord], list[AllocationRecord]]:
    """Draw the payments and their allocations, and set the status of the documents that they pay."""
    transfers = _transfers(rng, client, documents)
    payments = sorted(
        ((transfer, *rng.id_and_time(transfer.day)) for transfer in transfers),
        key=lambda payment_tuple: (payment_tuple[0].day, payment_tuple[1].int),
    )
    rows = [_row(rng, client, *payment) for payment in payments]
    return rows, [allocation for payment in payments for allocation in _allocations(client, *payment)]


def _transfers(rng: Rng, client: DemoClient, documents: list[Document]) -> list[Transfer]:
    transfers: list[Transfer] = []
    for document in documents:
        if document.slot.kind is DocumentKind.INVOICE and not document.is_settled:
            transfers += _incoming_transfers(rng, client, document, transfers)
        elif document.slot.kind is DocumentKind.CREDIT_NOTE:
            transfers += _outgoing_transfers(rng, document)
    return transfers


def _incoming_transfers(rng: Rng, client: DemoClient, invoice: Document, transfers: list[Transfer]) -> list[Transfer]:
    last_day = invoice.slot.day + 2 + client.term_days // 2 + rng.pick(DAYS_LATE)
    if last_day > TODAY or rng.chance(NEVER_PAID_PER_CENT):
        return _part_payment(rng, invoice)
    invoice.status = InvoiceStatus.PAID
    count = rng.pick(PAYMENT_COUNTS)
    if count == 1 and transfers and _is_joint_payment(rng, transfers[-1], invoice):
        transfers[-1].parts.append((invoice, invoice.gross))
        transfers[-1].day = max(transfers[-1].day, last_day)
        return []
    days = sorted(rng.integer_between(invoice.slot.day + 1, last_day) for _ in range(count - 1))
    parts = [invoice.gross * rng.integer_between(20, 40) // 100 for _ in days]
    return [
        Transfer(day, invoice.currency, [(invoice, cents)])
        for day, cents in zip([*days, last_day], [*parts, invoice.gross - sum(parts)], strict=True)
    ]


def _is_joint_payment(rng: Rng, previous: Transfer, invoice: Document) -> bool:
    """Draw whether the client pays this invoice together with the previous one."""
    (other, cents), *other_parts = previous.parts
    is_whole = not other_parts and cents == other.gross
    return is_whole and previous.currency == invoice.currency and rng.chance(JOINT_PAYMENT_PER_CENT)


def _part_payment(rng: Rng, invoice: Document) -> list[Transfer]:
    if invoice.slot.day >= TODAY or not rng.chance(PARTIAL_PAYMENT_PER_CENT):
        return []
    day = rng.integer_between(invoice.slot.day + 1, min(invoice.slot.day + 40, TODAY))
    return [Transfer(day, invoice.currency, [(invoice, invoice.gross * rng.integer_between(20, 70) // 100)])]


def _outgoing_transfers(rng: Rng, note: Document) -> list[Transfer]:
    """Settle a credit note of a whole invoice without money. Refund some of the others, if their invoice is paid."""
    invoice = note.credited_document
    if invoice is None:
        return []
    if note.is_settled:
        note.status = invoice.status = InvoiceStatus.PAID
        return [Transfer(note.slot.day, note.currency, [(invoice, invoice.gross), (note, -note.gross)])]
    day = note.slot.day + rng.integer_between(2, 15)
    if day > TODAY or invoice.status is not InvoiceStatus.PAID or not rng.chance(REFUND_PER_CENT):
        return []
    note.status = InvoiceStatus.PAID
    return [Transfer(day, note.currency, [(note, -note.gross)])]


def _row(rng: Rng, client: DemoClient, transfer: Transfer, id_: UUID, created_at: datetime) -> PaymentRecord:
    number = transfer.parts[0][0].slot.number or ""
    method = PaymentMethod.BANK_TRANSFER if transfer.amount < 0 else rng.pick(METHODS)
    return PaymentRecord(
        id=id_,
        created_at=created_at,
        updated_at=created_at,
        paid_on=WORKDAYS[transfer.day],
        amount=cents_to_decimal(transfer.amount),
        currency=transfer.currency,
        exchange_rate=rate_to_decimal(exchange_rate(transfer.currency, transfer.day)),
        method=method if transfer.amount else PaymentMethod.SETTLEMENT,
        reference=structured_message(int(number.replace("-", ""))) if client.locale.country == "BE" else number,
    )


def _allocations(client: DemoClient, transfer: Transfer, id_: UUID, created_at: datetime) -> Iterator[AllocationRecord]:
    """Build the allocations of a payment. Call it in order of payment, because the base amounts are differences of running totals."""
    for document, cents in transfer.parts:
        yield AllocationRecord(
            payment_id=id_,
            invoice_id=document.id,
            client_id=client.row.id,
            currency=transfer.currency,
            paid_on=WORKDAYS[transfer.day],
            amount=cents_to_decimal(cents),
            amount_base=cents_to_decimal(document.sign * _allocate_base(document, abs(cents))),
        )
        document.payment_count += 1
        document.updated_at = created_at


def _allocate_base(document: Document, cents: int) -> int:
    """Add a payment to the document and return its base amount. The last payment gets exactly the rest of the document's base amount."""
    document.amount_paid += cents
    previous_base, is_complete = document.amount_paid_base, document.amount_paid == document.gross
    document.amount_paid_base = document.gross_base if is_complete else to_base(document.amount_paid, document.rate)
    return document.amount_paid_base - previous_base

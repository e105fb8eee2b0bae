"""The money that came in on a client's documents, and went back on its credit notes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import Client
from db.demo.dice import TODAY, WORKDAYS, Dice
from db.demo.documents import Document
from db.demo.money import decimal, exchange_rate, in_base, rate
from db.demo.numbers import structured_message
from db.demo.organization import TENANT
from db.demo.plan import Role
from db.tables.invoices import InvoiceStatus, PaymentMethod

METHODS = (PaymentMethod.BANK_TRANSFER,) * 17 + (PaymentMethod.DIRECT_DEBIT, PaymentMethod.DIRECT_DEBIT, PaymentMethod.CARD)
PARTS = (1,) * 17 + (2, 2, 3)
LATE = (0, 0, 0, 2, 5, 9, 15, 30, 60)  # working days after about two thirds of the term
BAD_PER_CENT = 1.5  # never paid
PART_PAID_PER_CENT, TOGETHER_PER_CENT, REFUNDED_PER_CENT = 10, 8, 60


@dataclass(slots=True)
class Transfer:
    """Money on one day, and what each document takes of it: in cents, below zero on a credit note."""

    day: int
    currency: str
    parts: list[tuple[Document, int]]

    @property
    def amount(self) -> int:
        return sum(cents for _, cents in self.parts)


class PaymentRow(NamedTuple):
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


class AllocationRow(NamedTuple):
    payment_id: UUID
    invoice_id: UUID
    client_id: UUID
    currency: str
    paid_on: date
    amount: Decimal
    amount_base: Decimal
    is_issued: bool = True
    tenant_id: UUID = TENANT


def of_client(dice: Dice, client: Client, documents: list[Document]) -> tuple[list[PaymentRow], list[AllocationRow]]:
    """Tells the documents whether they are paid."""
    transfers = _transfers(dice, client, documents)
    payments = sorted(((transfer, *dice.born(transfer.day)) for transfer in transfers), key=lambda made: (made[0].day, made[1].int))
    rows = [_row(dice, client, *payment) for payment in payments]
    return rows, [allocation for payment in payments for allocation in _allocations(client, *payment)]


def _transfers(dice: Dice, client: Client, documents: list[Document]) -> list[Transfer]:
    made: list[Transfer] = []
    for document in documents:
        if document.slot.role is Role.INVOICE and not document.is_settled:
            made += _incoming(dice, client, document, made)
        elif document.slot.role is Role.CREDIT_NOTE:
            made += _outgoing(dice, document)
    return made


def _incoming(dice: Dice, client: Client, invoice: Document, made: list[Transfer]) -> list[Transfer]:
    last = invoice.slot.day + 2 + client.term_days // 2 + dice.pick(LATE)
    if last > TODAY or dice.chance(BAD_PER_CENT):
        return _part_payment(dice, invoice)
    invoice.status = InvoiceStatus.PAID
    count = dice.pick(PARTS)
    if count == 1 and made and _is_joined(dice, made[-1], invoice):
        made[-1].parts.append((invoice, invoice.gross))
        made[-1].day = max(made[-1].day, last)
        return []
    days = sorted(dice.between(invoice.slot.day + 1, last) for _ in range(count - 1))
    parts = [invoice.gross * dice.between(20, 40) // 100 for _ in days]
    return [
        Transfer(day, invoice.currency, [(invoice, cents)])
        for day, cents in zip([*days, last], [*parts, invoice.gross - sum(parts)], strict=True)
    ]


def _is_joined(dice: Dice, before: Transfer, invoice: Document) -> bool:
    """Whether the client pays this invoice together with the one before it."""
    (other, cents), *more = before.parts
    is_whole = not more and cents == other.gross
    return is_whole and before.currency == invoice.currency and dice.chance(TOGETHER_PER_CENT)


def _part_payment(dice: Dice, invoice: Document) -> list[Transfer]:
    if invoice.slot.day >= TODAY or not dice.chance(PART_PAID_PER_CENT):
        return []
    day = dice.between(invoice.slot.day + 1, min(invoice.slot.day + 40, TODAY))
    return [Transfer(day, invoice.currency, [(invoice, invoice.gross * dice.between(20, 70) // 100)])]


def _outgoing(dice: Dice, note: Document) -> list[Transfer]:
    """A credit note of a whole invoice settles both without money; another one is paid back, if the invoice was paid."""
    invoice = note.credits
    if invoice is None:
        return []
    if note.is_settled:
        note.status = invoice.status = InvoiceStatus.PAID
        return [Transfer(note.slot.day, note.currency, [(invoice, invoice.gross), (note, -note.gross)])]
    day = note.slot.day + dice.between(2, 15)
    if day > TODAY or invoice.status is not InvoiceStatus.PAID or not dice.chance(REFUNDED_PER_CENT):
        return []
    note.status = InvoiceStatus.PAID
    return [Transfer(day, note.currency, [(note, -note.gross)])]


def _row(dice: Dice, client: Client, transfer: Transfer, id_: UUID, created_at: datetime) -> PaymentRow:
    number = transfer.parts[0][0].slot.number or ""
    method = PaymentMethod.BANK_TRANSFER if transfer.amount < 0 else dice.pick(METHODS)
    return PaymentRow(
        id=id_,
        created_at=created_at,
        updated_at=created_at,
        paid_on=WORKDAYS[transfer.day],
        amount=decimal(transfer.amount),
        currency=transfer.currency,
        exchange_rate=rate(exchange_rate(transfer.currency, transfer.day)),
        method=method if transfer.amount else PaymentMethod.SETTLEMENT,
        reference=structured_message(int(number.replace("-", ""))) if client.nation.country == "BE" else number,
    )


def _allocations(client: Client, transfer: Transfer, id_: UUID, created_at: datetime) -> Iterator[AllocationRow]:
    """Called in order of payment: the base amount is what the document's running total in base grows by."""
    for document, cents in transfer.parts:
        yield AllocationRow(
            payment_id=id_,
            invoice_id=document.id,
            client_id=client.row.id,
            currency=transfer.currency,
            paid_on=WORKDAYS[transfer.day],
            amount=decimal(cents),
            amount_base=decimal(document.sign * _grown(document, abs(cents))),
        )
        document.payments += 1
        document.updated_at = created_at


def _grown(document: Document, cents: int) -> int:
    """The part that completes the document takes exactly what its base amount lacks."""
    document.paid += cents
    before, is_complete = document.paid_base, document.paid == document.gross
    document.paid_base = document.gross_base if is_complete else in_base(document.paid, document.rate)
    return document.paid_base - before

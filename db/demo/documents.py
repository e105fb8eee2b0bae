"""Invoices and credit notes in the making: their lines, of work that was done or of something sold, and what these come to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from db.demo.clients import Client
from db.demo.dice import Dice
from db.demo.money import exchange_rate, in_base, rounded
from db.demo.organization import House, Vat
from db.demo.plan import Role, Slot
from db.demo.projects import Project
from db.demo.registrations import EXPENSE, MILEAGE, TIME, Work
from db.tables.clients import VatTreatment
from db.tables.invoices import InvoiceStatus
from db.tables.projects import RegistrationKind

ONE_PIECE = 10_000  # quantities are in ten-thousandths
WORK_LINES = 3  # at most, so that with something sold there are four
SOLD = {
    "nl": ("Abonnement onderhoud", "Licentie werkplek", "Hosting", "Termijn volgens offerte", "Voorraadbeheer", "Workshop", "Drukwerk"),
    "fr": ("Abonnement maintenance", "Licence", "Hébergement", "Acompte selon devis", "Atelier", "Imprimés"),
    "en": ("Maintenance subscription", "Licence", "Hosting", "Instalment as quoted", "Workshop"),
    "de": ("Wartung", "Lizenz", "Hosting", "Abschlag laut Angebot", "Workshop"),
}
DONE = {
    "nl": {TIME: "Uren", EXPENSE: "Onkosten", MILEAGE: "Kilometers"},
    "fr": {TIME: "Heures", EXPENSE: "Frais", MILEAGE: "Kilomètres"},
    "en": {TIME: "Hours", EXPENSE: "Expenses", MILEAGE: "Mileage"},
    "de": {TIME: "Stunden", EXPENSE: "Auslagen", MILEAGE: "Kilometer"},
}
CREDIT = {"nl": "Creditering", "fr": "Note de crédit", "en": "Credit", "de": "Gutschrift"}

Sort = tuple[RegistrationKind, UUID | None, int]  # work of one sort shares a line: kind, project and rate; expenses whatever their prices


@dataclass(slots=True)
class Line:
    """Quantity in ten-thousandths, money in cents, discount in per cent."""

    id: UUID
    description: str
    quantity: int
    price: int
    vat: Vat
    project_id: UUID | None = None
    discount: int = 0
    vat_amount: int = 0
    net: int = field(init=False)

    def __post_init__(self) -> None:
        self.net = rounded(self.quantity * self.price * (100 - self.discount), 100 * ONE_PIECE)


def share_vat(lines: list[Line]) -> None:
    """VAT is rounded per rate; the lines of a rate share it cumulatively, so that they add up to it."""
    so_far: defaultdict[UUID, int] = defaultdict(int)
    for line in lines:
        before = rounded(so_far[line.vat.id] * line.vat.per_cent, 100)
        so_far[line.vat.id] += line.net
        line.vat_amount = rounded(so_far[line.vat.id] * line.vat.per_cent, 100) - before


@dataclass(slots=True)
class Document:
    """Amounts in cents, positive in credit notes too; the exchange rate in millionths."""

    id: UUID
    created_at: datetime
    slot: Slot
    currency: str
    rate: int
    lines: list[Line]
    credits: Self | None = None
    is_settled: bool = False  # an invoice and its credit note that pay each other
    status: InvoiceStatus = InvoiceStatus.OPEN
    net: int = field(init=False)
    vat: int = field(init=False)
    net_base: int = field(init=False)
    vat_base: int = field(init=False)
    paid: int = 0
    paid_base: int = 0
    payments: int = 0
    updated_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        share_vat(self.lines)
        self.net = sum(line.net for line in self.lines)
        self.vat = sum(line.vat_amount for line in self.lines)
        self.net_base, self.vat_base = in_base(self.net, self.rate), in_base(self.vat, self.rate)
        self.updated_at = self.created_at

    @property
    def gross(self) -> int:
        return self.net + self.vat

    @property
    def gross_base(self) -> int:
        return self.net_base + self.vat_base

    @property
    def sign(self) -> int:
        return -1 if self.slot.role is Role.CREDIT_NOTE else 1


class Desk:
    """Makes the documents of one client, one after the other, and keeps what is still to be invoiced."""

    def __init__(self, dice: Dice, client: Client, house: House, projects: list[Project]) -> None:
        self.dice, self.client, self.house, self.projects = dice, client, house, projects
        self.language = client.nation.language
        self.pending: dict[Sort, list[Work]] = {}

    def documents(self, slots: list[Slot], done: Iterable[Work]) -> list[Document]:
        """Work comes on the first invoice after it that has room for it."""
        made: list[Document] = []
        waiting = [work for work in reversed(list(done)) if work.is_to_invoice]
        for slot in slots:
            while waiting and waiting[-1].day <= slot.day:
                self._await(waiting.pop())
            made.append(self._credit_note(slot, made[slot.credits]) if slot.credits is not None else self._invoice(slot))
        return made

    def _await(self, work: Work) -> None:
        sort = (work.kind, work.project.row.id if work.project else None, 0 if work.kind is EXPENSE else work.rate)
        self.pending.setdefault(sort, []).append(work)

    def _invoice(self, slot: Slot) -> Document:
        currency = self._currency()
        is_of_work = slot.role is Role.INVOICE and currency == self.client.row.currency
        lines = self._lines_of_work(slot.day) if is_of_work else []
        sold = self.dice.between(1, 3) if not lines else int(self.dice.chance(35))
        lines += [self._line_sold(slot.day) for _ in range(sold)]
        document = Document(*self.dice.born(slot.day), slot, currency, exchange_rate(currency, slot.day), lines)
        if slot.role in {Role.CONCEPT, Role.VOID}:
            document.status = InvoiceStatus[slot.role.name]
        return document

    def _currency(self) -> str:
        """Who does not pay in euros does so now and then."""
        own = self.client.row.currency
        return "EUR" if own != "EUR" and self.dice.chance(12) else own

    def _lines_of_work(self, day: int) -> list[Line]:
        sorts = list(self.pending)[:WORK_LINES]
        return [self._line_of_work(day, sort, self.pending.pop(sort)) for sort in sorts]

    def _line_of_work(self, day: int, sort: Sort, done: list[Work]) -> Line:
        kind, project_id, price = sort
        id_, _ = self.dice.born(day)
        quantity = sum(work.count for work in done) * ONE_PIECE // (60 if kind is TIME else 1)
        if kind is EXPENSE:
            quantity, price = ONE_PIECE, sum(work.amount for work in done)
        for work in done:
            work.line_id = id_
        project = done[0].project
        about = f": {project.row.name}" if project else ""
        return Line(id_, f"{DONE[self.language][kind]}{about}", quantity, price, self.client.vat, project_id)

    def _line_sold(self, day: int) -> Line:
        dice = self.dice
        is_low = self.client.vat is self.house.vat[VatTreatment.DOMESTIC] and dice.chance(10)
        return Line(
            id=dice.born(day)[0],
            description=dice.pick(SOLD[self.language]),
            quantity=dice.between(1, 6) * ONE_PIECE,
            price=dice.between(15_00, 260_00),
            vat=self.house.vat_low if is_low else self.client.vat,
            project_id=dice.pick(self.projects).row.id if self.projects and dice.chance(20) else None,
            discount=dice.pick((5, 10, 15)) if dice.chance(8) else 0,
        )

    def _credit_note(self, slot: Slot, invoice: Document) -> Document:
        """Of the whole invoice, which settles both, or of its first line; at the invoice's own exchange rate."""
        is_whole = self.dice.chance(50)
        lines = [self._credited(slot.day, line) for line in invoice.lines[: None if is_whole else 1]]
        invoice.is_settled = is_whole
        note = Document(*self.dice.born(slot.day), slot, invoice.currency, invoice.rate, lines, credits=invoice)
        note.is_settled = is_whole
        return note

    def _credited(self, day: int, line: Line) -> Line:
        text = f"{CREDIT[self.language]}: {line.description}"
        return Line(self.dice.born(day)[0], text, line.quantity, line.price, line.vat, line.project_id, line.discount)

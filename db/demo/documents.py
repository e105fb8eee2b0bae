"""Build the invoices and credit notes of the demo: their amounts, and their lines for work or products."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from db.demo.clients import DemoClient
from db.demo.money import QUANTITY_OF_ONE, divide_half_up, exchange_rate, to_base
from db.demo.organization import DemoOrganization, LineVat
from db.demo.plan import DocumentKind, DocumentSlot
from db.demo.projects import DemoProject
from db.demo.registrations import EXPENSE, MILEAGE, TIME, RegistrationDraft
from db.demo.rng import Rng
from db.tables.clients import VatTreatment
from db.tables.invoices import InvoiceStatus
from db.tables.projects import RegistrationKind

MAX_WORK_LINES = 3  # of one invoice; an invoice with work lines has at most one product line
PRODUCTS = {
    "nl": ("Abonnement onderhoud", "Licentie werkplek", "Hosting", "Termijn volgens offerte", "Voorraadbeheer", "Workshop", "Drukwerk"),
    "fr": ("Abonnement maintenance", "Licence", "Hébergement", "Acompte selon devis", "Atelier", "Imprimés"),
    "en": ("Maintenance subscription", "Licence", "Hosting", "Instalment as quoted", "Workshop"),
    "de": ("Wartung", "Lizenz", "Hosting", "Abschlag laut Angebot", "Workshop"),
}
WORK_DESCRIPTIONS = {
    "nl": {TIME: "Uren", EXPENSE: "Onkosten", MILEAGE: "Kilometers"},
    "fr": {TIME: "Heures", EXPENSE: "Frais", MILEAGE: "Kilomètres"},
    "en": {TIME: "Hours", EXPENSE: "Expenses", MILEAGE: "Mileage"},
    "de": {TIME: "Stunden", EXPENSE: "Auslagen", MILEAGE: "Kilometer"},
}
CREDIT_PREFIXES = {"nl": "Creditering", "fr": "Note de crédit", "en": "Credit", "de": "Gutschrift"}

# Work of the same kind and project, at the same rate, shares an invoice line. Expenses have the rate 0 in this key, because all expenses of
# a project share one line, whatever their prices.
WorkKey = tuple[RegistrationKind, UUID | None, int]


@dataclass(slots=True)
class Line:
    """A line of an invoice, credit note or quote: quantity in ten-thousandths, money in cents, discount in per cent."""

    id: UUID
    description: str
    quantity: int
    price: int
    vat: LineVat
    project_id: UUID | None = None
    discount: int = 0
    vat_amount: int = 0
    net: int = field(init=False)

    def __post_init__(self) -> None:
        self.net = divide_half_up(self.quantity * self.price * (100 - self.discount), 100 * QUANTITY_OF_ONE)


def allocate_vat(lines: list[Line]) -> None:
    """Set the VAT of each line.

    Compute the VAT on the running total, so that the rounded amounts of the lines add up to the rounded VAT on the total of each VAT rate.
    """
    running_net: defaultdict[UUID, int] = defaultdict(int)
    for line in lines:
        previous_vat = divide_half_up(running_net[line.vat.id] * line.vat.per_cent, 100)
        running_net[line.vat.id] += line.net
        line.vat_amount = divide_half_up(running_net[line.vat.id] * line.vat.per_cent, 100) - previous_vat


@dataclass(slots=True)
class Document:
    """An invoice or a credit note. Amounts are in cents, positive also in credit notes. `rate` is the exchange rate in millionths."""

    id: UUID
    created_at: datetime
    slot: DocumentSlot
    currency: str
    rate: int
    lines: list[Line]
    credited_document: Self | None = None
    is_settled: bool = False  # whether an invoice and its credit note cancel each other out
    status: InvoiceStatus = InvoiceStatus.OPEN
    net: int = field(init=False)
    vat: int = field(init=False)
    net_base: int = field(init=False)
    vat_base: int = field(init=False)
    amount_paid: int = 0
    amount_paid_base: int = 0
    payment_count: int = 0
    updated_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        allocate_vat(self.lines)
        self.net = sum(line.net for line in self.lines)
        self.vat = sum(line.vat_amount for line in self.lines)
        self.net_base, self.vat_base = to_base(self.net, self.rate), to_base(self.vat, self.rate)
        self.updated_at = self.created_at

    @property
    def gross(self) -> int:
        return self.net + self.vat

    @property
    def gross_base(self) -> int:
        return self.net_base + self.vat_base

    @property
    def sign(self) -> int:
        return -1 if self.slot.kind is DocumentKind.CREDIT_NOTE else 1


class DocumentBuilder:
    """Build the documents of one client in order of date. Keep track of the work that is not invoiced yet."""

    def __init__(self, rng: Rng, client: DemoClient, organization: DemoOrganization, projects: list[DemoProject]) -> None:
        self.rng, self.client, self.organization, self.projects = rng, client, organization, projects
        self.language = client.locale.language
        self.pending_work: dict[WorkKey, list[RegistrationDraft]] = {}

    def build(self, slots: list[DocumentSlot], drafts: Iterable[RegistrationDraft]) -> list[Document]:
        """Build a document for each slot. Work goes on the first invoice that is not earlier than the work and has a free line."""
        documents: list[Document] = []
        # Reversed, so that `pop()` returns the earliest draft.
        billable_drafts = [draft for draft in reversed(list(drafts)) if draft.is_to_invoice]
        for slot in slots:
            while billable_drafts and billable_drafts[-1].day <= slot.day:
                self._add_pending(billable_drafts.pop())
            documents.append(
                self._credit_note(slot, documents[slot.credited_index]) if slot.credited_index is not None else self._invoice(slot)
            )
        return documents

    def _add_pending(self, draft: RegistrationDraft) -> None:
        key = (draft.kind, draft.project.row.id if draft.project else None, 0 if draft.kind is EXPENSE else draft.rate)
        self.pending_work.setdefault(key, []).append(draft)

    def _invoice(self, slot: DocumentSlot) -> Document:
        currency = self._choose_currency()
        # The rates of work are in the client's currency, so an invoice in another currency has products only.
        has_work = slot.kind is DocumentKind.INVOICE and currency == self.client.row.currency
        lines = self._work_lines(slot.day) if has_work else []
        product_count = self.rng.integer_between(1, 3) if not lines else int(self.rng.chance(35))
        lines += [self._product_line(slot.day) for _ in range(product_count)]
        document = Document(*self.rng.id_and_time(slot.day), slot, currency, exchange_rate(currency, slot.day), lines)
        if slot.kind in {DocumentKind.DRAFT, DocumentKind.VOID}:
            document.status = InvoiceStatus[slot.kind.name]
        return document

    def _choose_currency(self) -> str:
        """Return the client's currency. If that is not the euro, return the euro for 12 % of the invoices."""
        client_currency = self.client.row.currency
        return "EUR" if client_currency != "EUR" and self.rng.chance(12) else client_currency

    def _work_lines(self, day: int) -> list[Line]:
        keys = list(self.pending_work)[:MAX_WORK_LINES]
        return [self._work_line(day, key, self.pending_work.pop(key)) for key in keys]

    def _work_line(self, day: int, key: WorkKey, drafts: list[RegistrationDraft]) -> Line:
        kind, project_id, price = key
        id_, _ = self.rng.id_and_time(day)
        quantity = sum(draft.count for draft in drafts) * QUANTITY_OF_ONE // (60 if kind is TIME else 1)
        if kind is EXPENSE:
            quantity, price = QUANTITY_OF_ONE, sum(draft.amount for draft in drafts)
        for draft in drafts:
            draft.line_id = id_
        project = drafts[0].project
        suffix = f": {project.row.name}" if project else ""
        return Line(id_, f"{WORK_DESCRIPTIONS[self.language][kind]}{suffix}", quantity, price, self.client.vat, project_id)

    def _product_line(self, day: int) -> Line:
        rng = self.rng
        has_low_vat = self.client.vat is self.organization.vat[VatTreatment.DOMESTIC] and rng.chance(10)
        return Line(
            id=rng.id_and_time(day)[0],
            description=rng.pick(PRODUCTS[self.language]),
            quantity=rng.integer_between(1, 6) * QUANTITY_OF_ONE,
            price=rng.integer_between(15_00, 260_00),
            vat=self.organization.vat_low if has_low_vat else self.client.vat,
            project_id=rng.pick(self.projects).row.id if self.projects and rng.chance(20) else None,
            discount=rng.pick((5, 10, 15)) if rng.chance(8) else 0,
        )

    def _credit_note(self, slot: DocumentSlot, invoice: Document) -> Document:
        """Credit the whole invoice, which settles both documents, or only its first line. Keep the exchange rate of the invoice."""
        is_whole = self.rng.chance(50)
        lines = [self._credit_line(slot.day, line) for line in invoice.lines[: None if is_whole else 1]]
        invoice.is_settled = is_whole
        note = Document(*self.rng.id_and_time(slot.day), slot, invoice.currency, invoice.rate, lines, credited_document=invoice)
        note.is_settled = is_whole
        return note

    def _credit_line(self, day: int, line: Line) -> Line:
        text = f"{CREDIT_PREFIXES[self.language]}: {line.description}"
        return Line(self.rng.id_and_time(day)[0], text, line.quantity, line.price, line.vat, line.project_id, line.discount)

"""The quotes of each client, with their lines and their status. They are numbered in order of date over all clients."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo import projects
from db.demo.clients import DemoClient
from db.demo.documents import Line, allocate_vat
from db.demo.money import QUANTITY_OF_ONE, cents_to_decimal, exchange_rate, quantity_to_decimal, rate_to_decimal
from db.demo.organization import TENANT
from db.demo.plan import Slot, assign_numbers
from db.demo.projects import DemoProject
from db.demo.rng import TODAY, WORKDAYS, Rng, split_by_weight
from db.tables.quotes import QuoteStatus

PROSPECT_WEIGHT = 8  # the share of a client without work, so that most of them have a quote
VALIDITY_DAYS, OPEN_VALIDITY_DAYS = (14, 30), 45  # of a quote, and of one that is still open
LAPSE_WORKDAYS = 25  # a quote is open for at most this number of working days
LAPSED_STATUSES = (*(QuoteStatus.ACCEPTED,) * 55, *(QuoteStatus.REJECTED,) * 20, *(QuoteStatus.EXPIRED,) * 23, *(QuoteStatus.DRAFT,) * 2)
OPEN_STATUSES = (*(QuoteStatus.SENT,) * 5, *(QuoteStatus.DRAFT,) * 2, *(QuoteStatus.ACCEPTED,) * 2, QuoteStatus.REJECTED)
HOURLY_RATES = (75_00, 85_00, 95_00, 110_00, 125_00)
WORK_DESCRIPTIONS = {
    "nl": ("Voorbereiding", "Uitvoering", "Begeleiding op locatie", "Nazorg", "Vooronderzoek", "Projectleiding"),
    "fr": ("Préparation", "Exécution", "Suivi", "Direction de projet"),
    "en": ("Preparation", "Execution", "Support on site", "Project management"),
    "de": ("Vorbereitung", "Durchführung", "Begleitung vor Ort", "Projektleitung"),
}
PRODUCTS = {
    "nl": ("Licentie werkplek", "Drukwerk", "Workshop", "Reiskosten"),
    "fr": ("Licence", "Imprimés", "Atelier", "Frais de déplacement"),
    "en": ("Licence", "Print work", "Workshop", "Travel"),
    "de": ("Lizenz", "Drucksachen", "Workshop", "Reisekosten"),
}


class QuoteRecord(NamedTuple):
    id: UUID
    client_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
    number: str | None
    status: str
    quote_date: date | None
    valid_until: date | None
    currency: str
    exchange_rate: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    reference: str | None
    tenant_id: UUID = TENANT


class QuoteLineRecord(NamedTuple):
    id: UUID
    quote_id: UUID
    position: int
    description: str
    quantity: Decimal
    unit_price: Decimal
    vat_rate_id: UUID
    vat_percentage: Decimal
    vat_category: str
    net: Decimal
    vat: Decimal
    project_id: UUID | None
    tenant_id: UUID = TENANT


@dataclass(frozen=True, slots=True)
class QuoteSlot(Slot):
    """A planned quote."""

    status: QuoteStatus


def plan_quotes(clients: list[DemoClient], quotes: int) -> list[list[QuoteSlot]]:
    """Plan the quotes of each client in order of date."""
    rng = Rng("quotes")
    counts = split_by_weight(quotes, [projects.project_weight(client) or PROSPECT_WEIGHT for client in clients])
    slots_by_client = [_slots_of_client(rng, client, count) for client, count in zip(clients, counts, strict=True)]
    return assign_numbers(slots_by_client, "OFF-{0}-{1:04d}", lambda slot: slot.status is QuoteStatus.DRAFT)


def _slots_of_client(rng: Rng, client: DemoClient, count: int) -> list[QuoteSlot]:
    days = sorted(rng.integer_between(client.first_day + 1, client.last_day) for _ in range(count))
    return [QuoteSlot(day, _status(rng, client, day)) for day in days]


def _status(rng: Rng, client: DemoClient, day: int) -> QuoteStatus:
    """Draw a status. An archived client has no open quotes, and a prospect has no accepted ones."""
    status = rng.pick(LAPSED_STATUSES if day + LAPSE_WORKDAYS <= client.last_day else OPEN_STATUSES)
    if client.row.archived_at and status in {QuoteStatus.DRAFT, QuoteStatus.SENT}:
        return QuoteStatus.REJECTED
    return QuoteStatus.REJECTED if client.row.is_prospect and status is QuoteStatus.ACCEPTED else status


def draw_quotes(
    rng: Rng, client: DemoClient, slots: list[QuoteSlot], client_projects: list[DemoProject]
) -> tuple[list[QuoteRecord], list[QuoteLineRecord]]:
    quotes, lines = list[QuoteRecord](), list[QuoteLineRecord]()
    for slot in slots:
        quote, lines_of_quote = _quote(rng, client, slot, client_projects)
        quotes.append(quote)
        lines += lines_of_quote
    return quotes, lines


def _quote(rng: Rng, client: DemoClient, slot: QuoteSlot, client_projects: list[DemoProject]) -> tuple[QuoteRecord, list[QuoteLineRecord]]:
    id_, created_at = rng.id_and_time(slot.day)
    project = rng.pick(client_projects).row.id if client_projects and slot.status is QuoteStatus.ACCEPTED and rng.chance(60) else None
    lines = [_line(rng, client, slot.day, project) for _ in range(rng.integer_between(1, 5))]
    allocate_vat(lines)
    net, vat = sum(line.net for line in lines), sum(line.vat_amount for line in lines)
    day = None if slot.status is QuoteStatus.DRAFT else WORKDAYS[slot.day]
    validity_days = OPEN_VALIDITY_DAYS if slot.status is QuoteStatus.SENT else rng.pick(VALIDITY_DAYS)
    updated_at, version = _last_change(rng, client, slot, created_at)
    row = QuoteRecord(
        id=id_,
        client_id=client.row.id,
        created_at=created_at,
        updated_at=updated_at,
        version=version,
        number=slot.number,
        status=slot.status,
        quote_date=day,
        valid_until=day and day + timedelta(validity_days),
        currency=client.row.currency,
        exchange_rate=rate_to_decimal(exchange_rate(client.row.currency, slot.day)),
        net=cents_to_decimal(net),
        vat=cents_to_decimal(vat),
        gross=cents_to_decimal(net + vat),
        reference=client.row.buyer_reference,
    )
    return row, [_line_record(id_, line, position) for position, line in enumerate(lines, start=1)]


def _last_change(rng: Rng, client: DemoClient, slot: QuoteSlot, created_at: datetime) -> tuple[datetime, int]:
    """Return the time of the last change, and the version: a draft has version 1, a sent quote 2, an answered or expired one 3."""
    if slot.status in {QuoteStatus.DRAFT, QuoteStatus.SENT}:
        return created_at, 1 if slot.status is QuoteStatus.DRAFT else 2
    delay = LAPSE_WORKDAYS if slot.status is QuoteStatus.EXPIRED else rng.integer_between(1, 10)
    _, changed_at = rng.id_and_time(min(slot.day + delay, client.last_day, TODAY))
    return max(changed_at, created_at), 3


def _line(rng: Rng, client: DemoClient, day: int, project: UUID | None) -> Line:
    is_work, language = rng.chance(70), client.locale.language
    return Line(
        id=rng.id_and_time(day)[0],
        description=rng.pick((WORK_DESCRIPTIONS if is_work else PRODUCTS)[language]),
        quantity=QUANTITY_OF_ONE * (rng.integer_between(4, 80) if is_work else rng.integer_between(1, 12)),
        price=(client.hourly_rate or rng.pick(HOURLY_RATES)) if is_work else rng.integer_between(12_00, 480_00),
        vat=client.vat,
        project_id=project,
    )


def _line_record(quote_id: UUID, line: Line, position: int) -> QuoteLineRecord:
    return QuoteLineRecord(
        id=line.id,
        quote_id=quote_id,
        position=position,
        description=line.description,
        quantity=quantity_to_decimal(line.quantity),
        unit_price=cents_to_decimal(line.price),
        vat_rate_id=line.vat.id,
        vat_percentage=line.vat.percentage,
        vat_category=line.vat.category,
        net=cents_to_decimal(line.net),
        vat=cents_to_decimal(line.vat_amount),
        project_id=line.project_id,
    )

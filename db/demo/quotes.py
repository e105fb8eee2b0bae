"""The quotes of a client: which there are, numbered in order of date over all clients; their lines, and what became of them."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo import projects
from db.demo.clients import Client
from db.demo.dice import TODAY, WORKDAYS, Dice, shares
from db.demo.documents import Line, share_vat
from db.demo.money import decimal, exchange_rate, quantity, rate
from db.demo.organization import TENANT
from db.demo.projects import Project
from db.tables.quotes import QuoteStatus

PROSPECTS = 8  # for whom nothing is done yet: something was offered to most
DAYS, LONG, LAPSED = (14, 30), 45, 25  # days that a quote holds, those of one that is open, and working days after which no other does
LAPSED_PER_CENT = (*(QuoteStatus.ACCEPTED,) * 55, *(QuoteStatus.REJECTED,) * 20, *(QuoteStatus.EXPIRED,) * 23, *(QuoteStatus.CONCEPT,) * 2)
OPEN_OF_TEN = (*(QuoteStatus.SENT,) * 5, *(QuoteStatus.CONCEPT,) * 2, *(QuoteStatus.ACCEPTED,) * 2, QuoteStatus.REJECTED)
ONE, HOURLY = 10_000, (75_00, 85_00, 95_00, 110_00, 125_00)  # quantities are in ten-thousandths
HOURS = {
    "nl": ("Voorbereiding", "Uitvoering", "Begeleiding op locatie", "Nazorg", "Vooronderzoek", "Projectleiding"),
    "fr": ("Préparation", "Exécution", "Suivi", "Direction de projet"),
    "en": ("Preparation", "Execution", "Support on site", "Project management"),
    "de": ("Vorbereitung", "Durchführung", "Begleitung vor Ort", "Projektleitung"),
}
PIECES = {
    "nl": ("Licentie werkplek", "Drukwerk", "Workshop", "Reiskosten"),
    "fr": ("Licence", "Imprimés", "Atelier", "Frais de déplacement"),
    "en": ("Licence", "Print work", "Workshop", "Travel"),
    "de": ("Lizenz", "Drucksachen", "Workshop", "Reisekosten"),
}


class QuoteRow(NamedTuple):
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


class LineRow(NamedTuple):
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
class Slot:
    """A quote to be made."""

    day: int
    status: QuoteStatus
    number: str | None = None


def plan(clients: list[Client], quotes: int) -> list[list[Slot]]:
    """The quotes of each client in order of date."""
    dice = Dice("quotes")
    counts = shares(quotes, [projects.weight(client) or PROSPECTS for client in clients])
    return _numbered([_of_client(dice, client, count) for client, count in zip(clients, counts, strict=True)])


def _of_client(dice: Dice, client: Client, count: int) -> list[Slot]:
    days = sorted(dice.between(client.since + 1, client.until) for _ in range(count))
    return [Slot(day, _status(dice, client, day)) for day in days]


def _status(dice: Dice, client: Client, day: int) -> QuoteStatus:
    """Of an archived client nothing is open any more; and nobody works for a prospect."""
    status = dice.pick(LAPSED_PER_CENT if day + LAPSED <= client.until else OPEN_OF_TEN)
    if client.row.archived_at and status in {QuoteStatus.CONCEPT, QuoteStatus.SENT}:
        return QuoteStatus.REJECTED
    return QuoteStatus.REJECTED if client.row.is_prospect and status is QuoteStatus.ACCEPTED else status


def _numbered(planned: list[list[Slot]]) -> list[list[Slot]]:
    """What is no concept takes the next number of its year."""
    last: dict[int, int] = {}
    in_order = sorted((slot.day, client, place) for client, slots in enumerate(planned) for place, slot in enumerate(slots))
    for day, client, place in in_order:
        slot, year = planned[client][place], WORKDAYS[day].year
        if slot.status is not QuoteStatus.CONCEPT:
            last[year] = last.get(year, 0) + 1
            planned[client][place] = replace(slot, number=f"OFF-{year}-{last[year]:04d}")
    return planned


def of_client(dice: Dice, client: Client, slots: list[Slot], own: list[Project]) -> tuple[list[QuoteRow], list[LineRow]]:
    quotes, lines = list[QuoteRow](), list[LineRow]()
    for slot in slots:
        quote, offered = _quote(dice, client, slot, own)
        quotes.append(quote)
        lines += offered
    return quotes, lines


def _quote(dice: Dice, client: Client, slot: Slot, own: list[Project]) -> tuple[QuoteRow, list[LineRow]]:
    id_, created_at = dice.born(slot.day)
    project = dice.pick(own).row.id if own and slot.status is QuoteStatus.ACCEPTED and dice.chance(60) else None
    offered = [_line(dice, client, slot.day, project) for _ in range(dice.between(1, 5))]
    share_vat(offered)
    net, vat = sum(line.net for line in offered), sum(line.vat_amount for line in offered)
    day = None if slot.status is QuoteStatus.CONCEPT else WORKDAYS[slot.day]
    holds = LONG if slot.status is QuoteStatus.SENT else dice.pick(DAYS)
    updated_at, version = _changed(dice, client, slot, created_at)
    row = QuoteRow(
        id=id_,
        client_id=client.row.id,
        created_at=created_at,
        updated_at=updated_at,
        version=version,
        number=slot.number,
        status=slot.status,
        quote_date=day,
        valid_until=day and day + timedelta(holds),
        currency=client.row.currency,
        exchange_rate=rate(exchange_rate(client.row.currency, slot.day)),
        net=decimal(net),
        vat=decimal(vat),
        gross=decimal(net + vat),
        reference=client.row.buyer_reference,
    )
    return row, [_line_row(id_, line, position) for position, line in enumerate(offered, start=1)]


def _changed(dice: Dice, client: Client, slot: Slot, created_at: datetime) -> tuple[datetime, int]:
    """When it was last changed, and its version: a concept is new, another was sent, and most were answered or ran out since."""
    if slot.status in {QuoteStatus.CONCEPT, QuoteStatus.SENT}:
        return created_at, 1 if slot.status is QuoteStatus.CONCEPT else 2
    later = LAPSED if slot.status is QuoteStatus.EXPIRED else dice.between(1, 10)
    _, at = dice.born(min(slot.day + later, client.until, TODAY))
    return max(at, created_at), 3


def _line(dice: Dice, client: Client, day: int, project: UUID | None) -> Line:
    is_work, language = dice.chance(70), client.nation.language
    return Line(
        id=dice.born(day)[0],
        description=dice.pick((HOURS if is_work else PIECES)[language]),
        quantity=dice.between(4, 80) * ONE if is_work else dice.between(1, 12) * ONE,
        price=(client.hourly or dice.pick(HOURLY)) if is_work else dice.between(12_00, 480_00),
        vat=client.vat,
        project_id=project,
    )


def _line_row(quote_id: UUID, line: Line, position: int) -> LineRow:
    return LineRow(
        id=line.id,
        quote_id=quote_id,
        position=position,
        description=line.description,
        quantity=quantity(line.quantity),
        unit_price=decimal(line.price),
        vat_rate_id=line.vat.id,
        vat_percentage=line.vat.percentage,
        vat_category=line.vat.category,
        net=decimal(line.net),
        vat=decimal(line.vat_amount),
        project_id=line.project_id,
    )

"""What was done for a client: hours, expenses and trips, with the rates by which they count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import Client
from db.demo.dice import MIDNIGHTS, TODAY, WORKDAYS, Dice
from db.demo.money import decimal, quantity
from db.demo.organization import TENANT
from db.demo.projects import Project, price
from db.tables.projects import InvoiceMethod, RateSource, RegistrationKind, RegistrationStatus, TripType

TIME, EXPENSE, MILEAGE = RegistrationKind.TIME, RegistrationKind.EXPENSE, RegistrationKind.MILEAGE
KINDS = (TIME,) * 44 + (EXPENSE,) * 3 + (MILEAGE,) * 3
MINUTES = (15, 15, 15, 30, 30, 30, 30, 45, 45, 60, 60, 90, 120, 180, 240)  # whole quarters, so that hours come out even
EXPLICIT_RATES = (60_00, 99_00, 150_00, 175_00)
PRICES = (8_50, 12_95, 24_00, 37_50, 49_99, 89_00, 145_00)
FRESH, WAITING = TODAY - 10, TODAY - 25  # the latest are not yet handed in, those before not yet approved
FRESH_STATUSES = (RegistrationStatus.OPEN, RegistrationStatus.OPEN, RegistrationStatus.PENDING)
WAITING_STATUSES = (RegistrationStatus.PENDING, RegistrationStatus.APPROVED, RegistrationStatus.APPROVED)
REFUSED_PER_CENT = 4
REFUSALS = (RegistrationStatus.REJECTED, RegistrationStatus.WRITTEN_OFF, RegistrationStatus.WRITTEN_OFF)
AGREED = {RegistrationStatus.APPROVED, RegistrationStatus.INVOICED}
TRIPS = (TripType.BUSINESS,) * 12 + (TripType.COMMUTE, TripType.PRIVATE)
HOME = "Groningen"
NOTES = {
    TIME: (None, None, None, "Afstemming met opdrachtgever", "Analyse", "Concept uitgewerkt", "Overleg", "Oplevering voorbereid", "Review",
           "Telefonisch overleg", "Voorbereiding workshop", "Vragen beantwoord"),
    EXPENSE: ("Drukwerk", "Licentie", "Lunch met klant", "Materiaal", "Parkeren", "Treinkaartje"),
    MILEAGE: (None, "Bezoek op locatie", "Overleg op kantoor", "Workshop"),
}  # fmt: skip


@dataclass(slots=True)
class Work:
    """A registration in the making; it is invoiced once a line is found for it."""

    kind: RegistrationKind
    day: int
    project: Project | None
    count: int  # minutes, pieces or kilometres
    rate: int  # cents an hour, a piece or a kilometre
    source: RateSource
    is_billable: bool
    status: RegistrationStatus | None = None
    line_id: UUID | None = None

    @property
    def amount(self) -> int:
        """In cents; exact, as time comes in whole quarters of an hour at whole euros."""
        return self.count * self.rate // 60 if self.kind is TIME else self.count * self.rate

    @property
    def is_to_invoice(self) -> bool:
        return self.is_billable and self.status is None and self.amount > 0


class RegistrationRow(NamedTuple):
    id: UUID
    client_id: UUID
    project_id: UUID | None
    member_id: UUID
    created_at: datetime
    updated_at: datetime
    registered_on: date
    kind: str
    status: str
    client_status: str
    is_billable: bool
    note: str | None
    minutes: int | None
    started_at: datetime | None
    ended_at: datetime | None
    quantity: Decimal | None
    unit_price: Decimal | None
    distance_km: Decimal | None
    departure: str | None
    destination: str | None
    trip_type: str | None
    vat_rate_id: UUID | None
    unit_rate: Decimal
    rate_source: str
    currency: str
    amount_net: Decimal
    invoice_line_id: UUID | None
    version: int = 1
    tenant_id: UUID = TENANT


def of_client(dice: Dice, client: Client, projects: list[Project], count: int) -> list[Work]:
    """In order of date."""
    made = [_work(dice, client, dice.pick(projects) if projects and not dice.chance(3) else None) for _ in range(count)]
    return sorted(made, key=lambda work: work.day)


def _work(dice: Dice, client: Client, project: Project | None) -> Work:
    kind = dice.pick(KINDS)
    count, rate, source = _measured(dice, client, project, kind)
    return Work(
        kind=kind,
        day=dice.between(project.since, project.until) if project else dice.between(client.since, client.until),
        project=project,
        count=count,
        rate=rate,
        source=source,
        is_billable=not (project and project.row.invoice_method == InvoiceMethod.NONE) and not dice.chance(7),
        status=_refused(dice),
    )


def _measured(dice: Dice, client: Client, project: Project | None, kind: RegistrationKind) -> tuple[int, int, RateSource]:
    """How much of it, at which rate, and whose rate that is."""
    if kind is EXPENSE:
        return dice.between(1, 4), dice.pick(PRICES), RateSource.EXPLICIT
    if kind is MILEAGE:
        return dice.between(4, 180), client.mileage or 0, RateSource.NONE if client.mileage is None else RateSource.CLIENT
    hourly, source = (project.hourly, project.source) if project else price(client, InvoiceMethod.CLIENT_HOURLY, None)
    if hourly and dice.chance(2):
        return dice.pick(MINUTES), dice.pick(EXPLICIT_RATES), RateSource.EXPLICIT
    return dice.pick(MINUTES), hourly, source


def _refused(dice: Dice) -> RegistrationStatus | None:
    return dice.pick(REFUSALS) if dice.chance(REFUSED_PER_CENT) else None


def row(dice: Dice, client: Client, work: Work, members: Sequence[UUID]) -> RegistrationRow:
    id_, created_at = dice.born(work.day)
    status = _status(dice, work)
    time, expense, mileage = work.kind is TIME, work.kind is EXPENSE, work.kind is MILEAGE
    began = MIDNIGHTS[work.day] + timedelta(minutes=15 * dice.between(30, 70)) if time and dice.chance(25) else None
    return RegistrationRow(
        id=id_,
        client_id=client.row.id,
        project_id=work.project.row.id if work.project else None,
        member_id=dice.pick(members),
        created_at=created_at,
        updated_at=created_at,
        registered_on=WORKDAYS[work.day],
        kind=work.kind,
        status=status,
        client_status=RegistrationStatus.APPROVED if status in AGREED else RegistrationStatus.OPEN,
        is_billable=work.is_billable,
        note=dice.pick(NOTES[work.kind]),
        minutes=work.count if time else None,
        started_at=began,
        ended_at=began and began + timedelta(minutes=work.count),
        quantity=quantity(work.count * 10_000) if expense else None,
        unit_price=decimal(work.rate) if expense else None,
        distance_km=quantity(work.count * 10_000) if mileage else None,
        departure=HOME if mileage else None,
        destination=client.addresses[0].city if mileage else None,
        trip_type=dice.pick(TRIPS) if mileage else None,
        vat_rate_id=client.vat.id if expense else None,
        unit_rate=decimal(work.rate),
        rate_source=work.source,
        currency=client.row.currency,
        amount_net=decimal(work.amount),
        invoice_line_id=work.line_id,
    )


def _status(dice: Dice, work: Work) -> RegistrationStatus:
    if work.line_id:
        return RegistrationStatus.INVOICED
    if work.status:
        return work.status
    if work.day > FRESH:
        return dice.pick(FRESH_STATUSES)
    return dice.pick(WAITING_STATUSES) if work.day > WAITING else RegistrationStatus.APPROVED

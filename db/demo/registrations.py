"""The registrations of a client (hours, expenses and trips), with their rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import DemoClient
from db.demo.money import QUANTITY_OF_ONE, cents_to_decimal, quantity_to_decimal
from db.demo.organization import TENANT
from db.demo.projects import DemoProject, hourly_price
from db.demo.rng import MIDNIGHTS, TODAY, WORKDAYS, Rng
from db.tables.projects import InvoiceMethod, RateSource, RegistrationKind, RegistrationStatus, TripType

TIME, EXPENSE, MILEAGE = RegistrationKind.TIME, RegistrationKind.EXPENSE, RegistrationKind.MILEAGE
KINDS = (TIME,) * 44 + (EXPENSE,) * 3 + (MILEAGE,) * 3
MINUTES = (15, 15, 15, 30, 30, 30, 30, 45, 45, 60, 60, 90, 120, 180, 240)  # quarters of an hour, so that amounts need no rounding
EXPLICIT_RATES = (60_00, 99_00, 150_00, 175_00)
PRICES = (8_50, 12_95, 24_00, 37_50, 49_99, 89_00, 145_00)
UNSUBMITTED_FROM, UNAPPROVED_FROM = TODAY - 10, TODAY - 25  # later registrations are not all submitted, or not all approved
UNSUBMITTED_STATUSES = (RegistrationStatus.OPEN, RegistrationStatus.OPEN, RegistrationStatus.PENDING)
UNAPPROVED_STATUSES = (RegistrationStatus.PENDING, RegistrationStatus.APPROVED, RegistrationStatus.APPROVED)
REJECTION_PER_CENT = 4
REJECTION_STATUSES = (RegistrationStatus.REJECTED, RegistrationStatus.WRITTEN_OFF, RegistrationStatus.WRITTEN_OFF)
APPROVED_STATUSES = {RegistrationStatus.APPROVED, RegistrationStatus.INVOICED}
TRIPS = (TripType.BUSINESS,) * 12 + (TripType.COMMUTE, TripType.PRIVATE)
HOME = "Groningen"
NOTES = {
    TIME: (None, None, None, "Afstemming met opdrachtgever", "Analyse", "Concept uitgewerkt", "Overleg", "Oplevering voorbereid", "Review",
           "Telefonisch overleg", "Voorbereiding workshop", "Vragen beantwoord"),
    EXPENSE: ("Drukwerk", "Licentie", "Lunch met klant", "Materiaal", "Parkeren", "Treinkaartje"),
    MILEAGE: (None, "Bezoek op locatie", "Overleg op kantoor", "Workshop"),
}  # fmt: skip


@dataclass(slots=True)
class RegistrationDraft:
    """A registration that is being built. It is invoiced once it has an invoice line."""

    kind: RegistrationKind
    day: int
    project: DemoProject | None
    count: int  # minutes, pieces or kilometres
    rate: int  # cents an hour, a piece or a kilometre
    rate_source: RateSource
    is_billable: bool
    status: RegistrationStatus | None = None
    line_id: UUID | None = None

    @property
    def amount(self) -> int:
        """The amount in cents. It is exact, because time is in quarters of an hour and hourly rates are in whole euros."""
        return self.count * self.rate // 60 if self.kind is TIME else self.count * self.rate

    @property
    def is_to_invoice(self) -> bool:
        return self.is_billable and self.status is None and self.amount > 0


class RegistrationRecord(NamedTuple):
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


def draw_registrations(rng: Rng, client: DemoClient, projects: list[DemoProject], count: int) -> list[RegistrationDraft]:
    """Draw the registrations of a client in order of date."""
    drafts = [_draft(rng, client, rng.pick(projects) if projects and not rng.chance(3) else None) for _ in range(count)]
    return sorted(drafts, key=lambda draft: draft.day)


def _draft(rng: Rng, client: DemoClient, project: DemoProject | None) -> RegistrationDraft:
    kind = rng.pick(KINDS)
    count, rate, rate_source = _count_and_rate(rng, client, project, kind)
    return RegistrationDraft(
        kind=kind,
        day=rng.integer_between(project.first_day, project.last_day) if project else rng.integer_between(client.first_day, client.last_day),
        project=project,
        count=count,
        rate=rate,
        rate_source=rate_source,
        is_billable=not (project and project.row.invoice_method == InvoiceMethod.NONE) and not rng.chance(7),
        status=_rejection_status(rng),
    )


def _count_and_rate(rng: Rng, client: DemoClient, project: DemoProject | None, kind: RegistrationKind) -> tuple[int, int, RateSource]:
    """Draw the quantity and the rate, with the source of the rate."""
    if kind is EXPENSE:
        return rng.integer_between(1, 4), rng.pick(PRICES), RateSource.EXPLICIT
    if kind is MILEAGE:
        return rng.integer_between(4, 180), client.mileage_rate or 0, RateSource.NONE if client.mileage_rate is None else RateSource.CLIENT
    hourly_rate, rate_source = (
        (project.hourly_rate, project.rate_source) if project else hourly_price(client, InvoiceMethod.CLIENT_HOURLY, None)
    )
    if hourly_rate and rng.chance(2):
        return rng.pick(MINUTES), rng.pick(EXPLICIT_RATES), RateSource.EXPLICIT
    return rng.pick(MINUTES), hourly_rate, rate_source


def _rejection_status(rng: Rng) -> RegistrationStatus | None:
    return rng.pick(REJECTION_STATUSES) if rng.chance(REJECTION_PER_CENT) else None


def registration_record(rng: Rng, client: DemoClient, draft: RegistrationDraft, members: Sequence[UUID]) -> RegistrationRecord:
    id_, created_at = rng.id_and_time(draft.day)
    status = _status(rng, draft)
    time, expense, mileage = draft.kind is TIME, draft.kind is EXPENSE, draft.kind is MILEAGE
    started_at = MIDNIGHTS[draft.day] + timedelta(minutes=15 * rng.integer_between(30, 70)) if time and rng.chance(25) else None
    return RegistrationRecord(
        id=id_,
        client_id=client.row.id,
        project_id=draft.project.row.id if draft.project else None,
        member_id=rng.pick(members),
        created_at=created_at,
        updated_at=created_at,
        registered_on=WORKDAYS[draft.day],
        kind=draft.kind,
        status=status,
        client_status=RegistrationStatus.APPROVED if status in APPROVED_STATUSES else RegistrationStatus.OPEN,
        is_billable=draft.is_billable,
        note=rng.pick(NOTES[draft.kind]),
        minutes=draft.count if time else None,
        started_at=started_at,
        ended_at=started_at and started_at + timedelta(minutes=draft.count),
        quantity=quantity_to_decimal(draft.count * QUANTITY_OF_ONE) if expense else None,
        unit_price=cents_to_decimal(draft.rate) if expense else None,
        distance_km=quantity_to_decimal(draft.count * QUANTITY_OF_ONE) if mileage else None,
        departure=HOME if mileage else None,
        destination=client.addresses[0].city if mileage else None,
        trip_type=rng.pick(TRIPS) if mileage else None,
        vat_rate_id=client.vat.id if expense else None,
        unit_rate=cents_to_decimal(draft.rate),
        rate_source=draft.rate_source,
        currency=client.row.currency,
        amount_net=cents_to_decimal(draft.amount),
        invoice_line_id=draft.line_id,
    )


def _status(rng: Rng, draft: RegistrationDraft) -> RegistrationStatus:
    if draft.line_id:
        return RegistrationStatus.INVOICED
    if draft.status:
        return draft.status
    if draft.day > UNSUBMITTED_FROM:
        return rng.pick(UNSUBMITTED_STATUSES)
    return rng.pick(UNAPPROVED_STATUSES) if draft.day > UNAPPROVED_FROM else RegistrationStatus.APPROVED

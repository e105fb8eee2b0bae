"""The projects of a client, and their hourly rates."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import DemoClient
from db.demo.money import cents_to_decimal
from db.demo.organization import TENANT
from db.demo.rng import WORKDAYS, Rng
from db.tables.projects import InvoiceMethod, RateSource

METHODS = (
    *(InvoiceMethod.CLIENT_HOURLY,) * 10, *(InvoiceMethod.PROJECT_HOURLY,) * 6, *(InvoiceMethod.PROJECT_FIXED,) * 2, InvoiceMethod.NONE,
)  # fmt: skip
HOURLY_RATES = (None, 70_00, 85_00, 95_00, 105_00, 115_00, 130_00, 155_00)
FIXED_PRICES = (1_500_00, 2_500_00, 4_750_00, 7_500_00, 12_000_00, 18_500_00)
NAMES = {
    "nl": ("Advies", "Doorlopende begeleiding", "Huisstijl", "Jaarplan", "Nieuwbouw", "Onderhoud website", "Opleiding", "Procesverbetering",
           "Verbouwing", "Verhuizing", "Webwinkel", "Werving"),
    "fr": ("Accompagnement", "Conseil", "Formation", "Refonte du site", "Rénovation", "Stratégie"),
    "en": ("Advice", "Continuous support", "Market entry", "Rebranding", "Webshop"),
    "de": ("Beratung", "Laufende Begleitung", "Markteintritt", "Webauftritt"),
}  # fmt: skip


class ProjectRecord(NamedTuple):
    id: UUID
    client_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
    name: str
    code: str
    starts_on: date
    ends_on: date | None
    invoice_method: str
    hourly_rate: Decimal | None
    fixed_price: Decimal | None
    invoice_reference: str | None
    archived_at: datetime | None
    archive_operation_id: UUID | None
    tenant_id: UUID = TENANT


@dataclass(frozen=True, slots=True)
class DemoProject:
    row: ProjectRecord
    first_day: int
    last_day: int
    hourly_rate: int
    rate_source: RateSource


def project_weight(client: DemoClient) -> int:
    """Return the client's share of all projects. It grows with the client's work up to a limit, and is zero without work."""
    return min(client.weight, 60) + 10 if client.weight else 0


def draw_projects(rng: Rng, client: DemoClient, codes: range) -> list[DemoProject]:
    """Draw the client's projects. The first one lasts as long as the client is active."""
    return [_project(rng, client, code, is_whole=code == codes.start) for code in codes]


def _project(rng: Rng, client: DemoClient, code: int, *, is_whole: bool) -> DemoProject:
    first_day = client.first_day if is_whole else rng.integer_between(client.first_day, client.last_day - 40)
    last_day = client.last_day if is_whole or rng.chance(40) else rng.integer_between(first_day + 20, client.last_day)
    method, own_rate = rng.pick(METHODS), rng.pick(HOURLY_RATES)
    own_rate = own_rate if method is InvoiceMethod.PROJECT_HOURLY else None
    archived_at = client.row.archived_at
    id_, created_at = rng.id_and_time(first_day)
    row = ProjectRecord(
        id=id_,
        client_id=client.row.id,
        created_at=created_at,
        updated_at=archived_at or created_at,
        version=2 if archived_at else 1,
        name=f"{rng.pick(NAMES[client.locale.language])} {WORKDAYS[first_day].year}",
        code=f"P{code:04d}",
        starts_on=WORKDAYS[first_day],
        ends_on=WORKDAYS[last_day] if last_day < client.last_day else None,
        invoice_method=method,
        hourly_rate=None if own_rate is None else cents_to_decimal(own_rate),
        fixed_price=cents_to_decimal(rng.pick(FIXED_PRICES)) if method is InvoiceMethod.PROJECT_FIXED else None,
        invoice_reference=f"REF-{rng.digits(6)}" if rng.chance(15) else None,
        archived_at=archived_at,
        archive_operation_id=client.row.archive_operation_id,
    )
    return DemoProject(row, first_day, last_day, *hourly_price(client, method, own_rate))


def hourly_price(client: DemoClient, method: InvoiceMethod, own_rate: int | None) -> tuple[int, RateSource]:
    """Return the hourly rate in cents, and its source: the project's rate, or else the client's, or else zero.

    Hours on a project with a fixed price, or without invoicing, have the rate zero.
    """
    if method in {InvoiceMethod.NONE, InvoiceMethod.PROJECT_FIXED}:
        return 0, RateSource.NONE
    if own_rate is not None:
        return own_rate, RateSource.PROJECT
    return (0, RateSource.NONE) if client.hourly_rate is None else (client.hourly_rate, RateSource.CLIENT)

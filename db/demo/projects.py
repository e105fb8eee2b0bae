"""The projects of a client, and what an hour on them costs."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import Client
from db.demo.dice import WORKDAYS, Dice
from db.demo.money import decimal
from db.demo.organization import TENANT
from db.tables.projects import InvoiceMethod, RateSource

METHODS = (
    *(InvoiceMethod.CLIENT_HOURLY,) * 10, *(InvoiceMethod.PROJECT_HOURLY,) * 6, *(InvoiceMethod.PROJECT_FIXED,) * 2, InvoiceMethod.NONE,
)  # fmt: skip
HOURLY = (None, 70_00, 85_00, 95_00, 105_00, 115_00, 130_00, 155_00)
FIXED = (1_500_00, 2_500_00, 4_750_00, 7_500_00, 12_000_00, 18_500_00)
NAMES = {
    "nl": ("Advies", "Doorlopende begeleiding", "Huisstijl", "Jaarplan", "Nieuwbouw", "Onderhoud website", "Opleiding", "Procesverbetering",
           "Verbouwing", "Verhuizing", "Webwinkel", "Werving"),
    "fr": ("Accompagnement", "Conseil", "Formation", "Refonte du site", "Rénovation", "Stratégie"),
    "en": ("Advice", "Continuous support", "Market entry", "Rebranding", "Webshop"),
    "de": ("Beratung", "Laufende Begleitung", "Markteintritt", "Webauftritt"),
}  # fmt: skip


class ProjectRow(NamedTuple):
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
class Project:
    row: ProjectRow
    since: int
    until: int
    hourly: int
    source: RateSource


def weight(client: Client) -> int:
    """For whom much is done, more projects, but not as many more; none for whom nothing is."""
    return min(client.weight, 60) + 10 if client.weight else 0


def of_client(dice: Dice, client: Client, codes: range) -> list[Project]:
    """The first goes on for as long as the client does."""
    return [_project(dice, client, code, is_whole=code == codes.start) for code in codes]


def _project(dice: Dice, client: Client, code: int, *, is_whole: bool) -> Project:
    since = client.since if is_whole else dice.between(client.since, client.until - 40)
    until = client.until if is_whole or dice.chance(40) else dice.between(since + 20, client.until)
    method, own = dice.pick(METHODS), dice.pick(HOURLY)
    own = own if method is InvoiceMethod.PROJECT_HOURLY else None
    archived_at = client.row.archived_at
    id_, created_at = dice.born(since)
    row = ProjectRow(
        id=id_,
        client_id=client.row.id,
        created_at=created_at,
        updated_at=archived_at or created_at,
        version=2 if archived_at else 1,
        name=f"{dice.pick(NAMES[client.nation.language])} {WORKDAYS[since].year}",
        code=f"P{code:04d}",
        starts_on=WORKDAYS[since],
        ends_on=WORKDAYS[until] if until < client.until else None,
        invoice_method=method,
        hourly_rate=None if own is None else decimal(own),
        fixed_price=decimal(dice.pick(FIXED)) if method is InvoiceMethod.PROJECT_FIXED else None,
        invoice_reference=f"REF-{dice.digits(6)}" if dice.chance(15) else None,
        archived_at=archived_at,
        archive_operation_id=client.row.archive_operation_id,
    )
    return Project(row, since, until, *price(client, method, own))


def price(client: Client, method: InvoiceMethod, own: int | None) -> tuple[int, RateSource]:
    """The rate of an hour: the project's own, else the client's, else nothing. A fixed price covers its hours."""
    if method in {InvoiceMethod.NONE, InvoiceMethod.PROJECT_FIXED}:
        return 0, RateSource.NONE
    if own is not None:
        return own, RateSource.PROJECT
    return (0, RateSource.NONE) if client.hourly is None else (client.hourly, RateSource.CLIENT)

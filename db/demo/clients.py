"""The clients: who they are, by which numbers they are known, and on what terms they are invoiced."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo import addresses, nations, numbers
from db.demo.addresses import AddressRow
from db.demo.dice import TODAY, Dice
from db.demo.money import decimal
from db.demo.nations import COMPANY, GOVERNMENT, PERSON, Named, Nation
from db.demo.organization import TENANT, TERM_DAYS, House, Vat
from db.keys import name_key, number_key
from db.tables.clients import InvoiceDelivery, VatTreatment

EUROPE = ("BE", "DE")
ARCHIVED_PER_CENT = 6
NEWEST = TODAY - 130
LONG_ENOUGH = 60  # working days that even an archived client was one
RATES = (None, 65_00, 75_00, 80_00, 85_00, 90_00, 95_00, 100_00, 105_00, 110_00, 125_00, 140_00)
DELIVERIES = (InvoiceDelivery.EMAIL,) * 14 + (InvoiceDelivery.PEPPOL,) * 4 + (InvoiceDelivery.POST, InvoiceDelivery.MANUAL)
NOTES = (
    None, None, None, None, "Betaalt graag per kwartaal.", "Bellen na tienen; 's woensdags gesloten.", "Contract loopt tot eind 2026.",
    "Heeft een raamovereenkomst; tarief niet wijzigen zonder overleg.", "Facturen altijd met inkoopnummer.",
)  # fmt: skip


class ClientRow(NamedTuple):
    id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
    name: str
    name_key: str
    number: str | None
    number_key: str | None
    kind: str
    is_prospect: bool
    phone: str | None
    email: str
    website: str | None
    language: str
    notes: str | None
    kvk_number: str | None
    kvk_branch_number: str | None
    kbo_number: str | None
    vat_number: str | None
    currency: str
    default_hourly_rate: Decimal | None
    default_mileage_rate: Decimal | None
    vat_treatment: str
    payment_term_days: int | None
    iban: str | None
    bic: str | None
    invoice_delivery: str
    buyer_reference: str | None
    purchase_order_required: bool
    vat_rate_id: UUID | None
    invoice_layout_id: UUID | None
    archived_at: datetime | None
    archived_by: UUID | None
    archive_operation_id: UUID | None
    tenant_id: UUID = TENANT


@dataclass(frozen=True, slots=True)
class Client:
    """A client's row, and what the making of its books needs."""

    row: ClientRow
    addresses: list[AddressRow]
    nation: Nation
    since: int
    until: int  # the last day on which anything is done for it
    weight: int
    hourly: int | None
    mileage: int | None
    vat: Vat
    layout_id: UUID
    term_days: int


class Life(NamedTuple):
    """From which working day to which, how much is done for it, and whether it is over."""

    since: int
    until: int
    weight: int
    is_archived: bool


def clients(count: int, house: House) -> list[Client]:
    dice = Dice("clients")
    archived = set(dice.sample(range(count), count * ARCHIVED_PER_CENT // 100))
    return [_client(dice, house, named, n, _life(dice, is_archived=n in archived)) for n, named in enumerate(nations.named(dice, count))]


def _life(dice: Dice, *, is_archived: bool) -> Life:
    """A few large clients, many of some thirty invoices, and some for whom nothing was done yet."""
    roll = dice.between(1, 100)
    heavy, medium, none = range(1, 3), range(3, 13), range(13, 16)
    weight = dice.between(8, 48)
    if roll in heavy:
        weight = dice.between(350, 900)
    elif roll in medium:
        weight = dice.between(90, 220)
    elif roll in none:
        weight = 0
    since = dice.between(0, LONG_ENOUGH) if roll in heavy else int(dice.random() * dice.random() * NEWEST)
    return Life(since, dice.between(since + LONG_ENOUGH, TODAY - 5) if is_archived else TODAY, weight, is_archived)


def _client(dice: Dice, house: House, named: Named, n: int, life: Life) -> Client:
    treatment = _treatment(dice, named)
    vat, layout = house.vat[treatment], _layout(dice, house, named.nation)
    hourly, mileage = dice.pick(RATES), dice.pick((None, 19, 23, 23, 35, 42))
    row = _row(dice, named, n, life)._replace(
        default_hourly_rate=None if hourly is None else decimal(hourly),
        default_mileage_rate=None if mileage is None else decimal(mileage),
        vat_treatment=treatment,
        vat_rate_id=None if treatment is VatTreatment.DOMESTIC and dice.chance(40) else vat.id,
        invoice_layout_id=layout,
    )
    if life.is_archived:
        operation, at = dice.born(life.until)
        by = dice.pick(house.members[:2]).id
        row = row._replace(archived_at=at, archived_by=by, archive_operation_id=operation, updated_at=at, version=2)
    return Client(
        row=row,
        addresses=addresses.of_client(dice, row.id, named.nation),
        nation=named.nation,
        since=life.since,
        until=life.until,
        weight=life.weight,
        hourly=hourly,
        mileage=mileage,
        vat=vat,
        layout_id=layout or house.default_layout.id,
        term_days=TERM_DAYS if row.payment_term_days is None else row.payment_term_days,
    )


def _row(dice: Dice, named: Named, n: int, life: Life) -> ClientRow:
    """All but the terms that follow from the nation."""
    nation, domain = named.nation, _domain(named.name)
    identity = numbers.identity(dice, nation.country, is_registered=named.kind is not PERSON)
    id_, created_at = dice.born(life.since)
    number = None if dice.chance(8) else f"{n + 1:04d}"
    return ClientRow(
        id=id_,
        created_at=created_at,
        updated_at=created_at,
        version=1,
        name=named.name,
        name_key=name_key(named.name),
        number=number,
        number_key=number and number_key(number),
        kind=named.kind,
        is_prospect=not life.weight,
        phone=None if dice.chance(10) else f"{nation.phone}{dice.digits(2)}",
        email=f"{dice.pick(('administratie', 'info', 'info', 'post'))}@{domain}",
        website=None if named.kind is PERSON or dice.chance(20) else f"https://www.{domain}",
        language=nation.language,
        notes=dice.pick(NOTES),
        kvk_number=identity.kvk,
        kvk_branch_number=identity.branch,
        kbo_number=identity.kbo,
        vat_number=identity.vat,
        currency=nation.currency,
        default_hourly_rate=None,
        default_mileage_rate=None,
        vat_treatment=VatTreatment.DOMESTIC,
        payment_term_days=dice.pick((None, 8, 14, 14, 21, 30, 30, 30, 45, 60)),
        iban=identity.iban,
        bic=identity.bic,
        invoice_delivery=dice.pick(DELIVERIES),
        buyer_reference=f"PO-{dice.digits(5)}" if named.kind is GOVERNMENT or dice.chance(6) else None,
        purchase_order_required=named.kind is GOVERNMENT,
        vat_rate_id=None,
        invoice_layout_id=None,
        archived_at=None,
        archived_by=None,
        archive_operation_id=None,
    )


def _treatment(dice: Dice, named: Named) -> VatTreatment:
    """As an organization in the Netherlands has to invoice them; a private person pays its VAT wherever in Europe they live."""
    country = named.nation.country
    if country == "NL" and named.kind is COMPANY:
        return dice.pick((VatTreatment.DOMESTIC,) * 23 + (VatTreatment.REVERSE_CHARGE, VatTreatment.EXEMPT))
    if country == "NL" or named.kind is PERSON:
        return VatTreatment.DOMESTIC
    return VatTreatment.INTRA_COMMUNITY if country in EUROPE else VatTreatment.EXPORT


def _layout(dice: Dice, house: House, nation: Nation) -> UUID | None:
    """The layout in the client's language, where somebody took the trouble to set it."""
    own = {layout.language: layout.id for layout in house.layouts}
    return own.get(nation.language) if dice.chance(25) else None


def _domain(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name_key(name)).strip("-") + ".example"

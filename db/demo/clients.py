"""The clients of the demo: their names, registration numbers and invoicing terms."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo import addresses, locales, numbers
from db.demo.addresses import AddressRecord
from db.demo.locales import COMPANY, GOVERNMENT, PERSON, ClientName, Locale
from db.demo.money import cents_to_decimal
from db.demo.organization import TENANT, TERM_DAYS, DemoOrganization, LineVat
from db.demo.rng import TODAY, Rng
from db.tables.clients import InvoiceDelivery, VatTreatment
from db.tables.keys import name_key, number_key

EU_COUNTRIES = ("BE", "DE")  # of the demo's clients, apart from the Netherlands
ARCHIVED_PER_CENT = 6
LATEST_FIRST_DAY = TODAY - 130
MIN_WORKING_DAYS = 60  # the minimum number of working days between a client's creation and its archiving
RATES = (None, 65_00, 75_00, 80_00, 85_00, 90_00, 95_00, 100_00, 105_00, 110_00, 125_00, 140_00)
DELIVERIES = (InvoiceDelivery.EMAIL,) * 14 + (InvoiceDelivery.PEPPOL,) * 4 + (InvoiceDelivery.POST, InvoiceDelivery.MANUAL)
NOTES = (
    None, None, None, None, "Betaalt graag per kwartaal.", "Bellen na tienen; 's woensdags gesloten.", "Contract loopt tot eind 2026.",
    "Heeft een raamovereenkomst; tarief niet wijzigen zonder overleg.", "Facturen altijd met inkoopnummer.",
)  # fmt: skip


class ClientRecord(NamedTuple):
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
    vat_rate_id: UUID | None = None
    invoice_layout_id: UUID | None = None
    archived_at: datetime | None = None
    archived_by: UUID | None = None
    archive_operation_id: UUID | None = None
    tenant_id: UUID = TENANT


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A client's row, and the values that its ledger is generated from. Days are indexes into `WORKDAYS`; rates are in cents."""

    row: ClientRecord
    addresses: list[AddressRecord]
    locale: Locale
    first_day: int
    last_day: int  # the last day of work for the client
    weight: int
    hourly_rate: int | None
    mileage_rate: int | None
    vat: LineVat
    layout_id: UUID
    term_days: int


class Lifecycle(NamedTuple):
    """The first and last working day of a client, its share of the work, and whether it is archived."""

    first_day: int
    last_day: int
    weight: int
    is_archived: bool


def invent_clients(count: int, organization: DemoOrganization) -> list[DemoClient]:
    rng = Rng("clients")
    archived_indexes = set(rng.sample(range(count), count * ARCHIVED_PER_CENT // 100))
    return [
        _client(rng, organization, client_name, n, _lifecycle(rng, is_archived=n in archived_indexes))
        for n, client_name in enumerate(locales.client_names(rng, count))
    ]


def _lifecycle(rng: Rng, *, is_archived: bool) -> Lifecycle:
    """Draw a lifecycle: a few clients are large, most have about thirty invoices, and some have no work yet."""
    roll = rng.integer_between(1, 100)
    heavy, medium, idle = range(1, 3), range(3, 13), range(13, 16)
    weight = rng.integer_between(8, 48)
    if roll in heavy:
        weight = rng.integer_between(350, 900)
    elif roll in medium:
        weight = rng.integer_between(90, 220)
    elif roll in idle:
        weight = 0
    first_day = rng.integer_between(0, MIN_WORKING_DAYS) if roll in heavy else int(rng.random() * rng.random() * LATEST_FIRST_DAY)
    return Lifecycle(first_day, rng.integer_between(first_day + MIN_WORKING_DAYS, TODAY - 5) if is_archived else TODAY, weight, is_archived)


def _client(rng: Rng, organization: DemoOrganization, client_name: ClientName, n: int, lifecycle: Lifecycle) -> DemoClient:
    treatment = _vat_treatment(rng, client_name)
    vat, layout = organization.vat[treatment], _layout(rng, organization, client_name.locale)
    hourly_rate, mileage_rate = rng.pick(RATES), rng.pick((None, 19, 23, 23, 35, 42))
    row = _row(rng, client_name, n, lifecycle)._replace(
        default_hourly_rate=None if hourly_rate is None else cents_to_decimal(hourly_rate),
        default_mileage_rate=None if mileage_rate is None else cents_to_decimal(mileage_rate),
        vat_treatment=treatment,
        vat_rate_id=None if treatment is VatTreatment.DOMESTIC and rng.chance(40) else vat.id,
        invoice_layout_id=layout,
    )
    if lifecycle.is_archived:
        operation, archived_at = rng.id_and_time(lifecycle.last_day)
        member_id = rng.pick(organization.members[:2]).id
        row = row._replace(
            archived_at=archived_at, archived_by=member_id, archive_operation_id=operation, updated_at=archived_at, version=2
        )
    return DemoClient(
        row=row,
        addresses=addresses.draw_addresses(rng, row.id, client_name.locale),
        locale=client_name.locale,
        first_day=lifecycle.first_day,
        last_day=lifecycle.last_day,
        weight=lifecycle.weight,
        hourly_rate=hourly_rate,
        mileage_rate=mileage_rate,
        vat=vat,
        layout_id=layout or organization.default_layout.id,
        term_days=TERM_DAYS if row.payment_term_days is None else row.payment_term_days,
    )


def _row(rng: Rng, client_name: ClientName, n: int, lifecycle: Lifecycle) -> ClientRecord:
    """Build the row without rates, VAT treatment, layout and archiving, which `_client` sets."""
    locale, domain = client_name.locale, _domain(client_name.name)
    identity = numbers.registration_numbers(rng, locale.country, is_registered=client_name.kind is not PERSON)
    id_, created_at = rng.id_and_time(lifecycle.first_day)
    number = None if rng.chance(8) else f"{n + 1:04d}"
    return ClientRecord(
        id=id_,
        created_at=created_at,
        updated_at=created_at,
        version=1,
        name=client_name.name,
        name_key=name_key(client_name.name),
        number=number,
        number_key=number and number_key(number),
        kind=client_name.kind,
        is_prospect=not lifecycle.weight,
        phone=None if rng.chance(10) else f"{locale.phone}{rng.digits(2)}",
        email=f"{rng.pick(('administratie', 'info', 'info', 'post'))}@{domain}",
        website=None if client_name.kind is PERSON or rng.chance(20) else f"https://www.{domain}",
        language=locale.language,
        notes=rng.pick(NOTES),
        kvk_number=identity.kvk,
        kvk_branch_number=identity.branch,
        kbo_number=identity.kbo,
        vat_number=identity.vat,
        currency=locale.currency,
        default_hourly_rate=None,
        default_mileage_rate=None,
        vat_treatment=VatTreatment.DOMESTIC,
        payment_term_days=rng.pick((None, 8, 14, 14, 21, 30, 30, 30, 45, 60)),
        iban=identity.iban,
        bic=identity.bic,
        invoice_delivery=rng.pick(DELIVERIES),
        buyer_reference=f"PO-{rng.digits(5)}" if client_name.kind is GOVERNMENT or rng.chance(6) else None,
        purchase_order_required=client_name.kind is GOVERNMENT,
    )


def _vat_treatment(rng: Rng, client_name: ClientName) -> VatTreatment:
    """Draw the treatment that an organization in the Netherlands must use. Private persons abroad pay Dutch VAT."""
    country = client_name.locale.country
    if country == "NL" and client_name.kind is COMPANY:
        return rng.pick((VatTreatment.DOMESTIC,) * 23 + (VatTreatment.REVERSE_CHARGE, VatTreatment.EXEMPT))
    if country == "NL" or client_name.kind is PERSON:
        return VatTreatment.DOMESTIC
    return VatTreatment.INTRA_COMMUNITY if country in EU_COUNTRIES else VatTreatment.EXPORT


def _layout(rng: Rng, organization: DemoOrganization, locale: Locale) -> UUID | None:
    """Return the layout in the client's language for a quarter of the clients; None for the others."""
    layouts_by_language = {layout.language: layout.id for layout in organization.layouts}
    return layouts_by_language.get(locale.language) if rng.chance(25) else None


def _domain(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name_key(name)).strip("-") + ".example"

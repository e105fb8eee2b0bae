"""The demo organization: its members, its API token, VAT rates, invoice layouts and labels."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from db.demo.rng import Rng, uuid7
from db.tables.clients import VatTreatment
from db.tables.contacts import LabelScope
from db.tables.invoices import VatCategory
from db.tables.keys import name_key
from db.tables.organizations import Role

TENANT = UUID("01856c58-3c00-7000-8000-6e6f6f726465")  # a UUIDv7 of `FOUNDED_AT`; the last group is "noorde" in ASCII
FOUNDED_AT = datetime(2023, 1, 1, 8, tzinfo=UTC)
TERM_DAYS = 30
MEMBERS = (
    ("Marieke Noordhof", Role.OWNER), ("Ruben Achterberg", Role.ADMIN), ("Ingrid Vreeswijk", Role.FINANCE),
    ("Stéphane Lambrecht", Role.FINANCE),
    ("Zoë Kuipersma", Role.MEMBER), ("Joris Wijngaard", Role.MEMBER), ("Fatima El Amrani", Role.MEMBER), ("Daan Oldenziel", Role.MEMBER),
    ("Charlotte Deprez", Role.MEMBER), ("Tomasz Nowicki", Role.MEMBER), ("Els van Heukelom", Role.VIEWER),
    ("André Brouckaert", Role.VIEWER),
)  # fmt: skip
VAT_RATES = (
    ("NL", "21 % hoog", 21, VatCategory.STANDARD), ("NL", "9 % laag", 9, VatCategory.STANDARD), ("NL", "0 %", 0, VatCategory.ZERO),
    ("NL", "Vrijgesteld", 0, VatCategory.EXEMPT), ("NL", "Verlegd", 0, VatCategory.REVERSE_CHARGE),
    ("NL", "Intracommunautair", 0, VatCategory.INTRA_COMMUNITY), ("NL", "Export", 0, VatCategory.EXPORT),
    ("BE", "21 %", 21, VatCategory.STANDARD), ("BE", "12 %", 12, VatCategory.STANDARD), ("BE", "6 %", 6, VatCategory.STANDARD),
    ("BE", "0 %", 0, VatCategory.ZERO), ("BE", "Medecontractant", 0, VatCategory.REVERSE_CHARGE),
    ("BE", "Intracommunautair", 0, VatCategory.INTRA_COMMUNITY), ("BE", "Export", 0, VatCategory.EXPORT),
)  # fmt: skip
LAYOUTS = (("Noorderlicht", "nl", True), ("Noorderlicht français", "fr", False), ("Northern Lights", "en", False))
LABELS = (
    "Abonnement", "Advies", "Bouw", "Detachering", "Duurzaam", "Fixed price", "Franstalig", "Groot", "Horeca", "Industrie", "Kennismaking",
    "Kwartaalfactuur", "Non-profit", "Onderwijs", "Overheid", "Partner", "Retail", "Retainer", "Risico", "Slapend", "Startende onderneming",
    "Strippenkaart", "VIP", "Vlaanderen", "Zorg",
)  # fmt: skip
COLORS = ("#0F766E", "#1D4ED8", "#4D7C0F", "#64748B", "#7E22CE", "#B45309", "#BE123C", "#0369A1", "#A16207", "#DC2626")


class OrganizationRecord(NamedTuple):
    created_at: datetime = FOUNDED_AT
    updated_at: datetime = FOUNDED_AT
    version: int = 1
    tenant_id: UUID = TENANT
    name: str = "Noorderlicht Advies"
    base_currency: str = "EUR"
    country: str = "NL"
    locale: str = "nl-NL"
    timezone: str = "Europe/Amsterdam"
    default_payment_term_days: int = TERM_DAYS
    fiscal_year_start_month: int = 1
    client_number_format: str | None = "####"
    invoice_number_format: str | None = "2026-#####"
    client_required: bool = True
    project_required: bool = False


class MemberRecord(NamedTuple):
    id: UUID
    name: str
    email: str
    role: str
    created_at: datetime = FOUNDED_AT
    updated_at: datetime = FOUNDED_AT
    version: int = 1
    tenant_id: UUID = TENANT
    is_active: bool = True


class TokenRecord(NamedTuple):
    id: UUID
    member_id: UUID
    token_hash: bytes
    name: str = "Demo"
    created_at: datetime = FOUNDED_AT
    tenant_id: UUID = TENANT


class VatRateRecord(NamedTuple):
    id: UUID
    country: str
    name: str
    percentage: Decimal
    category: str
    created_at: datetime = FOUNDED_AT
    updated_at: datetime = FOUNDED_AT
    version: int = 1
    tenant_id: UUID = TENANT
    is_active: bool = True


class LayoutRecord(NamedTuple):
    id: UUID
    name: str
    language: str
    is_default: bool
    template: str = "standard"
    created_at: datetime = FOUNDED_AT
    updated_at: datetime = FOUNDED_AT
    version: int = 1
    tenant_id: UUID = TENANT
    is_active: bool = True


class LabelRecord(NamedTuple):
    id: UUID
    name: str
    name_key: str
    color: str
    created_at: datetime = FOUNDED_AT
    updated_at: datetime = FOUNDED_AT
    version: int = 1
    tenant_id: UUID = TENANT
    is_active: bool = True
    scope: str = LabelScope.CLIENT


class LineVat(NamedTuple):
    """The parts of a VAT rate that an invoice line stores, and the percentage as an integer to compute with."""

    id: UUID
    per_cent: int
    percentage: Decimal
    category: str


class DemoOrganization(NamedTuple):
    """The rows that describe the organization itself. The rows of clients and their ledgers refer to them."""

    members: list[MemberRecord]
    token: TokenRecord
    rates: list[VatRateRecord]
    layouts: list[LayoutRecord]
    labels: list[LabelRecord]
    vat: dict[VatTreatment, LineVat]  # the VAT on a client's invoices, by the client's VAT treatment
    vat_low: LineVat  # the Dutch low rate, for some products

    @property
    def default_layout(self) -> LayoutRecord:
        return next(layout for layout in self.layouts if layout.is_default)


def build_organization(token_hash: bytes, labels: int) -> DemoOrganization:
    rng = Rng("organization")
    members = [MemberRecord(_id(rng), name, _email(name), role) for name, role in MEMBERS]
    rates = [VatRateRecord(_id(rng), country, name, Decimal(percentage), category) for country, name, percentage, category in VAT_RATES]
    return DemoOrganization(
        members=members,
        token=TokenRecord(_id(rng), members[0].id, token_hash),
        rates=rates,
        layouts=[LayoutRecord(_id(rng), *layout) for layout in LAYOUTS],
        labels=[LabelRecord(_id(rng), name, name_key(name), COLORS[n % len(COLORS)]) for n, name in enumerate(LABELS[:labels])],
        vat=_vat_by_treatment([_to_vat(rate) for rate in rates]),
        vat_low=_to_vat(rates[1]),
    )


def _id(rng: Rng) -> UUID:
    return uuid7(round(FOUNDED_AT.timestamp()) * 1000, rng.getrandbits(74))


def _email(name: str) -> str:
    return f"{name_key(name).replace(' ', '.')}@noorderlicht.example"


OWNER_EMAIL = _email(MEMBERS[0][0])


def _to_vat(rate: VatRateRecord) -> LineVat:
    return LineVat(rate.id, int(rate.percentage), rate.percentage, rate.category)


def _vat_by_treatment(rates: list[LineVat]) -> dict[VatTreatment, LineVat]:
    """Return the VAT of each treatment. Use the Dutch rates, which come first, because the organization is in the Netherlands."""
    high, _low, _zero, exempt, reverse, intra_community, export, *_belgian = rates
    return {
        VatTreatment.DOMESTIC: high,
        VatTreatment.EXEMPT: exempt,
        VatTreatment.REVERSE_CHARGE: reverse,
        VatTreatment.INTRA_COMMUNITY: intra_community,
        VatTreatment.EXPORT: export,
    }

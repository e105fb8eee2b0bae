"""Invented addresses in the formats of their countries."""

from typing import NamedTuple
from uuid import UUID

from db.demo.locales import Locale
from db.demo.organization import TENANT
from db.demo.rng import Rng
from db.tables.clients import AddressType

LETTERS = "ABCDEGHJKLMNPRTVWXZ"  # of postcodes; without S, since SA, SD and SS are not assigned
INVOICE_ADDRESS_PER_CENT = 18
DEPARTMENTS = {"nl": "Crediteurenadministratie", "fr": "Comptabilité fournisseurs", "en": "Accounts payable", "de": "Buchhaltung"}
BOXES = {"NL": "Postbus", "BE": "PB", "GB": "PO Box", "US": "PO Box", "DE": "Postfach"}


class AddressRecord(NamedTuple):
    client_id: UUID
    type: str
    line1: str
    postal_code: str
    city: str
    country: str
    line2: str | None = None
    attention: str | None = None
    tenant_id: UUID = TENANT

    @property
    def text(self) -> str:
        """The address in lines, as on an invoice."""
        parts = (self.attention, self.line1, self.line2, f"{self.postal_code} {self.city}", self.country)
        return "\n".join(part for part in parts if part)


def draw_addresses(rng: Rng, client_id: UUID, locale: Locale) -> list[AddressRecord]:
    """Draw the primary address, followed for some clients by an invoice address."""
    city = rng.pick(tuple(locale.cities))
    primary = AddressRecord(client_id, AddressType.PRIMARY, _street(rng, locale), _postcode(rng, locale, city), city, locale.country)
    if rng.chance(10):
        primary = primary._replace(line2=rng.pick(("1e verdieping", "Gebouw B", "Unit 4")) if locale.language == "nl" else None)
    if not rng.chance(INVOICE_ADDRESS_PER_CENT):
        return [primary]
    box = f"{BOXES[locale.country]} {rng.integer_between(100, 9_999)}"
    invoice = AddressRecord(client_id, AddressType.INVOICE, box, _postcode(rng, locale, city), city, locale.country)
    return [primary, invoice._replace(attention=DEPARTMENTS[locale.language])]


def _street(rng: Rng, locale: Locale) -> str:
    street, number = rng.pick(locale.streets), rng.integer_between(1, 240)
    return f"{number} {street}" if locale.language == "en" else f"{street} {number}"


def _postcode(rng: Rng, locale: Locale, city: str) -> str:
    base = locale.cities[city]
    letters = f"{rng.pick(LETTERS)}{rng.pick(LETTERS)}"
    match locale.country:
        case "NL":
            return f"{base + rng.integer_between(11, 99)} {letters}"
        case "GB":
            return f"{letters}{rng.integer_between(1, 9)} {rng.integer_between(1, 9)}{letters}"
        case "BE":
            return str(base + rng.pick((0, 0, 0, 10, 20, 30)))
        case _:
            return f"{base + rng.integer_between(10, 89):05d}"

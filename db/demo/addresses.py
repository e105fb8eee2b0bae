"""Addresses in the forms of their countries; the streets and numbers are invented."""

from typing import NamedTuple
from uuid import UUID

from db.demo.dice import Dice
from db.demo.nations import Nation
from db.demo.organization import TENANT
from db.tables.clients import AddressType

LETTERS = "ABCDEGHJKLMNPRTVWXZ"  # no S: SA, SD and SS are not given out
INVOICE_ADDRESS_PER_CENT = 18
DEPARTMENTS = {"nl": "Crediteurenadministratie", "fr": "Comptabilité fournisseurs", "en": "Accounts payable", "de": "Buchhaltung"}
BOXES = {"NL": "Postbus", "BE": "PB", "GB": "PO Box", "US": "PO Box", "DE": "Postfach"}


class AddressRow(NamedTuple):
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
        """As an invoice shows it."""
        parts = (self.attention, self.line1, self.line2, f"{self.postal_code} {self.city}", self.country)
        return "\n".join(part for part in parts if part)


def of_client(dice: Dice, client_id: UUID, nation: Nation) -> list[AddressRow]:
    """The primary address, and for some another one for invoices, which is then the last."""
    city = dice.pick(tuple(nation.cities))
    primary = AddressRow(client_id, AddressType.PRIMARY, _street(dice, nation), _postcode(dice, nation, city), city, nation.country)
    if dice.chance(10):
        primary = primary._replace(line2=dice.pick(("1e verdieping", "Gebouw B", "Unit 4")) if nation.language == "nl" else None)
    if not dice.chance(INVOICE_ADDRESS_PER_CENT):
        return [primary]
    box = f"{BOXES[nation.country]} {dice.between(100, 9_999)}"
    invoice = AddressRow(client_id, AddressType.INVOICE, box, _postcode(dice, nation, city), city, nation.country)
    return [primary, invoice._replace(attention=DEPARTMENTS[nation.language])]


def _street(dice: Dice, nation: Nation) -> str:
    street, number = dice.pick(nation.streets), dice.between(1, 240)
    return f"{number} {street}" if nation.language == "en" else f"{street} {number}"


def _postcode(dice: Dice, nation: Nation, city: str) -> str:
    begins = nation.cities[city]
    letters = f"{dice.pick(LETTERS)}{dice.pick(LETTERS)}"
    match nation.country:
        case "NL":
            return f"{begins + dice.between(11, 99)} {letters}"
        case "GB":
            return f"{letters}{dice.between(1, 9)} {dice.between(1, 9)}{letters}"
        case "BE":
            return str(begins + dice.pick((0, 0, 0, 10, 20, 30)))
        case _:
            return f"{begins + dice.between(10, 89):05d}"

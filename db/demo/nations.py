"""Where the demo's clients come from, and how companies are named there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from db.demo import words
from db.demo.dice import Dice, shares
from db.tables.clients import ClientKind

COMPANY, PERSON, GOVERNMENT = ClientKind.COMPANY, ClientKind.PERSON, ClientKind.GOVERNMENT
KINDS = (COMPANY,) * 88 + (PERSON,) * 8 + (GOVERNMENT,) * 4
NAMESAKES_EVERY = 97  # every so many clients, one bears the name of the client before it


@dataclass(frozen=True, slots=True)
class Nation:
    """A country, or one language of it."""

    country: str
    language: str
    currency: str
    surnames: tuple[str, ...]
    first_names: tuple[str, ...]
    forms: tuple[str, ...]
    activities: tuple[str, ...]
    cities: dict[str, int]  # with the number that its postcodes begin at
    streets: tuple[str, ...]
    phone: str  # followed by two digits
    trades: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    governments: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()


DUTCH_ACTIVITIES = (
    "Advies",
    "Bouw",
    "Groep",
    "Interieur",
    "Logistiek",
    "Media",
    "Onderhoud",
    "Opleidingen",
    "Techniek",
    "Vastgoed",
    "Zorg",
)
NETHERLANDS = Nation(
    "NL", "nl", "EUR", words.DUTCH_SURNAMES, words.DUTCH_FIRST, ("BV", "BV", "BV", "VOF", "B.V.",
    "NV"), DUTCH_ACTIVITIES, words.DUTCH_CITIES,
    words.DUTCH_STREETS, "+31 20 555 01", words.DUTCH_TRADES, words.DUTCH_SIGNS,
    ("Gemeente", "Omgevingsdienst", "Veiligheidsregio", "Waterschap"), words.INVENTED_TOWNS,
)  # fmt: skip
FLANDERS = Nation(
    "BE", "nl", "EUR", words.FLEMISH_SURNAMES, words.FLEMISH_FIRST, ("BV", "BV", "NV", "VOF", "CV"), DUTCH_ACTIVITIES, words.FLEMISH_CITIES,
    words.DUTCH_STREETS, "+32 2 555 01 ", words.DUTCH_TRADES, words.DUTCH_SIGNS, ("Gemeente", "OCMW", "Stad"), words.INVENTED_FLEMISH_TOWNS,
)  # fmt: skip
WALLONIA = Nation(
    "BE", "fr", "EUR", words.FRENCH_SURNAMES, words.FRENCH_FIRST, ("SRL", "SRL", "SA", "SNC"),
    ("Associés", "Bâtiment", "Conseil", "Énergie", "Formation", "Logistique", "Santé"), words.WALLOON_CITIES, words.FRENCH_STREETS,
    "+32 4 555 01 ", words.FRENCH_TRADES, words.FRENCH_SIGNS, ("CPAS de", "Intercommunale de", "Ville de"), words.INVENTED_WALLOON_TOWNS,
)  # fmt: skip
BRITAIN = Nation(
    "GB", "en", "GBP", words.ENGLISH_SURNAMES, words.ENGLISH_FIRST, ("Ltd", "LLP"), ("Architects", "Engineering", "Interiors", "Marine"),
    {"London": 1, "Bristol": 1, "Leeds": 1}, ("Mill Lane", "Priory Road", "Quayside"), "+44 20 7946 09",
)  # fmt: skip
AMERICA = Nation(
    "US", "en", "USD", words.ENGLISH_SURNAMES, words.ENGLISH_FIRST, ("Inc.", "LLC"), ("Analytics", "Instruments", "Outfitters", "Partners"),
    {"Boston, MA": 2100, "Portland, OR": 97200, "Austin, TX": 78700}, ("Alder Street", "Harbor Avenue", "Maple Drive"), "+1 555 555 01",
)  # fmt: skip
GERMANY = Nation(
    "DE", "de", "EUR", words.GERMAN_SURNAMES, words.GERMAN_FIRST, ("GmbH", "KG"), ("Anlagenbau", "Möbel", "Präzisionsteile", "Werkzeugbau"),
    {"Münster": 48100, "Köln": 50600, "Düsseldorf": 40200}, ("Ahornweg", "Hafenstraße", "Lindenallee"), "+49 30 231250",
)  # fmt: skip
PER_THOUSAND = ((NETHERLANDS, 700), (FLANDERS, 170), (WALLONIA, 100), (BRITAIN, 12), (AMERICA, 10), (GERMANY, 8))


class Named(NamedTuple):
    nation: Nation
    kind: ClientKind
    name: str


def named(dice: Dice, count: int) -> Iterator[Named]:
    """Nations by their shares, in no order; names once each, but for the namesakes."""
    wanted = shares(count, [share for _, share in PER_THOUSAND])
    places = [nation for (nation, _), times in zip(PER_THOUSAND, wanted, strict=True) for _ in range(times)]
    dice.shuffle(places)
    seen: set[str] = set()
    before: Named | None = None
    for n, nation in enumerate(places, start=1):
        is_namesake = n % NAMESAKES_EVERY == 0
        before = before if before and is_namesake else _new_name(dice, nation, seen)
        yield before


def _new_name(dice: Dice, nation: Nation, seen: set[str]) -> Named:
    while True:
        kind = dice.pick(KINDS) if nation.trades else COMPANY
        made = {COMPANY: company, PERSON: person, GOVERNMENT: government}[kind]
        name = made(dice, nation)
        if name not in seen:
            seen.add(name)
            return Named(nation, kind, name)


def company(dice: Dice, nation: Nation) -> str:
    """A trade and who runs it, a trade and its sign, two partners, or a family and what it does."""
    form, surname = dice.pick(nation.forms), dice.pick(nation.surnames)
    kind = dice.between(0, 9)
    if nation.trades and kind in range(4):
        return f"{dice.pick(nation.trades)} {surname} {form}"
    if nation.trades and kind in range(4, 7):
        return f"{dice.pick(nation.trades)} {dice.pick(nation.signs)}{dice.pick(('', f' {form}'))}"
    if kind in range(8):
        return f"{surname} & {dice.pick(nation.surnames)} {form}"
    return f"{surname} {dice.pick(nation.activities)} {form}"


def person(dice: Dice, nation: Nation) -> str:
    return f"{dice.pick(nation.first_names)} {dice.pick(nation.surnames)}"


def government(dice: Dice, nation: Nation) -> str:
    """An authority of a town that is not on the map."""
    return f"{dice.pick(nation.governments)} {dice.pick(nation.towns)}"

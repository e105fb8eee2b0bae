"""The locales of the demo's clients, and invented names of companies, persons and authorities in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from db.demo import vocabulary
from db.demo.rng import Rng, split_by_weight
from db.tables.clients import ClientKind

COMPANY, PERSON, GOVERNMENT = ClientKind.COMPANY, ClientKind.PERSON, ClientKind.GOVERNMENT
KINDS = (COMPANY,) * 88 + (PERSON,) * 8 + (GOVERNMENT,) * 4
NAMESAKES_EVERY = 97  # every 97th client has the same name as the client before it


@dataclass(frozen=True, slots=True)
class Locale:
    """A country, or a part of it with one language."""

    country: str
    language: str
    currency: str
    surnames: tuple[str, ...]
    first_names: tuple[str, ...]
    forms: tuple[str, ...]
    activities: tuple[str, ...]
    cities: dict[str, int]  # the lowest postcode number of each city
    streets: tuple[str, ...]
    phone: str  # a phone number without its last two digits
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
NETHERLANDS = Locale(
    "NL",
    "nl",
    "EUR",
    vocabulary.DUTCH_SURNAMES,
    vocabulary.DUTCH_FIRST,
    ("BV", "BV", "BV", "VOF", "B.V.", "NV"),
    DUTCH_ACTIVITIES,
    vocabulary.DUTCH_CITIES,
    vocabulary.DUTCH_STREETS,
    "+31 20 555 01",
    vocabulary.DUTCH_TRADES,
    vocabulary.DUTCH_SIGNS,
    ("Gemeente", "Omgevingsdienst", "Veiligheidsregio", "Waterschap"),
    vocabulary.INVENTED_TOWNS,
)
FLANDERS = Locale(
    "BE",
    "nl",
    "EUR",
    vocabulary.FLEMISH_SURNAMES,
    vocabulary.FLEMISH_FIRST,
    ("BV", "BV", "NV", "VOF", "CV"),
    DUTCH_ACTIVITIES,
    vocabulary.FLEMISH_CITIES,
    vocabulary.DUTCH_STREETS,
    "+32 2 555 01 ",
    vocabulary.DUTCH_TRADES,
    vocabulary.DUTCH_SIGNS,
    ("Gemeente", "OCMW", "Stad"),
    vocabulary.INVENTED_FLEMISH_TOWNS,
)
WALLONIA = Locale(
    "BE",
    "fr",
    "EUR",
    vocabulary.FRENCH_SURNAMES,
    vocabulary.FRENCH_FIRST,
    ("SRL", "SRL", "SA", "SNC"),
    ("Associés", "Bâtiment", "Conseil", "Énergie", "Formation", "Logistique", "Santé"),
    vocabulary.WALLOON_CITIES,
    vocabulary.FRENCH_STREETS,
    "+32 4 555 01 ",
    vocabulary.FRENCH_TRADES,
    vocabulary.FRENCH_SIGNS,
    ("CPAS de", "Intercommunale de", "Ville de"),
    vocabulary.INVENTED_WALLOON_TOWNS,
)
BRITAIN = Locale(
    "GB",
    "en",
    "GBP",
    vocabulary.ENGLISH_SURNAMES,
    vocabulary.ENGLISH_FIRST,
    ("Ltd", "LLP"),
    ("Architects", "Engineering", "Interiors", "Marine"),
    {"London": 1, "Bristol": 1, "Leeds": 1},
    ("Mill Lane", "Priory Road", "Quayside"),
    "+44 20 7946 09",
)
AMERICA = Locale(
    "US",
    "en",
    "USD",
    vocabulary.ENGLISH_SURNAMES,
    vocabulary.ENGLISH_FIRST,
    ("Inc.", "LLC"),
    ("Analytics", "Instruments", "Outfitters", "Partners"),
    {"Boston, MA": 2100, "Portland, OR": 97200, "Austin, TX": 78700},
    ("Alder Street", "Harbor Avenue", "Maple Drive"),
    "+1 555 555 01",
)
GERMANY = Locale(
    "DE",
    "de",
    "EUR",
    vocabulary.GERMAN_SURNAMES,
    vocabulary.GERMAN_FIRST,
    ("GmbH", "KG"),
    ("Anlagenbau", "Möbel", "Präzisionsteile", "Werkzeugbau"),
    {"Münster": 48100, "Köln": 50600, "Düsseldorf": 40200},
    ("Ahornweg", "Hafenstraße", "Lindenallee"),
    "+49 30 231250",
)
PER_THOUSAND = ((NETHERLANDS, 700), (FLANDERS, 170), (WALLONIA, 100), (BRITAIN, 12), (AMERICA, 10), (GERMANY, 8))


class ClientName(NamedTuple):
    locale: Locale
    kind: ClientKind
    name: str


def client_names(rng: Rng, count: int) -> Iterator[ClientName]:
    """Generate the names of clients, in locales by their shares and in random order. Names are unique, except for namesakes."""
    counts = split_by_weight(count, [share for _, share in PER_THOUSAND])
    locales = [locale for (locale, _), count_of_locale in zip(PER_THOUSAND, counts, strict=True) for _ in range(count_of_locale)]
    rng.shuffle(locales)
    names_in_use: set[str] = set()
    previous: ClientName | None = None
    for n, locale in enumerate(locales, start=1):
        is_namesake = n % NAMESAKES_EVERY == 0
        previous = previous if previous and is_namesake else _new_name(rng, locale, names_in_use)
        yield previous


def _new_name(rng: Rng, locale: Locale, names_in_use: set[str]) -> ClientName:
    while True:
        kind = rng.pick(KINDS) if locale.trades else COMPANY
        make_name = {COMPANY: company_name, PERSON: person_name, GOVERNMENT: government_name}[kind]
        name = make_name(rng, locale)
        if name not in names_in_use:
            names_in_use.add(name)
            return ClientName(locale, kind, name)


def company_name(rng: Rng, locale: Locale) -> str:
    """Invent a company's name, from a trade and a surname, a trade and a sign, two surnames, or a surname and an activity."""
    form, surname = rng.pick(locale.forms), rng.pick(locale.surnames)
    kind = rng.integer_between(0, 9)
    if locale.trades and kind in range(4):
        return f"{rng.pick(locale.trades)} {surname} {form}"
    if locale.trades and kind in range(4, 7):
        return f"{rng.pick(locale.trades)} {rng.pick(locale.signs)}{rng.pick(('', f' {form}'))}"
    if kind in range(8):
        return f"{surname} & {rng.pick(locale.surnames)} {form}"
    return f"{surname} {rng.pick(locale.activities)} {form}"


def person_name(rng: Rng, locale: Locale) -> str:
    return f"{rng.pick(locale.first_names)} {rng.pick(locale.surnames)}"


def government_name(rng: Rng, locale: Locale) -> str:
    """Invent the name of an authority of a town that does not exist."""
    return f"{rng.pick(locale.governments)} {rng.pick(locale.towns)}"

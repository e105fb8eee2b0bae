"""Stored keys made in Python: identifiers that sort by time, and folded texts to sort and match by."""

import re
import unicodedata
from uuid import UUID

from uuid_utils.compat import uuid7

# Default_Ignorable_Code_Point of DerivedCoreProperties.txt (Unicode 17): a screen shows none of these.
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{IGNORABLE}]+")
KEY_SEPARATOR = "\u2060"  # ignorable, so no folded text contains it: a suffix after it makes a stored key unique


def new_id() -> UUID:
    """A UUIDv7: later ones sort after earlier ones, so that new rows lie together in their index."""
    return uuid7()


def name_key(name: str) -> str:
    """Fold a name: without capitals, accents, invisible characters and surplus blanks. `Café  Zürich` becomes `cafe zurich`.

    Twice, because folding case can bring marks back and removing marks can bring capitals within reach.
    """
    if name.isascii():
        return " ".join(name.casefold().split())
    text = INVISIBLE.sub("", name)
    for _ in range(2):
        nfkd = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in nfkd if not unicodedata.combining(character)).casefold()
    return " ".join(text.split())


def number_key(number: str) -> str:
    """Fold a number, as text: without capitals, invisible characters and outer blanks, in one width. `0012` stays apart from `12`.

    The steps are those of a compatibility caseless match (Unicode, section 3.13, D146), so that folding twice changes nothing.
    """
    if number.isascii():
        return number.casefold().strip()
    text = unicodedata.normalize("NFD", INVISIBLE.sub("", number))
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return text.strip()

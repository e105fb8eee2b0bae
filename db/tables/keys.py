"""Compute stored keys: ids that sort by time, and folded texts to sort and match by."""

import re
import unicodedata
from uuid import UUID

from uuid_utils.compat import uuid7

# Default_Ignorable_Code_Point of DerivedCoreProperties.txt (Unicode 17): characters that are not displayed.
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{IGNORABLE}]+")
KEY_SEPARATOR = "\u2060"  # starts a suffix that makes a stored key unique; it is ignorable, so no folded text contains it


def new_id() -> UUID:
    """Return a UUIDv7. It sorts after earlier ones, so that new rows are next to each other in an index."""
    return uuid7()


def name_key(name: str) -> str:
    """Fold a name: remove case, accents, invisible characters and repeated spaces. `Café  Zürich` becomes `cafe zurich`.

    It runs twice, because folding the case can add combining marks, and removing marks can produce letters whose case is not folded yet.
    """
    if name.isascii():
        return " ".join(name.casefold().split())
    text = INVISIBLE.sub("", name)
    for _ in range(2):
        nfkd = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in nfkd if not unicodedata.combining(character)).casefold()
    return " ".join(text.split())


def number_key(number: str) -> str:
    """Fold a number, which is text: remove case, invisible characters and outer spaces, and unify widths. `0012` differs from `12`.

    The steps are those of a compatibility caseless match (Unicode, section 3.13, D146), so that folding a key again does not change it.
    """
    if number.isascii():
        return number.casefold().strip()
    text = unicodedata.normalize("NFD", INVISIBLE.sub("", number))
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return text.strip()

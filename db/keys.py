"""Keys made in Python: identifiers that sort by time, and folded texts to order and match by."""

import re
import unicodedata
from uuid import UUID

from uuid_utils.compat import uuid7

BLANKS = re.compile(r"\s+")


def new_id() -> UUID:
    """A UUIDv7: later ones sort after earlier ones, so that new rows lie together in their index."""
    return uuid7()


def name_key(name: str) -> str:
    """A name without capitals, accents and surplus blanks: `Café  Zürich` becomes `cafe zurich`."""
    apart = unicodedata.normalize("NFKD", name)
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return BLANKS.sub(" ", bare.casefold()).strip()


def number_key(number: str) -> str:
    """A number as text without capitals and outer blanks: `0012` stays apart from `12`."""
    return number.strip().casefold()

"""Global ids: the way to ask for any object again, whatever its type.

An id is a prefix for the type, `_`, and the UUID of the row in base64url (RFC 4648, section 5) without padding: 26 characters that need no
escaping in an address. It says nothing of the organization, and an object has the same id wherever it is reached.
"""

import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from graphql import GraphQLError
from graphql.pyutils import inspect

from resolvers.inlined import Text

PREFIXES = {
    "ActivityEvent": "act",
    "ApiToken": "tok",
    "Client": "cli",
    "ClientPortal": "por",
    "Contact": "con",
    "Invoice": "inv",
    "InvoiceLayout": "lay",
    "Label": "lab",
    "Member": "mem",
    "Organization": "org",
    "Project": "prj",
    "Quote": "quo",
    "Registration": "reg",
    "VatRate": "vat",
}
TYPES = {prefix: name for name, prefix in PREFIXES.items()}
# 22 characters have 132 bits. The last has two of the 128 and four zeros, so that an object has one id.
SHAPE = re.compile(r"([a-z]{3})_([A-Za-z0-9_-]{21}[AQgw])", re.ASCII)
LENGTH = 22
URL_SAFE = bytes.maketrans(b"+/", b"-_")
HOW = "Send the `id` of an object as it was served, such as `cli_AYcPNXmxeTOtA6jp4XV3Fw`. Ids of the form before that are no longer valid."


@dataclass(frozen=True, slots=True)
class GlobalId:
    """An id that was given: the type of its object, and the UUID of the row."""

    type_name: str
    key: UUID

    def of(self, type_name: str) -> UUID | None:
        """Return the key if the id is of that type."""
        return self.key if self.type_name == type_name else None


def global_id(type_name: str) -> Callable[[UUID], str]:
    """Return what makes the id of a row of that type from its UUID."""
    prefix = f"{PREFIXES[type_name]}_"
    return lambda key: prefix + b2a_base64(key.bytes, newline=False)[:LENGTH].translate(URL_SAFE).decode()


def id_of_row(type_name: str) -> Text:
    """Return what makes the id of a row of that type: the same as `global_id` of its UUID, without a call for each row."""
    made = global_id(type_name)
    rest = f".bytes, newline=False)[:{LENGTH}].translate(URL_SAFE).decode()"
    return Text(
        lambda row: made(row.id),
        lambda read: f"'{PREFIXES[type_name]}_' + b2a_base64({read('id')}{rest}",
        {"b2a_base64": b2a_base64, "URL_SAFE": URL_SAFE},
    )


def parse_id(value: object) -> GlobalId:
    """Read an id.

    Raises `GraphQLError` if it is none.
    """
    found = SHAPE.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[1] not in TYPES:
        raise GraphQLError(f"{inspect(value)} is not an id. {HOW}")
    return GlobalId(TYPES[found[1]], UUID(bytes=urlsafe_b64decode(found[2] + "==")))

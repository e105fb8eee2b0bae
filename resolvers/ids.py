"""Encode and parse global ids, which identify any object, whatever its type.

An id is a prefix for the type, `_`, and the UUID of the row in base64url (RFC 4648, section 5) without padding: 26 characters that need no
escaping in a URL. It does not contain the organization, and an object has the same id wherever it appears.

In the input of a mutation, a text that is not an id is treated as the id of no object, so that the rule reports it as any unknown id.
Everywhere else it is an error.
"""

import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from graphql import GraphQLError
from graphql.pyutils import inspect

from domain.core.errors import BadInput
from resolvers.execution.expressions import TextExpression
from resolvers.execution.strictness import are_ids_strict

PREFIXES = {
    "ActivityEvent": "act",
    "ApiToken": "tok",
    "Client": "cli",
    "ClientExportJob": "cej",
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
    "RevenueRebuildJob": "rbj",
    "VatRate": "vat",
}
TYPES = {prefix: name for name, prefix in PREFIXES.items()}
# 22 characters have 132 bits. The last character has two bits of the UUID and four zeros: other bits would give an object several ids.
ID_PATTERN = re.compile(r"([a-z]{3})_([A-Za-z0-9_-]{21}[AQgw])", re.ASCII)
ENCODED_LENGTH = 22
URL_SAFE = bytes.maketrans(b"+/", b"-_")
MAX_DISTINCT_LENGTH = 100  # characters of a malformed id that distinguish it from others; the rest of a long text costs nothing
MISSING_VERSION = 5  # of UUIDs that no row has: rows have version 7
FORMAT_HINT = (
    "Send the `id` of an object as the API returned it, such as `cli_AYcPNXmxeTOtA6jp4XV3Fw`. Earlier formats are no longer valid."
)


@dataclass(frozen=True, slots=True)
class GlobalId:
    """A parsed id: the type of its object, and the UUID of the row. A malformed id has no type, and a UUID that no row has."""

    type_name: str | None
    key: UUID

    def require_type(self) -> str:
        """Return the type. Raises `BadInput` if the id is malformed."""
        if self.type_name is None:
            raise BadInput(f"This is not an id. {FORMAT_HINT}")
        return self.type_name

    def key_of_type(self, type_name: str) -> UUID | None:
        """Return the key if the id is of that type, and None otherwise. Raises `BadInput` if the id is malformed."""
        return self.key if self.require_type() == type_name else None


def make_id_encoder(type_name: str) -> Callable[[UUID], str]:
    """Return a function that encodes the UUID of a row of that type as its id."""
    prefix = f"{PREFIXES[type_name]}_"
    return lambda key: prefix + b2a_base64(key.bytes, newline=False)[:ENCODED_LENGTH].translate(URL_SAFE).decode()


def make_row_id(type_name: str) -> TextExpression:
    """Return the expression of a row's id. It is equivalent to `make_id_encoder`, but needs no call for each row."""
    encode = make_id_encoder(type_name)
    encoding = f".bytes, newline=False)[:{ENCODED_LENGTH}].translate(URL_SAFE).decode()"
    return TextExpression(
        lambda row: encode(row.id),
        lambda read: f"'{PREFIXES[type_name]}_' + b2a_base64({read('id')}{encoding}",
        {"b2a_base64": b2a_base64, "URL_SAFE": URL_SAFE},
    )


def parse_id(value: object) -> GlobalId:
    """Parse an id.

    Raises `GraphQLError` if the value is not a text, and within `strict_ids` also if the text is malformed.
    """
    match = ID_PATTERN.fullmatch(value) if isinstance(value, str) else None
    if match and match[1] in TYPES:
        return GlobalId(TYPES[match[1]], UUID(bytes=urlsafe_b64decode(match[2] + "==")))
    if isinstance(value, str) and not are_ids_strict():
        # `ascii` escapes half a surrogate pair, which has no bytes.
        return GlobalId(None, uuid5(NAMESPACE_URL, ascii(value[:MAX_DISTINCT_LENGTH])))
    raise GraphQLError(f"{inspect(value)} is not an id. {FORMAT_HINT}")

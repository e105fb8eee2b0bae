"""Encode and parse global ids, which identify any object, whatever its type.

An id is a prefix for the type, `_`, and the UUID of the row in base64url (RFC 4648, section 5) without padding: 26 characters that need no
escaping in a URL. It does not contain the organization, and an object has the same id wherever it appears.
"""

import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from graphql import GraphQLError
from graphql.pyutils import inspect

from resolvers.execution.expressions import TextExpression

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
# 22 characters have 132 bits. The last character has two bits of the UUID and four zeros: other bits would give an object several ids.
ID_PATTERN = re.compile(r"([a-z]{3})_([A-Za-z0-9_-]{21}[AQgw])", re.ASCII)
ENCODED_LENGTH = 22
URL_SAFE = bytes.maketrans(b"+/", b"-_")
FORMAT_HINT = (
    "Send the `id` of an object as the API returned it, such as `cli_AYcPNXmxeTOtA6jp4XV3Fw`. Earlier formats are no longer valid."
)


@dataclass(frozen=True, slots=True)
class GlobalId:
    """A parsed id: the type of its object, and the UUID of the row."""

    type_name: str
    key: UUID

    def key_of_type(self, type_name: str) -> UUID | None:
        """Return the key if the id is of that type, and None otherwise."""
        return self.key if self.type_name == type_name else None


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

    Raises `GraphQLError` if the value is not an id.
    """
    match = ID_PATTERN.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[1] not in TYPES:
        raise GraphQLError(f"{inspect(value)} is not an id. {FORMAT_HINT}")
    return GlobalId(TYPES[match[1]], UUID(bytes=urlsafe_b64decode(match[2] + "==")))

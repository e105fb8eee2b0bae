"""Encode and decode ids of the API, independently of the code that is tested."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from resolvers.ids import PREFIXES

TYPES_BY_PREFIX = {prefix: kind for kind, prefix in PREFIXES.items()}


def global_id(kind: str, key: UUID) -> str:
    return f"{PREFIXES[kind]}_{urlsafe_b64encode(key.bytes).decode().rstrip('=')}"


def type_of(id_: str) -> str:
    return TYPES_BY_PREFIX[id_.partition("_")[0]]


def decode_key(id_: str) -> UUID:
    return UUID(bytes=urlsafe_b64decode(id_.partition("_")[2] + "=="))

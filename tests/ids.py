"""Ids as the API serves them, made and read apart from the code that is tested."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from resolvers.ids import PREFIXES

KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


def global_id(kind: str, key: UUID) -> str:
    return f"{PREFIXES[kind]}_{urlsafe_b64encode(key.bytes).decode().rstrip('=')}"


def kind_of(id_: str) -> str:
    return KINDS[id_.partition("_")[0]]


def key_of(id_: str) -> UUID:
    return UUID(bytes=urlsafe_b64decode(id_.partition("_")[2] + "=="))

"""How much there may be at most, and which documents are answered: what the settings say, without what it takes to hold them."""

from dataclasses import dataclass
from enum import StrEnum


class GetPolicy(StrEnum):
    """What GET requests may do: send queries, name known queries by id or hash, or nothing."""

    QUERIES = "queries"
    PERSISTED = "persisted"
    OFF = "off"


class DocumentPolicy(StrEnum):
    """Which documents clients may send."""

    OPEN = "open"
    APQ = "apq"
    TRUSTED_ONLY = "trusted-only"


@dataclass(frozen=True)
class DocumentLimits:
    """The most of each that a document may have; `fields` are those of an operation once its fragments are filled in."""

    characters: int = 16_000
    tokens: int = 2000
    comments: int = 50
    operations: int = 20
    depth: int = 10
    aliases: int = 30
    directives: int = 20
    root_fields: int = 20
    fields: int = 400


@dataclass(frozen=True)
class ConcurrencyLimits:
    """Operations that run at once: of all, of one organization. That wait: of all, of one organization, of one token; and how long.

    The limits of those that wait also hold, each for itself, for tasks that wait for their organization's CPU share.
    """

    max_concurrent: int = 8
    max_concurrent_per_organization: int = 4
    queue_size: int = 500
    queue_size_per_organization: int = 100
    queue_size_per_token: int = 50
    queue_timeout: float = 5.0

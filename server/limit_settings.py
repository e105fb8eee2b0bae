"""Settings that belong together and are passed on as one value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DocumentLimits:
    """Limits of a document. `fields` counts a fragment's fields each time the operation spreads it."""

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
    """Limits of the operations that run at once and of those that wait. `queue_timeout` is in seconds.

    Tasks that wait for their organization's CPU share have the same queue limits, but are counted separately.
    """

    max_concurrent: int = 8
    max_concurrent_per_organization: int = 4
    queue_size: int = 500
    queue_size_per_organization: int = 100
    queue_size_per_token: int = 50
    queue_timeout: float = 5.0

"""Bound the memory of request bodies that are on their way in and of responses that are on their way out.

Both wait in this process for their client. A client that sends large bodies slowly on many connections, or that reads none of its
responses, would fill the memory; so the bytes that wait are counted, for each token and for the worker process.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from domain.core.scope import Actor
from server.errors import ErrorCode, HttpError

# A response of less is not counted: it lies in the buffers of the system and of the transport.
SMALL_BYTES = 65_536
RETRY_HEADERS = {"retry-after": "1"}


@dataclass
class ByteBudget:
    """Count the bytes that wait for clients. `label` says what they are, and `advice` what to do, in the message of a refusal."""

    label: str
    advice: str
    max_bytes_per_token: int
    max_bytes: int
    bytes: int = 0
    _by_token: Counter[UUID] = field(default_factory=Counter)

    def check(self, actor: Actor, size: int = 0) -> None:
        """Refuse more bytes, or any more where the size is not known yet.

        Raises `HttpError`: RATE_LIMITED when the token has too many, UNAVAILABLE when all clients together have.
        """
        if not (self.bytes or size):
            return
        if self._by_token[_key(actor)] + size >= self.max_bytes_per_token:
            raise HttpError(
                ErrorCode.RATE_LIMITED, f"Too many bytes of {self.label} of your token wait. {self.advice}", RETRY_HEADERS.copy()
            )
        if self.bytes + size >= self.max_bytes:
            raise HttpError(ErrorCode.UNAVAILABLE, f"Too many bytes of {self.label} wait. Try again in a moment.", RETRY_HEADERS.copy())

    def track(self, actor: Actor) -> "CountedBytes":
        return CountedBytes(self, actor)

    def add(self, actor: Actor, size: int) -> None:
        """Count more bytes, or fewer where the size is negative."""
        key = _key(actor)
        self.bytes += size
        self._by_token[key] += size
        if not self._by_token[key]:
            del self._by_token[key]


class CountedBytes:
    """Bytes of one request or response, which are forgotten at the end of the block."""

    def __init__(self, budget: ByteBudget, actor: Actor) -> None:
        self._budget = budget
        self._actor = actor
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._size:
            self._budget.add(self._actor, -self._size)

    def add(self, size: int) -> None:
        self._size += size
        self._budget.add(self._actor, size)

    def add_checked(self, size: int) -> None:
        """Count more bytes.

        Raises `HttpError` if they are too many, as `ByteBudget.check` does.
        """
        self._budget.check(self._actor, size)
        self.add(size)


def _key(actor: Actor) -> UUID:
    return actor.token_id or actor.tenant

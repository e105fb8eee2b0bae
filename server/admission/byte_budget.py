"""Limit the memory of incomplete request bodies and of unread responses.

A client that sends large bodies slowly on many connections, or that does not read its responses, would fill the memory. So their bytes are
counted for each token and for the worker process.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from domain.core.scope import Actor
from server.errors import ErrorCode, HttpError

# Responses up to this size are not counted: the buffers of the system and the transport hold them.
SMALL_BYTES = 65_536
RETRY_HEADERS = {"retry-after": "1"}


@dataclass
class ByteBudget:
    """Count the bytes of incomplete requests or of unread responses. Error messages use `label` as their name, and end with `advice`."""

    label: str
    advice: str
    max_bytes_per_token: int
    max_bytes: int
    bytes: int = 0
    _by_token: Counter[UUID] = field(default_factory=Counter)

    def check(self, actor: Actor, size: int = 0) -> None:
        """Reject `size` more bytes if they would reach a limit. With a size of 0, reject if a limit is reached already.

        Raises `HttpError`: RATE_LIMITED at the limit of the token, UNAVAILABLE at that of the worker process.
        """
        if not (self.bytes or size):
            return
        if self._by_token[_key(actor)] + size >= self.max_bytes_per_token:
            message = f"Your token has too many bytes of pending {self.label}. {self.advice}"
            raise HttpError(ErrorCode.RATE_LIMITED, message, RETRY_HEADERS.copy())
        if self.bytes + size >= self.max_bytes:
            message = f"The server has too many bytes of pending {self.label}. Try again in a moment."
            raise HttpError(ErrorCode.UNAVAILABLE, message, RETRY_HEADERS.copy())

    def track(self, actor: Actor) -> "CountedBytes":
        return CountedBytes(self, actor)

    def add(self, actor: Actor, size: int) -> None:
        """Count more bytes, or fewer if the size is negative."""
        key = _key(actor)
        self.bytes += size
        self._by_token[key] += size
        if not self._by_token[key]:
            del self._by_token[key]


class CountedBytes:
    """Bytes of one request or response, counted until the end of the `with` block."""

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
        """Count more bytes after checking the limits.

        Raises `HttpError` as `ByteBudget.check` does.
        """
        self._budget.check(self._actor, size)
        self.add(size)


def _key(actor: Actor) -> UUID:
    # An actor without a token shares the count of its organization.
    return actor.token_id or actor.tenant

"""Bound the size of a response, and the memory of responses that clients have not read yet.

Cost bounds the objects of a response, but one text can be selected under many aliases, and a text has up to 10,000 characters: so the bytes
are bounded as well, before they are encoded.

A response waits in this process until its client has read it. A client that asks for large responses on many connections and reads none
of them would fill the memory, so the bytes that wait are counted, for each token and for the worker process.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from graphql import ExecutionResult

from domain.scope import Actor
from resolvers.executor import Counted
from server.refusals import ErrorCode, Unanswerable

# What is handed over to the connection at once, and not counted: it lies in the buffers of the system or of the transport.
PIECE_BYTES = 65_536


def encode(body: Mapping[str, object], result: ExecutionResult, max_bytes: int) -> bytes:
    """Encode the response of a result as JSON.

    Raises `Unanswerable` (RESPONSE_TOO_LARGE) if it has more than `max_bytes`, which is found before most of the memory is taken: texts are
    added up first, unless the objects are too few and too small for that many bytes.
    """
    is_surely_small = isinstance(result, Counted) and result.most_bytes <= max_bytes
    if is_surely_small or _has_at_most(body, max_bytes):
        encoded = orjson.dumps(body)
        if len(encoded) <= max_bytes:
            return encoded
    raise too_large(f"{max_bytes} bytes")


def too_large(what: str) -> Unanswerable:
    """Return the refusal of a response that is larger than that."""
    message = f"The response would have more than {what}. Ask for less at once. If this was a mutation, its changes are saved."
    return Unanswerable(ErrorCode.RESPONSE_TOO_LARGE, message)


def _has_at_most(body: object, max_bytes: int) -> bool:
    """Return whether the texts and keys of a response have at most so many characters, level by level: its depth is the caller's."""
    total, level = 0, [body]
    while level and total <= max_bytes:
        below = list[object]()
        for value in level:
            if isinstance(value, str):
                total += len(value)
            elif isinstance(value, dict):
                total += sum(map(len, value))
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        level = below
    return total <= max_bytes


@dataclass(frozen=True)
class UnsentResponses:
    """Count the bytes of responses that are not sent yet."""

    max_bytes_per_token: int
    max_bytes: int
    _by_token: Counter[UUID] = field(default_factory=Counter)

    @property
    def bytes(self) -> int:
        return self._by_token.total()

    def check(self, actor: Actor, size: int = 0) -> None:
        """Refuse another response, of that size if it is known.

        Raises `Unanswerable`: RATE_LIMITED when the token has too much unread, UNAVAILABLE when all clients together have.
        """
        retry = {"retry-after": "1"}
        if self._by_token[_key(actor)] + size >= self.max_bytes_per_token:
            message = "Too many bytes of responses to your token are unread. Read them first, then try again."
            raise Unanswerable(ErrorCode.RATE_LIMITED, message, headers=retry)
        if self.bytes + size >= self.max_bytes:
            raise Unanswerable(ErrorCode.UNAVAILABLE, "Too many responses are unread. Try again in a moment.", headers=retry)

    @contextmanager
    def counted(self, actor: Actor, size: int) -> Iterator[None]:
        """Count a response while the block sends it."""
        key = _key(actor)
        self._by_token[key] += size
        try:
            yield
        finally:
            self._by_token[key] -= size
            if not self._by_token[key]:
                del self._by_token[key]


def _key(actor: Actor) -> UUID:
    return actor.token_id or actor.tenant

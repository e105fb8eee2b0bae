"""Authenticate requests by their bearer token, which is looked up in the database and cached for a few seconds.

A token that was valid before is looked up again at once. Other tokens of an address that has sent too many invalid tokens are looked up one
at a time. So guessing is slow and costs the database little, and a valid token is still accepted.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

from db.engine.database import Database
from domain.core.scope import Actor
from domain.organization import tokens
from server.errors import ErrorCode, HttpError
from server.ip_addresses import limit_key

TOKEN_CACHE_S = 5.0
MAX_VALID_TOKENS = 4_000  # about 1.5 kB each
MAX_INVALID_TOKENS = 2_000  # about 200 bytes each
MAX_ADDRESSES = 10_000
MAX_WAITING_LOOKUPS = 50  # lookups of one address that wait for each other
LOOKUP_TIMEOUT_S = 5.0
WINDOW_S = 60.0


class AuthFailureLimiter:
    """Count the invalid tokens of each address in a window of one minute."""

    def __init__(self, max_failures: int) -> None:
        self._max_failures = max_failures
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()  # the oldest window first

    def __len__(self) -> int:
        return len(self._windows)

    def remaining(self, address: str) -> int:
        """Return how many more invalid tokens the address may send now."""
        window_start, count = self._windows.get(address, (-WINDOW_S, 0))
        return self._max_failures - count if time.monotonic() - window_start < WINDOW_S else self._max_failures

    def check(self, address: str) -> None:
        """Raise `HttpError` (RATE_LIMITED) if the address may send no more invalid tokens."""
        if self.remaining(address) <= 0:
            wait = math.ceil(self._windows[address][0] + WINDOW_S - time.monotonic())
            raise _rate_limit_error(f"Your address sent too many invalid tokens. Try again in {wait} seconds.", wait)

    def record_failure(self, address: str) -> None:
        """Count an invalid token. Beyond `MAX_ADDRESSES`, drop the address with the oldest window."""
        now = time.monotonic()
        window_start, count = self._windows.get(address, (-WINDOW_S, 0))
        if now - window_start < WINDOW_S:
            self._windows[address] = (window_start, count + 1)
            return
        self._windows[address] = (now, 1)
        self._windows.move_to_end(address)
        if len(self._windows) > MAX_ADDRESSES:
            self._windows.popitem(last=False)


@dataclass(frozen=True, slots=True)
class CachedToken:
    """Result of a lookup. An invalid token has no actor."""

    looked_up_at: float
    actor: Actor | None = None
    expires_at: datetime | None = None

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.looked_up_at <= TOKEN_CACHE_S


@dataclass(slots=True)
class _LookupQueue:
    waiting_count: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Authenticator:
    """Authenticate bearer tokens, and cache each for `TOKEN_CACHE_S`. A revoked token may be accepted for that time.

    Tokens are cached by their SHA-256. Valid and invalid tokens have separate caches, so that invalid tokens never displace a valid one.
    """

    def __init__(self, database: Database, max_failures: int = 20) -> None:
        self._database = database
        self._failure_limiter = AuthFailureLimiter(max_failures)
        self._valid_tokens: OrderedDict[bytes, CachedToken] = OrderedDict()  # the oldest first
        self._invalid_tokens: OrderedDict[bytes, CachedToken] = OrderedDict()
        self._running_lookups: dict[str, int] = {}  # lookups that did not wait, by address
        self._lookup_queues: dict[str | bytes, _LookupQueue] = {}

    async def authenticate(self, authorization: str | None, address: str = "") -> Actor | None:
        """Return the actor of the header `Authorization: Bearer …`, or None if it has no valid token."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not tokens.TOKEN_PATTERN.fullmatch(secret):
            self._count_failure(limit_key(address))
            return None
        digest = tokens.hash_secret(secret)
        token = self._get_cached(digest)
        if token is None:
            token = await self._look_up(digest, secret, limit_key(address))
        elif token.actor is None:
            self._failure_limiter.check(limit_key(address))  # a repeated invalid token counts once
        return None if token.expires_at and token.expires_at <= datetime.now(UTC) else token.actor

    async def require(self, authorization: str | None, address: str) -> Actor:
        """Return the actor of the header. Raises `HttpError` (UNAUTHENTICATED) if it has no valid token."""
        actor = await self.authenticate(authorization, address)
        if actor is None:
            message = "Send a valid token: `Authorization: Bearer rlt_…`. Create one with `relaties token create`."
            raise HttpError(ErrorCode.UNAUTHENTICATED, message, headers={"www-authenticate": "Bearer"})
        return actor

    def _get_cached(self, digest: bytes) -> CachedToken | None:
        token = self._valid_tokens.get(digest) or self._invalid_tokens.get(digest)
        return token if token and token.is_fresh else None

    async def _look_up(self, digest: bytes, secret: str, address: str) -> CachedToken:
        """Look up a token, once for all concurrent requests with it."""
        async with self._serialize(digest, math.inf):
            if token := self._get_cached(digest):
                return token
            async with nullcontext() if digest in self._valid_tokens else self._limit_lookups(address):
                result = await tokens.authenticate(self._database, secret)
            self._valid_tokens.pop(digest, None)
            token = CachedToken(time.monotonic(), *(result or ()))
            _store(*((self._valid_tokens, MAX_VALID_TOKENS) if result else (self._invalid_tokens, MAX_INVALID_TOKENS)), digest, token)
        if not result:
            self._count_failure(address)
        return token

    def _count_failure(self, address: str) -> None:
        self._failure_limiter.check(address)
        self._failure_limiter.record_failure(address)

    @asynccontextmanager
    async def _limit_lookups(self, address: str) -> AsyncIterator[None]:
        """Run as many lookups at once as the address may send invalid tokens, and further ones one at a time."""
        running_count = self._running_lookups.get(address, 0)
        if running_count >= self._failure_limiter.remaining(address):
            async with self._serialize(address, MAX_WAITING_LOOKUPS):
                yield
            return
        self._running_lookups[address] = running_count + 1
        try:
            yield
        finally:
            self._running_lookups[address] -= 1
            if not self._running_lookups[address]:
                del self._running_lookups[address]

    @asynccontextmanager
    async def _serialize(self, key: str | bytes, max_waiting: float) -> AsyncIterator[None]:
        """Run the block after all earlier blocks with the same key.

        Raises `HttpError`: RATE_LIMITED if too many wait, UNAVAILABLE if the wait takes too long.
        """
        queue = self._lookup_queues.setdefault(key, _LookupQueue())
        if queue.waiting_count > max_waiting:
            raise _rate_limit_error(
                "Your address sent many invalid tokens, and too many of its requests wait for a check. Try again in a moment.", 1
            )
        queue.waiting_count += 1
        try:
            try:
                async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                    await queue.lock.acquire()
            except TimeoutError:
                message = "Your token could not be checked in time. Try again in a moment."
                raise HttpError(ErrorCode.UNAVAILABLE, message, {"retry-after": "1"}) from None
            try:
                yield
            finally:
                queue.lock.release()
        finally:
            queue.waiting_count -= 1
            if not queue.waiting_count:
                del self._lookup_queues[key]


def _store(cache: OrderedDict[bytes, CachedToken], max_tokens: int, digest: bytes, token: CachedToken) -> None:
    """Store a token as the newest, and drop the oldest beyond the limit."""
    cache[digest] = token
    cache.move_to_end(digest)
    if len(cache) > max_tokens:
        cache.popitem(last=False)


def _rate_limit_error(message: str, wait_s: int) -> HttpError:
    return HttpError(ErrorCode.RATE_LIMITED, message, {"retry-after": str(wait_s)})

"""Find out for whom a request asks, by its bearer token: looked up in the database and kept for a few seconds.

A token that was good is looked up again without waiting for others. A token that was never good waits if its address has sent too many
wrong ones: those of one address are then looked up one at a time, so that guessing is slow and cheap for the database, and a good token is
still let in.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

from db.engine import Database
from domain import tokens
from domain.scope import Actor
from server.addresses import group_of
from server.refusals import ErrorCode, Unanswerable

KEPT_S = 5.0
MAX_GOOD = 4_000  # tokens that were good, of about 1.5 kB each
MAX_WRONG = 2_000  # tokens that were wrong, of about 200 bytes each
MAX_ADDRESSES = 10_000
MAX_WAITING = 50  # look-ups of one address that wait for each other
LOOKUP_TIMEOUT_S = 5.0
WINDOW_S = 60.0


class Failures:
    """Count the tokens that were refused, by the address that sent them, in a minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._since: OrderedDict[str, tuple[float, int]] = OrderedDict()  # the oldest first

    def __len__(self) -> int:
        return len(self._since)

    def left(self, address: str) -> int:
        """Return how many more wrong tokens the address may send now."""
        began, count = self._since.get(address, (-WINDOW_S, 0))
        return self._most - count if time.monotonic() - began < WINDOW_S else self._most

    def refuse(self, address: str) -> None:
        """Raise `Unanswerable` (RATE_LIMITED) if the address may send no more wrong tokens."""
        if self.left(address) <= 0:
            wait = math.ceil(self._since[address][0] + WINDOW_S - time.monotonic())
            raise _rate_limited(f"Too many wrong tokens came from your address. Try again in {wait} seconds.", wait)

    def count(self, address: str) -> None:
        """Count a wrong token. Beyond `MAX_ADDRESSES` the address whose minute began first is forgotten."""
        now = time.monotonic()
        began, count = self._since.get(address, (-WINDOW_S, 0))
        if now - began < WINDOW_S:
            self._since[address] = (began, count + 1)
            return
        self._since[address] = (now, 1)
        self._since.move_to_end(address)
        if len(self._since) > MAX_ADDRESSES:
            self._since.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Known:
    """A token that was looked up; for nobody if it was wrong."""

    at: float
    actor: Actor | None = None
    expires_at: datetime | None = None

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.at <= KEPT_S


@dataclass(slots=True)
class _Queue:
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SignIn:
    """Tokens that were looked up, for five seconds: as long as a revoked one may still be let in.

    They are kept by their SHA-256, the good and the wrong ones apart, so that wrong ones never displace a good one.
    """

    def __init__(self, database: Database, most_failures: int = 20) -> None:
        self._database = database
        self._failures = Failures(most_failures)
        self._good: OrderedDict[bytes, Known] = OrderedDict()  # the oldest first
        self._wrong: OrderedDict[bytes, Known] = OrderedDict()
        self._under_way: dict[str, int] = {}  # look-ups that did not wait, by address
        self._queues: dict[str | bytes, _Queue] = {}

    async def actor(self, authorization: str | None, address: str = "") -> Actor | None:
        """Whom the header `Authorization: Bearer …` stands for; None for nobody."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not tokens.TOKEN_PATTERN.fullmatch(secret):
            self._count_failure(group_of(address))
            return None
        digest = tokens.hash_secret(secret)
        known = self._kept(digest)
        if known is None:
            known = await self._looked_up(digest, secret, group_of(address))
        elif known.actor is None:
            self._failures.refuse(group_of(address))  # one that is sent again counts once
        return None if known.expires_at and known.expires_at <= datetime.now(UTC) else known.actor

    def _kept(self, digest: bytes) -> Known | None:
        known = self._good.get(digest) or self._wrong.get(digest)
        return known if known and known.is_fresh else None

    async def _looked_up(self, digest: bytes, secret: str, address: str) -> Known:
        """Look a token up, once for all requests that ask at the same time."""
        async with self._turn(digest, math.inf):
            if known := self._kept(digest):
                return known
            async with nullcontext() if digest in self._good else self._turn_of(address):
                found = await tokens.authenticate(self._database, secret)
            self._good.pop(digest, None)
            known = Known(time.monotonic(), *(found or ()))
            _keep(*((self._good, MAX_GOOD) if found else (self._wrong, MAX_WRONG)), digest, known)
        if not found:
            self._count_failure(address)
        return known

    def _count_failure(self, address: str) -> None:
        self._failures.refuse(address)
        self._failures.count(address)

    @asynccontextmanager
    async def _turn_of(self, address: str) -> AsyncIterator[None]:
        """Let as many look-ups run at once as the address may send wrong tokens; beyond that, one at a time."""
        under_way = self._under_way.get(address, 0)
        if under_way >= self._failures.left(address):
            async with self._turn(address, MAX_WAITING):
                yield
            return
        self._under_way[address] = under_way + 1
        try:
            yield
        finally:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]

    @asynccontextmanager
    async def _turn(self, key: str | bytes, most_waiting: float) -> AsyncIterator[None]:
        """Run the block after those before it that have the same key."""
        queue = self._queues.setdefault(key, _Queue())
        if queue.waiting > most_waiting:
            raise _rate_limited("Too many tokens from your address wait to be checked, after many wrong ones. Try again in a moment.", 1)
        queue.waiting += 1
        try:
            try:
                async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                    await queue.lock.acquire()
            except TimeoutError:
                message = "Your token could not be checked in time. Try again in a moment."
                raise Unanswerable(ErrorCode.UNAVAILABLE, message, {"retry-after": "1"}) from None
            try:
                yield
            finally:
                queue.lock.release()
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                del self._queues[key]


def _keep(kept: OrderedDict[bytes, Known], most: int, digest: bytes, known: Known) -> None:
    """Keep a token as the newest, and forget the oldest beyond the limit."""
    kept[digest] = known
    kept.move_to_end(digest)
    if len(kept) > most:
        kept.popitem(last=False)


def _rate_limited(message: str, wait_s: int) -> Unanswerable:
    return Unanswerable(ErrorCode.RATE_LIMITED, message, {"retry-after": str(wait_s)})

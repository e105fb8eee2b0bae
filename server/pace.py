"""Work that holds up everybody while it is done: reading large bodies and documents that were never sent before, showing the schema.

An organization does one such piece at a time, and then rests three times as long as it took; so it has a quarter of the worker at most. It
rests no longer than half the time that one may wait: whoever asks next, alone, is answered, however long the machine took over the piece.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from server.limits import TurnLimits
from server.turns import busy

REST = 3


class Pace:
    """Who is at it, or rests, or waits."""

    def __init__(self, limits: TurnLimits) -> None:
        self._limits = limits
        self._locks: dict[UUID, asyncio.Lock] = {}
        self._users: Counter[UUID] = Counter()

    @property
    def waiting(self) -> int:
        """How many are at it, rest or wait."""
        return self._users.total()

    @asynccontextmanager
    async def kept(self, tenant: UUID) -> AsyncIterator[None]:
        """Runs the block, which awaits little, when the organization has rested; refuses when too many of it wait, or for too long."""
        if self._users[tenant] >= self._limits.waiting_of_organization:
            raise busy()
        self._users[tenant] += 1
        lock = self._locks.setdefault(tenant, asyncio.Lock())
        try:
            async with asyncio.timeout(self._limits.wait_s):
                await lock.acquire()
        except TimeoutError:
            self._leave(tenant)
            raise busy() from None
        except asyncio.CancelledError:
            self._leave(tenant)
            raise
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            ended = loop.time()
            loop.call_at(ended + min(REST * (ended - began), self._limits.wait_s / 2), self._rested, tenant)

    def _rested(self, tenant: UUID) -> None:
        self._locks[tenant].release()
        self._leave(tenant)

    def _leave(self, tenant: UUID) -> None:
        self._users[tenant] -= 1
        if not self._users[tenant]:
            del self._users[tenant], self._locks[tenant]

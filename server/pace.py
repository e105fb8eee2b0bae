"""Limit the share of a worker's CPU that one organization can take with blocking work.

Reading a new document, reading a large body and answering introspection block the event loop. Each organization runs one such task at a
time, then pauses for three times its duration, so it takes at most a quarter of the worker. Its tokens take turns.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from domain.scope import Actor
from server.fair_queue import FairQueue
from server.limits import TurnLimits

PAUSE_FACTOR = 3


class Pace:
    """Run blocking tasks one at a time per organization."""

    def __init__(self, limits: TurnLimits) -> None:
        self._limits = limits
        self._active: set[UUID] = set()  # organizations that run a task or pause; nobody waits for another one
        self._queue = FairQueue(limits)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @asynccontextmanager
    async def kept(self, actor: Actor) -> AsyncIterator[None]:
        """Wait for the organization's turn, run the block, which awaits little, then pause.

        Raises `Unanswerable` (UNAVAILABLE) if too many tasks wait, or if the wait takes too long.
        """
        tenant = actor.tenant
        if tenant in self._active:
            await self._queue.wait(self._queue.add(actor), partial(self._start_next, tenant))
        else:
            self._active.add(tenant)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            yield
        finally:
            ended = loop.time()
            # Cap the pause: the next request, alone, must still be answered when a slow machine made the task long.
            pause = min(PAUSE_FACTOR * (ended - started), self._limits.wait_s / 2)
            loop.call_at(ended + pause, self._start_next, tenant)

    def _start_next(self, tenant: UUID) -> None:
        if not self._queue.grant_next_of(tenant):
            self._active.remove(tenant)

"""Limit the share of a worker's CPU that one organization can take with blocking work.

Parsing a new document, parsing a large body and answering introspection block the event loop. Each organization runs one such task at a
time, then pauses for three times its duration, so it takes at most a quarter of the worker. Its tokens take turns.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from domain.core.scope import Actor
from server.admission.fair_queue import FairQueue
from server.limit_settings import ConcurrencyLimits

PAUSE_FACTOR = 3


class CpuShare:
    """Run blocking tasks one at a time per organization."""

    def __init__(self, limits: ConcurrencyLimits) -> None:
        self._limits = limits
        self._active: set[UUID] = set()  # organizations that run a task or pause; an organization never waits for another one
        self._queue = FairQueue(limits)

    @property
    def waiting_count(self) -> int:
        return len(self._queue)

    @asynccontextmanager
    async def exclusive(self, actor: Actor) -> AsyncIterator[None]:
        """Wait for the organization's turn, run the block, then pause. The block should await little, as others wait for it.

        Raises `HttpError` (UNAVAILABLE) if too many tasks wait, or if the wait takes too long.
        """
        tenant = actor.tenant
        if tenant in self._active:
            await self._queue.wait(self._queue.add(actor), partial(self._start_next, tenant))
        else:
            self._active.add(tenant)
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            yield
        finally:
            end = loop.time()
            # Cap the pause: when a slow machine made the task long, the next request must still start within the queue timeout.
            pause = min(PAUSE_FACTOR * (end - start), self._limits.queue_timeout / 2)
            loop.call_at(end + pause, self._start_next, tenant)

    def _start_next(self, tenant: UUID) -> None:
        if not self._queue.grant_next_in(tenant):
            self._active.remove(tenant)

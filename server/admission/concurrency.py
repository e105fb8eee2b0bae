"""Limit how many operations run at once, and start waiting operations in a fair order.

A running operation holds a database connection, so the limit is at most the number of connections. One organization can use only a part of
them. Waiting operations start round-robin by organization, and within an organization round-robin by token.
"""

from collections.abc import Coroutine
from functools import partial
from typing import Any
from uuid import UUID

from domain.core.scope import Actor
from server.admission.fair_queue import FairQueue
from server.limit_settings import ConcurrencyLimits


class ConcurrencyLimiter:
    """Run a limited number of operations of a worker process at once."""

    def __init__(self, limits: ConcurrencyLimits) -> None:
        self._limits = limits
        self.running_count = 0
        self._running_by_organization: dict[UUID, int] = {}
        self._queue = FairQueue(limits)

    @property
    def waiting_count(self) -> int:
        return len(self._queue)

    def slot(self, actor: Actor) -> "Slot":
        """Return a context manager that waits until the operation may run."""
        return Slot(self, actor)

    async def acquire(self, actor: Actor) -> None:
        """Wait until the operation may run.

        Raises `HttpError` (UNAVAILABLE) if too many operations wait, or if the wait takes too long.
        """
        if not len(self._queue) and self._may_run(actor.tenant):
            self._add_running(actor.tenant)
            return
        waiter = self._queue.add(actor)
        self._grant_waiting()  # all others that wait may belong to organizations at their own limit
        await self._queue.wait(waiter, partial(self.release, actor.tenant))

    def release(self, tenant: UUID) -> None:
        """Release the slot of an operation of the organization, and let another operation run."""
        self.running_count -= 1
        if remaining := self._running_by_organization.pop(tenant) - 1:
            self._running_by_organization[tenant] = remaining
        if len(self._queue):
            self._grant_waiting()

    def _may_run(self, tenant: UUID) -> bool:
        return (
            self.running_count < self._limits.max_concurrent
            and self._running_by_organization.get(tenant, 0) < self._limits.max_concurrent_per_organization
        )

    def _add_running(self, tenant: UUID) -> None:
        self.running_count += 1
        self._running_by_organization[tenant] = self._running_by_organization.get(tenant, 0) + 1

    def _grant_waiting(self) -> None:
        while len(self._queue) and self.running_count < self._limits.max_concurrent:
            tenant = self._queue.grant_next(self._may_run)
            if tenant is None:
                return
            self._add_running(tenant)


class Slot:
    """Slot of one operation. It is a class because every request uses one, and `contextlib` generators take three times as long."""

    __slots__ = ("_actor", "_limiter")

    def __init__(self, limiter: ConcurrencyLimiter, actor: Actor) -> None:
        self._limiter = limiter
        self._actor = actor

    def __aenter__(self) -> Coroutine[Any, Any, None]:
        return self._limiter.acquire(self._actor)

    async def __aexit__(self, *_: object) -> None:
        self._limiter.release(self._actor.tenant)

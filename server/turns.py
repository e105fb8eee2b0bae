"""Limit how many operations run at once, and let the waiting ones start in a fair order.

An operation holds a database connection while it runs, so no more run than there are connections. One organization never takes all of them.
Waiting operations start organization by organization, and within an organization token by token.
"""

from collections.abc import Coroutine
from functools import partial
from typing import Any
from uuid import UUID

from domain.scope import Actor
from server.fair_queue import FairQueue
from server.limits import TurnLimits


class Turns:
    """Run a limited number of operations of a worker process at once."""

    def __init__(self, limits: TurnLimits) -> None:
        self._limits = limits
        self.running = 0
        self._running_of: dict[UUID, int] = {}
        self._queue = FairQueue(limits)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def turn(self, actor: Actor) -> "Turn":
        """Return the block of an operation, which waits until it may run."""
        return Turn(self, actor)

    async def start(self, actor: Actor) -> None:
        """Wait until the operation may run.

        Raises `Unanswerable` (UNAVAILABLE) if too many wait, or if the wait takes too long.
        """
        if not len(self._queue) and self._may_run(actor.tenant):
            self._start(actor.tenant)
            return
        waiter = self._queue.add(actor)
        self._start_waiting()  # the others may all be of organizations that run as many as they may
        await self._queue.wait(waiter, partial(self.finish, actor.tenant))

    def finish(self, tenant: UUID) -> None:
        """Let another operation have the place of one of the organization."""
        self.running -= 1
        if left := self._running_of.pop(tenant) - 1:
            self._running_of[tenant] = left
        if len(self._queue):
            self._start_waiting()

    def _may_run(self, tenant: UUID) -> bool:
        return self.running < self._limits.running and self._running_of.get(tenant, 0) < self._limits.running_of_one

    def _start(self, tenant: UUID) -> None:
        self.running += 1
        self._running_of[tenant] = self._running_of.get(tenant, 0) + 1

    def _start_waiting(self) -> None:
        while len(self._queue) and self.running < self._limits.running:
            tenant = self._queue.grant_next(self._may_run)
            if tenant is None:
                return
            self._start(tenant)


class Turn:
    """One operation: a class, since a generator of `contextlib` takes three times as long and every request has one."""

    __slots__ = ("_actor", "_turns")

    def __init__(self, turns: Turns, actor: Actor) -> None:
        self._turns = turns
        self._actor = actor

    def __aenter__(self) -> Coroutine[Any, Any, None]:
        return self._turns.start(self._actor)

    async def __aexit__(self, *_: object) -> None:
        self._turns.finish(self._actor.tenant)

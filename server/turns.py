"""Who runs when: so many operations at once, an organization never all of them, and the others in turn, organization by organization.

An operation holds a database connection for as long as it runs, so that no more run than there are connections; and it is the others' turn
after each of one organization's, however many of its own are waiting.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from domain.scope import Actor
from server.limits import TurnLimits
from server.refusals import ErrorCode, Unanswerable

BUSY = "Too many operations at once. Try again in a moment."


class Turns:
    """The queue of a worker."""

    def __init__(self, limits: TurnLimits) -> None:
        self._limits = limits
        self._running: Counter[UUID] = Counter()
        self._waiting: OrderedDict[UUID, deque[asyncio.Future[None]]] = OrderedDict()
        self._of_token: Counter[UUID | None] = Counter()

    @property
    def running(self) -> int:
        return self._running.total()

    @property
    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, actor: Actor) -> AsyncIterator[None]:
        """Runs the block when it is its turn; refuses when that does not come soon."""
        if self.waiting or not self._may_run(actor.tenant):
            await self._wait(actor)
        else:
            self._running[actor.tenant] += 1
        try:
            yield
        finally:
            self._leave(actor.tenant)

    def _may_run(self, tenant: UUID) -> bool:
        return self.running < self._limits.running and self._running[tenant] < self._limits.running_of_one

    async def _wait(self, actor: Actor) -> None:
        line, limits = self._waiting.setdefault(actor.tenant, deque()), self._limits
        is_full = self.waiting >= limits.waiting or len(line) >= limits.waiting_of_organization
        if is_full or self._of_token[actor.token_id] >= limits.waiting_of_token:
            self._tidy(actor.tenant)
            raise busy()
        called = asyncio.get_running_loop().create_future()
        line.append(called)
        self._of_token[actor.token_id] += 1
        self._call()  # another organization's turn may have come while all of the first one's had to wait
        try:
            async with asyncio.timeout(limits.wait_s):
                await called
        except BaseException as failed:
            if called.done() and not called.cancelled():
                self._leave(actor.tenant)  # it was called in the same moment
            elif called in line:
                line.remove(called)
            if isinstance(failed, TimeoutError):
                raise busy() from None
            raise
        finally:
            self._of_token[actor.token_id] -= 1
            self._of_token += Counter()  # forgets those at nought
            self._tidy(actor.tenant)

    def _leave(self, tenant: UUID) -> None:
        self._running[tenant] -= 1
        if not self._running[tenant]:
            del self._running[tenant]
        self._call()

    def _call(self) -> None:
        """The next of each organization that may run, the one that was called longest ago first."""
        for tenant in [*self._waiting]:
            line = self._waiting[tenant]
            while line and self._may_run(tenant):
                called = line.popleft()
                if not called.done():
                    self._running[tenant] += 1
                    called.set_result(None)
                    self._waiting.move_to_end(tenant)
                    break

    def _tidy(self, tenant: UUID) -> None:
        if not self._waiting.get(tenant, True):
            del self._waiting[tenant]


def busy() -> Unanswerable:
    return Unanswerable(ErrorCode.UNAVAILABLE, BUSY, headers={"retry-after": "1"})

"""Queue of waiting requests, round-robin by organization and then by token.

A full queue still accepts a request of a token with few waiting requests. It evicts the newest request of the token that has the most.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from domain.core.scope import Actor
from server.errors import ErrorCode, HttpError
from server.limit_settings import ConcurrencyLimits

OVERLOAD_MESSAGE = "Too many operations at once. Try again in a moment."
TokenId: TypeAlias = UUID | None  # actors without a token count as one token of their organization


@dataclass(eq=False, slots=True)
class Waiter:
    """A waiting request. Its outcome is true when it may run and false when it is evicted."""

    tenant: UUID
    token: TokenId
    outcome: asyncio.Future[bool]

    @property
    def is_granted(self) -> bool:
        return self.outcome.done() and not self.outcome.cancelled() and self.outcome.result()

    def settle(self, *, is_granted: bool) -> bool:
        """Set the outcome. Return False if the request already has one or was cancelled."""
        if self.outcome.done():
            return False
        self.outcome.set_result(is_granted)
        return True


class _TokenQueues:
    """Waiting requests of one organization: a queue for each token, the least recently served token first."""

    def __init__(self) -> None:
        self._queues: OrderedDict[TokenId, OrderedDict[Waiter, None]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def count(self, token: TokenId) -> int:
        return len(self._queues.get(token, ()))

    def longest(self) -> int:
        return max(map(len, self._queues.values()), default=0)

    def add(self, waiter: Waiter) -> None:
        self._queues.setdefault(waiter.token, OrderedDict())[waiter] = None
        self._count += 1

    def remove(self, waiter: Waiter) -> bool:
        """Remove a request from any position. Return False if it is no longer in the queue."""
        queue = self._queues.get(waiter.token)
        if queue is None or waiter not in queue:
            return False
        del queue[waiter]
        self._count -= 1
        if not queue:
            del self._queues[waiter.token]
        return True

    def pop(self) -> Waiter:
        """Remove and return the oldest request of the next token, and move that token to the end unless the request was cancelled."""
        token, queue = next(iter(self._queues.items()))
        waiter = next(iter(queue))
        if not waiter.outcome.done():
            self._queues.move_to_end(token)
        self.remove(waiter)
        return waiter

    def pop_newest_of_longest(self) -> Waiter:
        longest = max(self._queues.values(), key=len)
        waiter = next(reversed(longest))
        self.remove(waiter)
        return waiter


class FairQueue:
    """Waiting requests by organization and token."""

    def __init__(self, limits: ConcurrencyLimits) -> None:
        self._limits = limits
        self._organizations: OrderedDict[UUID, _TokenQueues] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, actor: Actor) -> Waiter:
        """Queue a request of the actor.

        Raises `HttpError` (UNAVAILABLE) if its token has too many waiting requests, or if the queue is full and no token has more of them.
        """
        queues = self._organizations.get(actor.tenant)
        if queues is None:
            queues = _TokenQueues()
        self._make_room(queues, actor.token_id)
        waiter = Waiter(actor.tenant, actor.token_id, asyncio.get_running_loop().create_future())
        queues.add(waiter)
        self._organizations[actor.tenant] = queues
        self._count += 1
        return waiter

    async def wait(self, waiter: Waiter, release: Callable[[], None]) -> None:
        """Wait until the request may run. `release` is called if the request was granted and cancelled in the same moment.

        Raises `HttpError` (UNAVAILABLE) if it is evicted or waits longer than the limit.
        """
        # Under load nearly every request waits here. A timer takes a third of the time of `asyncio.timeout`.
        timer = asyncio.get_running_loop().call_later(self._limits.queue_timeout, self._evict, waiter)
        try:
            may_run = await waiter.outcome
        except BaseException:
            if waiter.is_granted:
                release()
            self._discard(waiter)
            raise
        finally:
            timer.cancel()
        if not may_run:
            raise overload_error()

    def grant_next(self, may_run: Callable[[UUID], bool]) -> UUID | None:
        """Grant the next request of the first organization that may run. Return the organization, or None if there is none.

        Only organizations at their limit are skipped, so there are only a few of them.
        """
        while tenant := next((each for each in self._organizations if may_run(each)), None):
            if self.grant_next_in(tenant):
                if tenant in self._organizations:
                    self._organizations.move_to_end(tenant)
                return tenant
        return None

    def grant_next_in(self, tenant: UUID) -> bool:
        """Grant the next request of one organization. Return False if none waits."""
        while queues := self._organizations.get(tenant):
            waiter = queues.pop()
            self._forget(tenant)
            if waiter.settle(is_granted=True):
                return True
        return False

    def _make_room(self, own: _TokenQueues, token: TokenId) -> None:
        """Evict a request if the queue is full. The token that loses it still has at least as many requests as the token that adds one."""
        limits = self._limits
        if own.count(token) >= limits.queue_size_per_token:
            raise overload_error()
        source = own
        if len(own) < limits.queue_size_per_organization:
            if self._count < limits.queue_size:
                return
            largest = max(self._organizations.values(), key=len)
            source = largest if len(largest) > len(own) + 1 else own
        if source is own and own.longest() <= own.count(token) + 1:
            raise overload_error()
        waiter = source.pop_newest_of_longest()
        self._forget(waiter.tenant)
        waiter.settle(is_granted=False)

    def _evict(self, waiter: Waiter) -> None:
        """Evict a request that waited too long, unless it was granted in the same moment."""
        self._discard(waiter)
        waiter.settle(is_granted=False)

    def _discard(self, waiter: Waiter) -> None:
        queues = self._organizations.get(waiter.tenant)
        if queues is not None and queues.remove(waiter):
            self._forget(waiter.tenant)

    def _forget(self, tenant: UUID) -> None:
        """Update the counts after a request was removed."""
        self._count -= 1
        if not self._organizations[tenant]:
            del self._organizations[tenant]


def overload_error() -> HttpError:
    return HttpError(ErrorCode.UNAVAILABLE, OVERLOAD_MESSAGE, headers={"retry-after": "1"})

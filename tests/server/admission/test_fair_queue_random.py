"""Compare the fair queue with a model over random arrivals, ends, cancellations and timeouts. The clock is virtual."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.core.scope import Actor
from server.admission.concurrency import ConcurrencyLimiter
from server.admission.cpu_share import CpuShare
from server.errors import HttpError
from server.limit_settings import ConcurrencyLimits
from tests.support.queueing import QUEUE_TIMEOUT_S, create_actor, run_ready_tasks
from tests.support.virtual_time import VirtualTimeLoop


@dataclass
class QueuedRequest:
    """A request of the state machine, and its state."""

    actor: Actor
    task: "asyncio.Task[None] | None" = None
    end: asyncio.Event = field(default_factory=asyncio.Event)
    is_running: bool = False

    @property
    def is_waiting(self) -> bool:
        return self.task is not None and not self.task.done() and not self.is_running


TENANTS = [uuid4(), uuid4()]
ACTORS = [create_actor(tenant, has_token=has_token) for tenant in TENANTS for has_token in (True, True, False)]
SMALL_LIMITS = ConcurrencyLimits(
    max_concurrent=3,
    max_concurrent_per_organization=2,
    queue_size=7,
    queue_size_per_organization=5,
    queue_size_per_token=3,
    queue_timeout=QUEUE_TIMEOUT_S,
)


class FairnessMachine(RuleBasedStateMachine):
    """Make random steps. A model records which requests wait and how often each token was overtaken."""

    enter: Callable[[Actor], AbstractAsyncContextManager[None]]

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualTimeLoop()
        self.requests: list[QueuedRequest] = []
        self.overtaken_counts: defaultdict[UUID | None, Counter[UUID | None]] = defaultdict(Counter)

    def waiting(self, tenant: UUID | None = None) -> list[QueuedRequest]:
        return [each for each in self.requests if each.is_waiting and tenant in {None, each.actor.tenant}]

    def running(self, tenant: UUID | None = None) -> int:
        return sum(each.is_running for each in self.requests if tenant in {None, each.actor.tenant})

    def _key(self, actor: Actor) -> UUID:
        return actor.token_id or actor.tenant

    async def _serve(self, request: QueuedRequest) -> None:
        async with self.enter(request.actor):
            request.is_running = True
            self._count_as_served(request.actor)
            try:
                await request.end.wait()
            finally:
                request.is_running = False

    def _count_as_served(self, actor: Actor) -> None:
        """Check that no token is served twice while another token of its organization waits."""
        token_key = self._key(actor)
        self.overtaken_counts.pop(token_key, None)
        for other in {self._key(each.actor) for each in self.waiting(actor.tenant)} - {token_key}:
            self.overtaken_counts[other][token_key] += 1
            assert self.overtaken_counts[other][token_key] <= 1

    def run_ready_tasks(self) -> None:
        self.loop.run_until_complete(run_ready_tasks())
        still = {self._key(each.actor) for each in self.waiting()}
        for token in [*self.overtaken_counts]:
            if token not in still:
                del self.overtaken_counts[token]

    @rule(actor=some.sampled_from(ACTORS))
    def arrive(self, actor: Actor) -> None:
        before, of_token = self.waiting(), Counter(self._key(each.actor) for each in self.waiting(actor.tenant))
        request = QueuedRequest(actor)
        request.task = self.loop.create_task(self._serve(request))
        self.requests.append(request)
        self.run_ready_tasks()
        if request.task.done() and not of_token[self._key(actor)]:
            own = of_token.total()
            assert max(of_token.values(), default=0) <= 1
            others = Counter(each.actor.tenant for each in before)
            assert own >= SMALL_LIMITS.queue_size_per_organization or (
                len(before) >= SMALL_LIMITS.queue_size and max(others.values()) <= own + 1
            )

    @precondition(lambda self: self.running())
    @rule(data=some.data())
    def end(self, data: some.DataObject) -> None:
        data.draw(some.sampled_from([each for each in self.requests if each.is_running])).end.set()
        self.run_ready_tasks()

    @precondition(lambda self: self.waiting() or self.running())
    @rule(data=some.data(), is_ended_first=some.booleans())
    def cancel(self, data: some.DataObject, is_ended_first: bool) -> None:
        """Cancel a request that waits or runs, or one that is granted at the moment when another ends."""
        running = [each for each in self.requests if each.is_running]
        if running and is_ended_first:
            data.draw(some.sampled_from(running)).end.set()
            self.loop.run_until_complete(asyncio.sleep(0))
        under_way = [each for each in self.requests if each.is_waiting or each.is_running]
        if under_way:
            task = data.draw(some.sampled_from(under_way)).task
            assert task is not None
            task.cancel()
        self.run_ready_tasks()

    @rule(seconds=some.sampled_from([0.25, 1.0, QUEUE_TIMEOUT_S / 2, QUEUE_TIMEOUT_S]))
    def pass_time(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))
        self.run_ready_tasks()

    @invariant()
    def limits_hold(self) -> None:
        assert len(self.waiting()) <= SMALL_LIMITS.queue_size
        for tenant in TENANTS:
            of_token = Counter(self._key(each.actor) for each in self.waiting(tenant))
            assert of_token.total() <= SMALL_LIMITS.queue_size_per_organization
            assert max(of_token.values(), default=0) <= SMALL_LIMITS.queue_size_per_token

    def teardown(self) -> None:
        """Cancel everything, and check that nothing is left in the queue."""
        tasks = [each.task for each in self.requests if each.task]
        for task in tasks:
            task.cancel()
        results = self.loop.run_until_complete(self._gather(tasks))
        self.loop.close()
        assert {type(each) for each in results} <= {type(None), HttpError, asyncio.CancelledError}, results
        self.nothing_is_left()

    async def _gather(self, tasks: list["asyncio.Task[None]"]) -> list[BaseException | None]:
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(QUEUE_TIMEOUT_S)  # no pause is longer
        return results

    def nothing_is_left(self) -> None:
        raise NotImplementedError


class FairQueueMachine(FairnessMachine):
    def __init__(self) -> None:
        super().__init__()
        self.queue = ConcurrencyLimiter(SMALL_LIMITS)
        self.enter = self.queue.slot

    @invariant()
    def nobody_waits_while_there_is_room(self) -> None:
        assert (self.queue.running_count, self.queue.waiting_count) == (self.running(), len(self.waiting()))
        assert self.running() <= SMALL_LIMITS.max_concurrent
        for tenant in TENANTS:
            assert self.running(tenant) <= SMALL_LIMITS.max_concurrent_per_organization
            assert (
                not self.waiting(tenant)
                or self.running() == SMALL_LIMITS.max_concurrent
                or self.running(tenant) == SMALL_LIMITS.max_concurrent_per_organization
            )

    def nothing_is_left(self) -> None:
        assert (self.queue.running_count, self.queue.waiting_count) == (0, 0)
        assert not self.queue._running_by_organization  # noqa: SLF001
        assert not self.queue._queue._organizations  # noqa: SLF001


class CpuShareMachine(FairnessMachine):
    def __init__(self) -> None:
        super().__init__()
        self.cpu_share = CpuShare(SMALL_LIMITS)
        self.enter = self.cpu_share.exclusive

    @invariant()
    def one_of_an_organization_runs(self) -> None:
        assert self.cpu_share.waiting_count == len(self.waiting())
        for tenant in TENANTS:
            assert self.running(tenant) <= 1
            assert not self.waiting(tenant) or tenant in self.cpu_share._active  # noqa: SLF001

    def nothing_is_left(self) -> None:
        assert self.cpu_share.waiting_count == 0
        assert not self.cpu_share._active  # noqa: SLF001
        assert not self.cpu_share._queue._organizations  # noqa: SLF001


TestFairQueue = FairQueueMachine.TestCase
TestCpuShare = CpuShareMachine.TestCase

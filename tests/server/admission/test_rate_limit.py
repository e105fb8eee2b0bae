"""The rate limiter and the concurrency queue, with a clock and steps that the test controls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.core.scope import Actor
from server.admission.concurrency import ConcurrencyLimiter
from server.admission.rate_limit import RateLimit, RateLimiter
from server.documents.cost import CostEstimate
from server.errors import ErrorCode, HttpError
from server.limit_settings import ConcurrencyLimits
from tests.support.queueing import create_actor, run_ready_tasks

RATE = RateLimit(restore_per_second=10, burst=100)


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def try_reserve(rates: RateLimiter, actor: Actor, requested: int, actual: int | None = None) -> HttpError | None:
    """Return the error, or None if the points could be reserved."""
    try:
        with rates.account(actor).reserve(CostEstimate(requested, 0)) as reservation:
            reservation.spent_points = requested if actual is None else actual
    except HttpError as error:
        return error
    return None


def test_bucket_starts_full_and_refills() -> None:
    """A reservation beyond the available points is rejected with the seconds until there are enough."""
    rates, actor = RateLimiter(RATE, clock := Clock()), create_actor()
    assert try_reserve(rates, actor, 100) is None
    error = try_reserve(rates, actor, 25)
    assert error is not None
    assert (error.code, error.status, error.headers) == (ErrorCode.RATE_LIMITED, 429, {"retry-after": "3"})
    clock.now += 2.5
    assert try_reserve(rates, actor, 25) is None
    assert rates.account(actor).available == 0


def test_unspent_points_return_and_overspent_points_are_owed() -> None:
    """An operation that did not run costs nothing."""
    rates, actor = RateLimiter(RATE, clock := Clock()), create_actor()
    assert try_reserve(rates, actor, 90, 10) is None
    assert rates.account(actor).available == 90
    assert try_reserve(rates, actor, 90, 0) is None
    assert rates.account(actor).available == 90
    assert try_reserve(rates, actor, 90, 120) is None
    assert rates.account(actor).available == -30
    clock.now += 3
    assert rates.account(actor).available == 0


def test_running_operations_are_reserved() -> None:
    """Otherwise concurrent operations could spend the same points several times."""
    rates, actor = RateLimiter(RATE, Clock()), create_actor()
    with rates.account(actor).reserve(CostEstimate(60, 0)):
        assert try_reserve(rates, actor, 60) is not None
        assert try_reserve(rates, actor, 40) is None


def test_organization_has_at_most_twice_the_points_of_a_token() -> None:
    """This does not depend on the number of its tokens. Another organization is not affected."""
    rates, tenant = RateLimiter(RATE, Clock()), uuid4()
    assert [try_reserve(rates, create_actor(tenant), 100) is None for _ in range(4)] == [True, True, False, False]
    assert try_reserve(rates, create_actor(), 100) is None


@given(some.lists(some.tuples(some.floats(0, 30), some.integers(0, 150), some.integers(0, 150)), max_size=40))
def test_token_never_exceeds_its_rate(steps: list[tuple[float, int, int]]) -> None:
    """For any sequence of requests, it can spend at most the burst and the points restored since."""
    rates, actor, granted = RateLimiter(RATE, clock := Clock()), create_actor(), 0
    for wait, requested, actual in steps:
        clock.now += wait
        if try_reserve(rates, actor, requested, min(actual, requested)) is None:
            granted += min(actual, requested)
        assert granted <= RATE.burst + clock.now * RATE.restore_per_second
        assert rates.account(actor).available <= RATE.burst


SMALL_LIMITS = ConcurrencyLimits(
    max_concurrent=4,
    max_concurrent_per_organization=2,
    queue_size=6,
    queue_size_per_organization=4,
    queue_size_per_token=3,
    queue_timeout=30,
)


class QueueHarness:
    """Run operations until the test ends them."""

    def __init__(self, limits: ConcurrencyLimits) -> None:
        self.queue = ConcurrencyLimiter(limits)
        self.ran: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def arrive(self, name: str, actor: Actor) -> None:
        """Add a request, and return once it runs, waits or is rejected."""
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._run(name, actor))
        await run_ready_tasks()

    async def _run(self, name: str, actor: Actor) -> None:
        async with self.queue.slot(actor):
            self.ran.append(name)
            await self._ends[name].wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self._tasks[name]
        await run_ready_tasks()

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await run_ready_tasks()

    def error_of(self, name: str) -> BaseException | None:
        return self._tasks[name].exception() if self._tasks[name].done() else None

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


@pytest.fixture
async def harness() -> AsyncIterator[QueueHarness]:
    async with AsyncExitStack() as stack:
        queue_harness = QueueHarness(SMALL_LIMITS)
        stack.push_async_callback(queue_harness.close)
        yield queue_harness


async def test_organization_never_takes_all_slots(harness: QueueHarness) -> None:
    greedy, modest = create_actor(), create_actor()
    for name in ("g1", "g2", "g3", "g4"):
        await harness.arrive(name, greedy)
    await harness.arrive("m1", modest)
    assert harness.ran == ["g1", "g2", "m1"]
    assert (harness.queue.running_count, harness.queue.waiting_count) == (3, 2)


async def test_slots_alternate_between_organizations(harness: QueueHarness) -> None:
    """The queue serves one request of each organization in turn. Within an organization the order is that of arrival."""
    one, two, three = create_actor(), create_actor(), create_actor()
    for name, requester in (("a1", one), ("a2", one), ("b1", two), ("b2", two)):
        await harness.arrive(name, requester)
    for name, requester in (("a3", one), ("a4", one), ("b3", two), ("c1", three)):
        await harness.arrive(name, requester)
    assert harness.ran == ["a1", "a2", "b1", "b2"]
    for name in ("a1", "b1", "a2", "b2"):
        await harness.end(name)
    assert harness.ran[4:] == ["a3", "c1", "a4", "b3"] or sorted(harness.ran[4:]) == ["a3", "a4", "b3", "c1"]
    assert harness.ran[4] == "a3"
    assert "c1" in harness.ran[5:7]


async def test_queue_is_bounded(harness: QueueHarness) -> None:
    """The limits are for a token, an organization and the whole queue. A rejected request is asked to retry."""
    tenant = uuid4()
    tokens = [create_actor(tenant), create_actor(tenant)]
    for name in ("r1", "r2", "w1", "w2", "w3", "w4"):
        await harness.arrive(name, tokens[0])
    assert isinstance(harness.error_of("w4"), HttpError)
    await harness.arrive("x1", tokens[1])
    assert harness.error_of("w3") is None
    await harness.arrive("x2", tokens[1])  # replaces the newest request of the token that has more waiting
    assert isinstance(harness.error_of("w3"), HttpError)
    await harness.arrive("x3", tokens[1])
    error = harness.error_of("x3")
    assert isinstance(error, HttpError)
    assert (error.code, error.status, error.headers) == (ErrorCode.UNAVAILABLE, 503, {"retry-after": "1"})
    assert harness.queue.waiting_count == 4


async def test_cancelled_request_leaves_the_queue(harness: QueueHarness) -> None:
    """The next request gets its place, and the queue is empty in the end."""
    actor = create_actor()
    for name in ("r1", "r2", "w1", "w2"):
        await harness.arrive(name, actor)
    await harness.cancel("w1")
    await harness.cancel("r1")
    assert harness.ran == ["r1", "r2", "w2"]
    await harness.end("r2")
    await harness.end("w2")
    assert (harness.queue.running_count, harness.queue.waiting_count) == (0, 0)
    assert not harness.queue._queue._organizations  # noqa: SLF001


async def test_timed_out_request_leaves_the_queue_and_is_asked_to_retry() -> None:
    limiter, actor = (
        ConcurrencyLimiter(ConcurrencyLimits(max_concurrent=1, max_concurrent_per_organization=1, queue_timeout=0.001)),
        create_actor(),
    )
    async with limiter.slot(actor):
        with pytest.raises(HttpError) as raised_error:
            async with limiter.slot(actor):
                raise AssertionError
    assert raised_error.value.code is ErrorCode.UNAVAILABLE
    assert (limiter.running_count, limiter.waiting_count) == (0, 0)


@given(some.lists(some.tuples(some.sampled_from("rcx"), some.integers(0, 30), some.integers(0, 3)), max_size=60))
async def test_limits_hold_for_random_arrivals(steps: list[tuple[str, int, int]]) -> None:
    """No limit is exceeded, no request waits while a slot is free for it, and the queue is empty in the end."""
    queue_harness, actors = QueueHarness(SMALL_LIMITS), [create_actor() for _ in range(4)]
    for number, (step, which, whose) in enumerate(steps):
        waiting_names = sorted(queue_harness._tasks)  # noqa: SLF001
        if step == "r" or not waiting_names:
            await queue_harness.arrive(f"{number}", actors[whose])
        elif step == "c":
            await queue_harness.cancel(waiting_names[which % len(waiting_names)])
        else:
            queue_harness._ends[waiting_names[which % len(waiting_names)]].set()  # noqa: SLF001
            await run_ready_tasks()
        running = queue_harness.queue._running_by_organization  # noqa: SLF001
        assert sum(running.values()) == queue_harness.queue.running_count <= SMALL_LIMITS.max_concurrent
        assert all(count <= SMALL_LIMITS.max_concurrent_per_organization for count in running.values())
        free = queue_harness.queue.running_count < SMALL_LIMITS.max_concurrent
        waiting = queue_harness.queue._queue._organizations  # noqa: SLF001
        assert not [
            tenant
            for tenant, queues in waiting.items()
            if queues and free and running.get(tenant, 0) < SMALL_LIMITS.max_concurrent_per_organization
        ]
    await queue_harness.close()
    assert (queue_harness.queue.running_count, queue_harness.queue.waiting_count) == (0, 0)
    assert len(queue_harness.queue._queue._organizations) == 0  # noqa: SLF001

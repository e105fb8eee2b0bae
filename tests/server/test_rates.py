"""The buckets and the turns: who may ask how much, who runs when; with a clock and steps of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.core.scope import ALL_PERMISSIONS, Actor
from server.admission.concurrency import ConcurrencyLimiter
from server.admission.rate_limit import RateLimit, RateLimiter
from server.documents.cost import CostEstimate
from server.errors import ErrorCode, HttpError
from server.settings import ConcurrencyLimits

RATE = RateLimit(restore_per_second=10, burst=100)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def actor(tenant: UUID | None = None) -> Actor:
    return Actor(tenant or uuid4(), ALL_PERMISSIONS, token_id=uuid4())


def draw(rates: RateLimiter, who: Actor, requested: int, spent: int | None = None) -> HttpError | None:
    """The refusal, or nothing when it could be drawn."""
    try:
        with rates.account(who).reserve(CostEstimate(requested, 0)) as drawn:
            drawn.spent_points = requested if spent is None else spent
    except HttpError as refused:
        return refused
    return None


def test_a_bucket_is_full_at_first_and_fills_again() -> None:
    """What is drawn too much is refused with the seconds until there is enough."""
    rates, who = RateLimiter(RATE, clock := Clock()), actor()
    assert draw(rates, who, 100) is None
    refused = draw(rates, who, 25)
    assert refused is not None
    assert (refused.code, refused.status, refused.headers) == (ErrorCode.RATE_LIMITED, 429, {"retry-after": "3"})
    clock.now += 2.5
    assert draw(rates, who, 25) is None
    assert rates.account(who).available == 0


def test_what_was_not_spent_goes_back_and_what_was_spent_too_much_is_owed() -> None:
    """An operation that never ran costs nothing."""
    rates, who = RateLimiter(RATE, clock := Clock()), actor()
    assert draw(rates, who, 90, 10) is None
    assert rates.account(who).available == 90
    assert draw(rates, who, 90, 0) is None
    assert rates.account(who).available == 90
    assert draw(rates, who, 90, 120) is None
    assert rates.account(who).available == -30
    clock.now += 3
    assert rates.account(who).available == 0


def test_what_is_under_way_is_drawn_already() -> None:
    """So that many at the same moment cannot spend one bucket several times."""
    rates, who = RateLimiter(RATE, Clock()), actor()
    with rates.account(who).reserve(CostEstimate(60, 0)):
        assert draw(rates, who, 60) is not None
        assert draw(rates, who, 40) is None


def test_an_organization_has_no_more_than_two_of_its_tokens() -> None:
    """However many tokens it makes; another organization is not concerned."""
    rates, tenant = RateLimiter(RATE, Clock()), uuid4()
    assert [draw(rates, actor(tenant), 100) is None for _ in range(4)] == [True, True, False, False]
    assert draw(rates, actor(), 100) is None


@given(some.lists(some.tuples(some.floats(0, 30), some.integers(0, 150), some.integers(0, 150)), max_size=40))
def test_nobody_spends_more_than_the_rate_allows(steps: list[tuple[float, int, int]]) -> None:
    """Whatever is asked and when: at most what was saved up and what came back since, and once more what one may owe."""
    rates, who, granted = RateLimiter(RATE, clock := Clock()), actor(), 0
    for wait, requested, spent in steps:
        clock.now += wait
        if draw(rates, who, requested, min(spent, requested)) is None:
            granted += min(spent, requested)
        assert granted <= RATE.burst + clock.now * RATE.restore_per_second
        assert rates.account(who).available <= RATE.burst


FEW = ConcurrencyLimits(
    max_concurrent=4,
    max_concurrent_per_organization=2,
    queue_size=6,
    queue_size_per_organization=4,
    queue_size_per_token=3,
    queue_timeout=30,
)


class Crowd:
    """Operations that run until they are told to end."""

    def __init__(self, limits: ConcurrencyLimits) -> None:
        self.turns = ConcurrencyLimiter(limits)
        self.ran: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, who: Actor) -> None:
        """Until it runs, waits, or is refused."""
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._run(name, who))
        await _settled()

    async def _run(self, name: str, who: Actor) -> None:
        async with self.turns.slot(who):
            self.ran.append(name)
            await self._ends[name].wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self._tasks[name]
        await _settled()

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await _settled()

    def refusal(self, name: str) -> BaseException | None:
        return self._tasks[name].exception() if self._tasks[name].done() else None

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    async with AsyncExitStack() as stack:
        made = Crowd(FEW)
        stack.push_async_callback(made.close)
        yield made


async def test_an_organization_never_has_all_the_turns(crowd: Crowd) -> None:
    """Another one runs at once while it waits."""
    greedy, modest = actor(), actor()
    for name in ("g1", "g2", "g3", "g4"):
        await crowd.come(name, greedy)
    await crowd.come("m1", modest)
    assert crowd.ran == ["g1", "g2", "m1"]
    assert (crowd.turns.running_count, crowd.turns.waiting_count) == (3, 2)


async def test_turns_go_round_the_organizations(crowd: Crowd) -> None:
    """One of each, however many of one are waiting; within one first come, first served."""
    one, two, three = actor(), actor(), actor()
    for name, who in (("a1", one), ("a2", one), ("b1", two), ("b2", two)):
        await crowd.come(name, who)
    for name, who in (("a3", one), ("a4", one), ("b3", two), ("c1", three)):
        await crowd.come(name, who)
    assert crowd.ran == ["a1", "a2", "b1", "b2"]
    for name in ("a1", "b1", "a2", "b2"):
        await crowd.end(name)
    assert crowd.ran[4:] == ["a3", "c1", "a4", "b3"] or sorted(crowd.ran[4:]) == ["a3", "a4", "b3", "c1"]
    assert crowd.ran[4] == "a3"
    assert "c1" in crowd.ran[5:7]


async def test_the_queue_has_an_end(crowd: Crowd) -> None:
    """Of a token, of an organization and of all; who finds it full is told to come again."""
    tenant = uuid4()
    tokens = [actor(tenant), actor(tenant)]
    for name in ("r1", "r2", "w1", "w2", "w3", "w4"):
        await crowd.come(name, tokens[0])
    assert isinstance(crowd.refusal("w4"), HttpError)
    await crowd.come("x1", tokens[1])
    assert crowd.refusal("w3") is None
    await crowd.come("x2", tokens[1])  # takes the place of the newest request of the token that has more waiting
    assert isinstance(crowd.refusal("w3"), HttpError)
    await crowd.come("x3", tokens[1])
    refused = crowd.refusal("x3")
    assert isinstance(refused, HttpError)
    assert (refused.code, refused.status, refused.headers) == (ErrorCode.UNAVAILABLE, 503, {"retry-after": "1"})
    assert crowd.turns.waiting_count == 4


async def test_who_goes_away_leaves_the_queue(crowd: Crowd) -> None:
    """And the next one takes the place; nothing is left behind in the end."""
    who = actor()
    for name in ("r1", "r2", "w1", "w2"):
        await crowd.come(name, who)
    await crowd.cancel("w1")
    await crowd.cancel("r1")
    assert crowd.ran == ["r1", "r2", "w2"]
    await crowd.end("r2")
    await crowd.end("w2")
    assert (crowd.turns.running_count, crowd.turns.waiting_count) == (0, 0)
    assert not crowd.turns._queue._organizations  # noqa: SLF001


async def test_who_waits_too_long_is_told_to_come_again() -> None:
    """And has left the queue."""
    turns, who = ConcurrencyLimiter(ConcurrencyLimits(max_concurrent=1, max_concurrent_per_organization=1, queue_timeout=0.001)), actor()
    async with turns.slot(who):
        with pytest.raises(HttpError) as refused:
            async with turns.slot(who):
                raise AssertionError
    assert refused.value.code is ErrorCode.UNAVAILABLE
    assert (turns.running_count, turns.waiting_count) == (0, 0)


@given(some.lists(some.tuples(some.sampled_from("rcx"), some.integers(0, 30), some.integers(0, 3)), max_size=60))
async def test_whatever_comes_and_goes_the_bounds_hold(steps: list[tuple[str, int, int]]) -> None:
    """Never more at once than allowed; nobody waits while there is a turn for them; in the end all is as at first."""
    made, whos = Crowd(FEW), [actor() for _ in range(4)]
    for number, (step, which, whose) in enumerate(steps):
        known = sorted(made._tasks)  # noqa: SLF001
        if step == "r" or not known:
            await made.come(f"{number}", whos[whose])
        elif step == "c":
            await made.cancel(known[which % len(known)])
        else:
            made._ends[known[which % len(known)]].set()  # noqa: SLF001
            await _settled()
        running = made.turns._running_by_organization  # noqa: SLF001
        assert sum(running.values()) == made.turns.running_count <= FEW.max_concurrent
        assert all(count <= FEW.max_concurrent_per_organization for count in running.values())
        free = made.turns.running_count < FEW.max_concurrent
        waiting = made.turns._queue._organizations  # noqa: SLF001
        assert not [
            tenant for tenant, queues in waiting.items() if queues and free and running.get(tenant, 0) < FEW.max_concurrent_per_organization
        ]
    await made.close()
    assert (made.turns.running_count, made.turns.waiting_count, len(made.turns._queue._organizations)) == (0, 0, 0)  # noqa: SLF001

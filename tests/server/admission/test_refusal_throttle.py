"""Refusals to each caller are spaced out: a burst at once, then evenly, with a bounded delay. The clock is virtual."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from server.admission.refusal_throttle import ANONYMOUS_FACTOR, BURST_S, MAX_CALLERS, MAX_DELAY_S, RefusalThrottle
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, Api, connect_client
from tests.support.builders import Tenant
from tests.support.virtual_time import run

RATE = 100


async def response_times(throttle: RefusalThrottle, caller: str, count: int) -> list[float]:
    """Return when each of `count` errors is sent that are all due now."""
    loop, times = asyncio.get_running_loop(), list[float]()
    began = loop.time()

    async def refuse() -> None:
        await throttle.wait(caller)
        times.append(round(loop.time() - began, 6))

    await asyncio.gather(*(refuse() for _ in range(count)))
    return times


def test_a_burst_is_sent_at_once_and_the_rest_evenly() -> None:
    burst = int(BURST_S * RATE) + 1

    async def check() -> None:
        times = await response_times(RefusalThrottle(RATE), "one", burst + 3)
        assert times == [0.0] * burst + [pytest.approx(step / RATE, abs=1e-3) for step in (1, 2, 3)]

    run(check())


def test_callers_do_not_wait_for_each_other() -> None:
    async def check() -> None:
        throttle = RefusalThrottle(RATE)
        flood = asyncio.create_task(response_times(throttle, "one", 300))
        await asyncio.sleep(0)
        assert await response_times(throttle, "other", 10) == [0.0] * 10
        assert max(await flood) > 1

    run(check())


def test_addresses_without_a_valid_token_share_a_rate() -> None:
    """One address alone has its own rate. Many together get a few times that rate, and authenticated callers do not wait for them."""
    at_once, alone = int(BURST_S * RATE) + 1, list[float]()

    async def ask(throttle: RefusalThrottle, address: str, times: list[float]) -> None:
        began = asyncio.get_running_loop().time()
        await throttle.wait_anonymous(address)
        times.append(asyncio.get_running_loop().time() - began)

    async def check() -> None:
        await asyncio.gather(*(ask(throttle, "one", alone) for throttle in [RefusalThrottle(RATE)] for _ in range(at_once + 2)))
        assert sorted(alone) == [0.0] * at_once + [pytest.approx(step / RATE, abs=1e-3) for step in (1, 2)]
        throttle, many = RefusalThrottle(RATE), list[float]()
        flood = asyncio.gather(*(ask(throttle, f"address {index}", many) for index in range(2 * ANONYMOUS_FACTOR * RATE)))
        await asyncio.sleep(0)
        assert await response_times(throttle, "signed in", 10) == [0.0] * 10
        await flood
        assert max(many) == pytest.approx(2 - BURST_S, abs=0.01)

    run(check())


def test_delay_is_bounded_and_forgotten_after_a_pause() -> None:
    async def check() -> None:
        throttle = RefusalThrottle(RATE)
        times = await response_times(throttle, "one", 2000)
        assert max(times) == pytest.approx(MAX_DELAY_S)
        await asyncio.sleep(2000 / RATE)
        assert await response_times(throttle, "one", int(BURST_S * RATE)) == [0.0] * int(BURST_S * RATE)

    run(check())


def test_callers_are_forgotten() -> None:
    async def check() -> None:
        throttle = RefusalThrottle(RATE)
        for index in range(MAX_CALLERS + 100):
            await throttle.wait(index)
        assert len(throttle._next_due) == MAX_CALLERS  # noqa: SLF001

    run(check())


@pytest.fixture
async def api_with_slow_refusals(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[str], Api]]:
    """Return a function that creates API clients, on a server that sends one refusal a second after the first burst."""
    settings = Settings(max_auth_failures=HUGE_LIMIT, rate_limit_burst=HUGE_LIMIT, max_refusals_per_second=1)
    async with connect_client(schema, database, settings) as http:
        yield lambda token: Api(http, token)


async def test_successful_answers_do_not_wait_for_errors(
    api_with_slow_refusals: Callable[[str], Api], org: Tenant, sample_org: Tenant
) -> None:
    """Other requests of the same organization and of another one are answered while refusals wait."""
    owner, other = api_with_slow_refusals(org.tokens[Role.OWNER]), api_with_slow_refusals(sample_org.tokens[Role.OWNER])
    flood = [asyncio.create_task(owner.post({"query": "{ nothing }"})) for _ in range(8)]
    finished, waiting = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    assert finished
    assert waiting
    assert (await owner.data("{ __typename }"), await other.data("{ __typename }")) == ({"__typename": "Query"},) * 2
    assert (await other.post({"query": "{ nothing }"})).status_code == 200
    assert (await api_with_slow_refusals("wrong").post({"query": "{ __typename }"})).status_code == 401
    for each in waiting:
        each.cancel()
    await asyncio.wait(waiting)

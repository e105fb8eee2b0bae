"""Refusals are paced for each caller, on a virtual clock: a burst at once, then evenly spaced, and never longer than a bound."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from server.admission.refusal_throttle import ANONYMOUS_FACTOR, BURST_S, MAX_CALLERS, MAX_DELAY_S, RefusalThrottle
from server.settings import Settings
from tests.ask import MUCH, Api, connected
from tests.builders import Tenant
from tests.virtual_time import run

RATE = 100


async def answered_at(pace: RefusalThrottle, caller: str, count: int) -> list[float]:
    """When each of so many refusals that are due now is sent."""
    loop, times = asyncio.get_running_loop(), list[float]()
    began = loop.time()

    async def refuse() -> None:
        await pace.wait(caller)
        times.append(round(loop.time() - began, 6))

    await asyncio.gather(*(refuse() for _ in range(count)))
    return times


def test_a_burst_is_sent_at_once_and_the_rest_evenly() -> None:
    burst = int(BURST_S * RATE) + 1

    async def check() -> None:
        times = await answered_at(RefusalThrottle(RATE), "one", burst + 3)
        assert times == [0.0] * burst + [pytest.approx(step / RATE, abs=1e-3) for step in (1, 2, 3)]

    run(check())


def test_callers_do_not_wait_for_each_other() -> None:
    async def check() -> None:
        pace = RefusalThrottle(RATE)
        flood = asyncio.create_task(answered_at(pace, "one", 300))
        await asyncio.sleep(0)
        assert await answered_at(pace, "other", 10) == [0.0] * 10
        assert max(await flood) > 1

    run(check())


def test_addresses_without_a_valid_token_share_a_rate() -> None:
    """One that is alone has its own rate; many get a few times that together, and a signed-in caller waits for none of them."""
    at_once, alone = int(BURST_S * RATE) + 1, list[float]()

    async def ask(pace: RefusalThrottle, address: str, times: list[float]) -> None:
        began = asyncio.get_running_loop().time()
        await pace.wait_anonymous(address)
        times.append(asyncio.get_running_loop().time() - began)

    async def check() -> None:
        await asyncio.gather(*(ask(pace, "one", alone) for pace in [RefusalThrottle(RATE)] for _ in range(at_once + 2)))
        assert sorted(alone) == [0.0] * at_once + [pytest.approx(step / RATE, abs=1e-3) for step in (1, 2)]
        pace, many = RefusalThrottle(RATE), list[float]()
        flood = asyncio.gather(*(ask(pace, f"address {place}", many) for place in range(2 * ANONYMOUS_FACTOR * RATE)))
        await asyncio.sleep(0)
        assert await answered_at(pace, "signed in", 10) == [0.0] * 10
        await flood
        assert max(many) == pytest.approx(2 - BURST_S, abs=0.01)

    run(check())


def test_a_refusal_waits_no_longer_than_the_bound_and_a_rest_is_forgiven() -> None:
    async def check() -> None:
        pace = RefusalThrottle(RATE)
        times = await answered_at(pace, "one", 2000)
        assert max(times) == pytest.approx(MAX_DELAY_S)
        await asyncio.sleep(2000 / RATE)
        assert await answered_at(pace, "one", int(BURST_S * RATE)) == [0.0] * int(BURST_S * RATE)

    run(check())


def test_callers_are_forgotten() -> None:
    async def check() -> None:
        pace = RefusalThrottle(RATE)
        for place in range(MAX_CALLERS + 100):
            await pace.wait(place)
        assert len(pace._next_due) == MAX_CALLERS  # noqa: SLF001

    run(check())


@pytest.fixture
async def paced(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[str], Api]]:
    """A server that sends one refusal an hour beyond the first."""
    settings = Settings(max_auth_failures=MUCH, rate_limit_burst=MUCH, max_refusals_per_second=1)
    async with connected(schema, database, settings) as http:
        yield lambda token: Api(http, token)


async def test_what_is_answered_does_not_wait_for_refusals(paced: Callable[[str], Api], org: Tenant, crowded: Tenant) -> None:
    """While refusals of an organization wait, its other requests and those of another organization are answered."""
    owner, other = paced(org.tokens[Role.OWNER]), paced(crowded.tokens[Role.OWNER])
    flood = [asyncio.create_task(owner.post({"query": "{ nothing }"})) for _ in range(8)]
    done, waiting = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    assert done
    assert waiting
    assert (await owner.data("{ __typename }"), await other.data("{ __typename }")) == ({"__typename": "Query"},) * 2
    assert (await other.post({"query": "{ nothing }"})).status_code == 200
    assert (await paced("wrong").post({"query": "{ __typename }"})).status_code == 401
    for each in waiting:
        each.cancel()
    await asyncio.wait(waiting)

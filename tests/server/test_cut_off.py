"""The way to the database is broken: everybody is told in time, the probe says so, and all is well again when it is whole."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any

import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from db.tables import Role
from tests.ask import Api, connected
from tests.builders import Tenant
from tests.conftest import runtime_url
from tests.db.test_transaction import ONE
from tests.faulty import Way, way_to
from tests.outages import Server, unavailable
from tests.waiting import PATIENCE_S

LIMITS = DatabaseLimits(statement_timeout=1)


@pytest.fixture
async def way(owner_url: str) -> AsyncIterator[Way]:
    async with way_to(runtime_url(owner_url)) as made:
        yield made


@pytest.fixture
async def server(way: Way, schema: strawberry.Schema, org: Tenant) -> AsyncIterator[Server]:
    """Behind it; its connections for reading and for changes are open, and have been used."""
    await org.add_label("A label")
    database = await Database.connect(way.url, LIMITS)
    async with connected(schema, database) as http:
        made = Server(Api(http, org.tokens[Role.OWNER]))
        await asyncio.gather(
            *(made.asked() for _ in range(LIMITS.read_pool_size)), *(made.told_to_make(f"B {place}") for place in range(4))
        )
        yield made
    await way.heal()
    await database.close()


async def in_time(answer: Awaitable[tuple[int, Any]]) -> tuple[int, Any]:
    """Without a limit of ours there would be no answer at all, however long one waits: nothing comes back from the database."""
    async with asyncio.timeout(PATIENCE_S):
        return await answer


async def refused(way: Way) -> None:
    await way.refuse()


async def swallowed(way: Way) -> None:
    way.swallow()


async def parted(way: Way) -> None:
    way.part()


@pytest.mark.parametrize("broken", [refused, swallowed, parted])
async def test_f2_without_a_way_to_the_database_everybody_is_told(
    server: Server, way: Way, broken: Callable[[Way], Awaitable[None]]
) -> None:
    """Refused, swallowed or held up: by the command's limit, and the probe says it too; healed without a restart."""
    await broken(way)
    read, change = await asyncio.gather(in_time(server.asked()), in_time(server.told_to_make("Lost")))
    assert unavailable(read), read
    assert unavailable(change), change
    assert not await server.is_ready()
    await way.heal()
    await server.heals()


async def test_f2_who_was_reset_is_asked_anew(server: Server, way: Way) -> None:
    """Connections that were reset in the pool cost nobody an answer."""
    way.reset()
    assert "errors" not in (await server.asked())[1]
    way.reset()
    assert "errors" not in (await server.told_to_make("After"))[1]
    await server.heals()


@pytest.mark.parametrize("delay_s", [0.03, pytest.param(0.25, marks=pytest.mark.proof)])
async def test_f2_a_long_way_is_no_fault(server: Server, way: Way, delay_s: float) -> None:
    """Up to half a second more for each message and its answer."""
    way.delay_s = delay_s
    read, change = await asyncio.gather(server.asked(), server.told_to_make("From afar"))
    assert "errors" not in read[1]
    assert "errors" not in change[1]
    way.delay_s = 0
    await server.heals()


@pytest.mark.proof
@pytest.mark.parametrize("broken", [swallowed, parted])
async def test_f2_after_fifteen_seconds_under_load_it_heals(server: Server, way: Way, broken: Callable[[Way], Awaitable[None]]) -> None:
    """Each of many is told; then all are answered again."""
    await broken(way)
    codes, until = set(), monotonic() + 15
    while monotonic() < until:
        asked = [*(server.asked() for _ in range(20)), *(server.told_to_make("Lost") for _ in range(4))]
        for _, body in await asyncio.gather(*asked):
            codes |= {error["extensions"]["code"] for error in body["errors"]}
        assert not await server.is_ready()
    assert codes == {"UNAVAILABLE"}
    await way.heal()
    await server.heals()


@pytest.mark.proof
async def test_a_stuck_connection_does_not_hold_up_the_end(way: Way, org: Tenant) -> None:
    """One that is out, one that lies in the pool, and behind neither anybody who answers."""
    database = await Database.connect(way.url, LIMITS)
    async with database.unit_of_work(org.id):
        pass
    out = database.read(org.id)
    await out.fetch(ONE)
    way.swallow()
    async with asyncio.timeout(30):
        await database.close()
    await out.end()

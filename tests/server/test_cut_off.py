"""The way to the database is broken: everybody is told in time, the probe says so, and all is well again when it is whole."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx
import pytest
import strawberry

from db.engine import Database, Limits
from db.tables import Role
from tests.ask import Api, connected
from tests.builders import Tenant
from tests.conftest import runtime_url
from tests.db.test_transaction import ONE
from tests.faulty import Way, way_to

ASK = "{ labels(first: 1) { nodes { name } } }"
MAKE = "mutation ($name: String!) { labelCreate(input: {name: $name}) { label { name } userErrors { code } } }"
LIMITS = Limits(statement_s=0.5)
SILENCE_S = LIMITS.statement_s + 2  # the command's limit is a second more, and a second more is the answer's
HEALED_S = 5.0


@dataclass
class Server:
    """One whose database lies behind a way that can be broken; with a label to ask for."""

    api: Api
    way: Way

    async def asked(self) -> tuple[int, Any]:
        return await self._told({"query": ASK})

    async def told_to_make(self, name: str) -> tuple[int, Any]:
        return await self._told({"query": MAKE, "variables": {"name": name}})

    async def _told(self, body: object) -> tuple[int, Any]:
        response = await self.api.post(body)
        return response.status_code, response.json()

    async def is_ready(self) -> bool:
        return (await self.api.http.get("/readyz")).status_code == httpx.codes.OK

    async def heals(self) -> None:
        """Within seconds reads and changes are answered again, and the probe says so."""
        async with asyncio.timeout(HEALED_S):
            await comes(self._is_asked)
            await comes(self._is_told_to_make)
            await comes(self.is_ready)
        answers = await asyncio.gather(*(self.asked() for _ in range(20)))
        assert answers == [(200, {"data": {"labels": {"nodes": [{"name": "A label"}]}}})] * 20

    async def _is_asked(self) -> bool:
        return "errors" not in (await self.asked())[1]

    async def _is_told_to_make(self) -> bool:
        return "errors" not in (await self.told_to_make("Again"))[1]


async def comes(is_there: Callable[[], Awaitable[bool]]) -> None:
    while not await is_there():
        pass


@pytest.fixture
async def server(owner_url: str, schema: strawberry.Schema, org: Tenant) -> AsyncIterator[Server]:
    """Its connections for reading and for changes are open, and have been used."""
    await org.add_label("A label")
    async with behind(owner_url, schema, org) as made:
        await asyncio.gather(*(made.asked() for _ in range(LIMITS.readers)), *(made.told_to_make(f"B {place}") for place in range(4)))
        yield made


@asynccontextmanager
async def behind(owner_url: str, schema: strawberry.Schema, org: Tenant) -> AsyncIterator[Server]:
    async with way_to(runtime_url(owner_url)) as way:
        database = await Database.connect(way.url, LIMITS)
        async with connected(schema, database) as http:
            yield Server(Api(http, org.tokens[Role.OWNER]), way)
        await way.heal()
        await database.close()


def unavailable(answer: tuple[int, Any]) -> bool:
    """By a code, and nothing else; no word of the driver's."""
    status, body = answer
    codes = {error["extensions"]["code"] for error in body["errors"]}
    messages = {error["message"] for error in body["errors"]}
    return status in {200, 503} and codes == {"UNAVAILABLE"} and messages <= {"The database cannot be reached. Try again."}


async def in_time(answer: Awaitable[tuple[int, Any]]) -> tuple[int, Any]:
    """A bound that the promise itself names."""
    begun = monotonic()
    found = await answer
    assert monotonic() - begun < SILENCE_S
    return found


async def refused(server: Server) -> None:
    await server.way.refuse()


async def swallowed(server: Server) -> None:
    server.way.swallow()


async def parted(server: Server) -> None:
    server.way.part()


@pytest.mark.parametrize("broken", [refused, swallowed, parted])
async def test_f2_without_a_way_to_the_database_everybody_is_told(server: Server, broken: Callable[[Server], Awaitable[None]]) -> None:
    """Refused, swallowed or held up: within a second of the command's limit, and the probe says it too; healed without a restart."""
    await broken(server)
    read, change = await asyncio.gather(in_time(server.asked()), in_time(server.told_to_make("Lost")))
    assert unavailable(read), read
    assert unavailable(change), change
    assert not await server.is_ready()
    await server.way.heal()
    await server.heals()


async def test_f2_who_was_reset_is_asked_anew(server: Server) -> None:
    """Connections that were reset in the pool cost nobody an answer."""
    server.way.reset()
    assert "errors" not in (await server.asked())[1]
    server.way.reset()
    assert "errors" not in (await server.told_to_make("After"))[1]
    await server.heals()


async def test_f2_a_long_way_is_no_fault(server: Server) -> None:
    """Half a second more for each message and its answer."""
    server.way.delay_s = 0.25
    read, change = await asyncio.gather(server.asked(), server.told_to_make("From afar"))
    assert "errors" not in read[1]
    assert "errors" not in change[1]
    server.way.delay_s = 0
    await server.heals()


@pytest.mark.proof
@pytest.mark.parametrize("broken", [swallowed, parted])
async def test_f2_after_fifteen_seconds_under_load_it_heals(server: Server, broken: Callable[[Server], Awaitable[None]]) -> None:
    """Each of many is told, one with the limit of a turn's wait; then all are answered again."""
    await broken(server)
    codes, until = set(), monotonic() + 15
    while monotonic() < until:
        asked = [*(server.asked() for _ in range(20)), *(server.told_to_make("Lost") for _ in range(4))]
        for _, body in await asyncio.gather(*asked):
            codes |= {error["extensions"]["code"] for error in body["errors"]}
        assert not await server.is_ready()
    assert codes <= {"UNAVAILABLE", "TIMEOUT"}
    await server.way.heal()
    await server.heals()


async def test_a_stuck_connection_does_not_hold_up_the_end(owner_url: str, org: Tenant) -> None:
    """One that is out, one that lies in the pool, and behind neither anybody who answers."""
    async with way_to(runtime_url(owner_url)) as way:
        database = await Database.connect(way.url, LIMITS)
        async with database.work(org.id):
            pass
        out = database.read(org.id)
        await out.fetch(ONE)
        way.swallow()
        async with asyncio.timeout(30):
            await database.close()
        await out.end()

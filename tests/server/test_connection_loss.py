"""Without a database connection requests fail in time and the probe reports it, and the server recovers when the connection does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any

import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from db.tables import Role
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.eventually import TIMEOUT_S
from tests.support.faulty_proxy import FaultyProxy, run_proxy
from tests.support.outages import OutageServer, is_unavailable
from tests.support.sql_queries import ONE_QUERY

LIMITS = DatabaseLimits(statement_timeout=1)


@pytest.fixture
async def proxy(owner_url: str) -> AsyncIterator[FaultyProxy]:
    async with run_proxy(runtime_url(owner_url)) as faulty_proxy:
        yield faulty_proxy


@pytest.fixture
async def server(proxy: FaultyProxy, schema: strawberry.Schema, org: Tenant) -> AsyncIterator[OutageServer]:
    """Run a server behind the proxy, whose read and write connections have been used."""
    await org.add_label("A label")
    database = await Database.connect(proxy.url, LIMITS)
    async with connect_client(schema, database) as http:
        outage_server = OutageServer(Api(http, org.tokens[Role.OWNER]))
        await asyncio.gather(
            *(outage_server.query_label() for _ in range(LIMITS.read_pool_size)),
            *(outage_server.create_label(f"B {index}") for index in range(4)),
        )
        yield outage_server
    await proxy.heal()
    await database.close()


async def within_time(answer: Awaitable[tuple[int, Any]]) -> tuple[int, Any]:
    """Return the response, or fail after the time limit."""
    async with asyncio.timeout(TIMEOUT_S):
        return await answer


async def refuse_connections(proxy: FaultyProxy) -> None:
    await proxy.refuse()


async def drop_data(proxy: FaultyProxy) -> None:
    proxy.drop_data()


async def partition(proxy: FaultyProxy) -> None:
    proxy.partition()


@pytest.mark.parametrize("break_connection", [refuse_connections, drop_data, partition])
async def test_f2_requests_fail_quickly_without_a_database_connection(
    server: OutageServer, proxy: FaultyProxy, break_connection: Callable[[FaultyProxy], Awaitable[None]]
) -> None:
    """The connection refuses, drops or holds data. The statement timeout ends the requests, the probe fails, and no restart is needed."""
    await break_connection(proxy)
    read, change = await asyncio.gather(within_time(server.query_label()), within_time(server.create_label("Lost")))
    assert is_unavailable(read), read
    assert is_unavailable(change), change
    assert not await server.is_ready()
    await proxy.heal()
    await server.wait_until_healthy()


async def test_f2_reset_connections_are_retried(server: OutageServer, proxy: FaultyProxy) -> None:
    """Connections that were reset while in the pool cause no error."""
    proxy.reset()
    assert "errors" not in (await server.query_label())[1]
    proxy.reset()
    assert "errors" not in (await server.create_label("After"))[1]
    await server.wait_until_healthy()


@pytest.mark.parametrize("delay_s", [0.03, pytest.param(0.25, marks=pytest.mark.proof)])
async def test_f2_slow_network_causes_no_errors(server: OutageServer, proxy: FaultyProxy, delay_s: float) -> None:
    """The delay is up to half a second for each message and its response."""
    proxy.delay_s = delay_s
    read, change = await asyncio.gather(server.query_label(), server.create_label("From afar"))
    assert "errors" not in read[1]
    assert "errors" not in change[1]
    proxy.delay_s = 0
    await server.wait_until_healthy()


@pytest.mark.proof
@pytest.mark.parametrize("break_connection", [drop_data, partition])
async def test_f2_recovers_after_an_outage_under_load(
    server: OutageServer, proxy: FaultyProxy, break_connection: Callable[[FaultyProxy], Awaitable[None]]
) -> None:
    """Each of many requests gets an error. Afterwards all are answered again."""
    await break_connection(proxy)
    codes, until = set(), monotonic() + 15
    while monotonic() < until:
        requests = [*(server.query_label() for _ in range(20)), *(server.create_label("Lost") for _ in range(4))]
        for _, body in await asyncio.gather(*requests):
            codes |= {error["extensions"]["code"] for error in body["errors"]}
        assert not await server.is_ready()
    assert codes == {"UNAVAILABLE"}
    await proxy.heal()
    await server.wait_until_healthy()


@pytest.mark.proof
async def test_stuck_connection_does_not_block_shutdown(proxy: FaultyProxy, org: Tenant) -> None:
    """One connection is in use, another is in the pool, and the database does not respond on either."""
    database = await Database.connect(proxy.url, LIMITS)
    async with database.unit_of_work(org.id):
        pass
    out = database.read(org.id)
    await out.fetch(ONE_QUERY)
    proxy.drop_data()
    async with asyncio.timeout(30):
        await database.close()
    await out.end()

"""With random cancelled requests, cancelled statements and terminated connections, no response is wrong and the server recovers."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, create_sample_org
from tests.support.databases import runtime_url
from tests.support.outages import GIVEN_UP, MAKE
from tests.support.queries import NESTED_QUERY

OF_THE_SERVER = "FROM pg_stat_activity WHERE usename = 'relaties_test' AND datname = current_database()"
CODES = {"UNAVAILABLE", "TIMEOUT"}


@dataclass
class FaultyTraffic:
    """The traffic of a server, and the faults injected into it."""

    api: Api
    operator: asyncpg.Connection
    expected: Any
    chance: random.Random
    attempted_names: list[str] = field(default_factory=list)
    created_names: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    async def send_query(self) -> None:
        body = (await self.api.post({"query": NESTED_QUERY, "variables": {"first": 5}})).json()
        if "errors" in body:
            self._post(body)
        else:
            assert body["data"] == self.expected

    async def send_change(self) -> None:
        name, key = str(uuid4()), str(uuid4())
        self.attempted_names.append(name)
        body = (await self.api.post({"query": MAKE, "variables": {"name": name, "key": key}})).json()
        if "errors" in body:
            self._post(body)
        else:
            assert body["data"] == {"labelCreate": {"label": {"name": name}, "userErrors": []}}
            self.created_names.add(name)

    def _post(self, body: dict[str, Any]) -> None:
        self.codes |= {error["extensions"]["code"] for error in body["errors"]}

    async def inject_one(self) -> None:
        """Run a query and a change, and inject one of three faults at a random moment."""
        tasks = [asyncio.create_task(self.send_query()), asyncio.create_task(self.send_change())]
        for _ in range(self.chance.randint(0, 60)):
            await asyncio.sleep(0)
        what = self.chance.choice(["request", "pg_cancel_backend", "pg_terminate_backend"])
        if what == "request":
            self.chance.choice(tasks).cancel()
        else:
            await self.operator.execute(f"SELECT {what}(pid) {OF_THE_SERVER} ORDER BY random() LIMIT 2")
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, asyncio.CancelledError), outcome


@pytest.fixture
async def traffic(
    fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema
) -> AsyncIterator[tuple[FaultyTraffic, Tenant, Database]]:
    url = await fresh_database()
    operator = await asyncpg.connect(url)
    org = await create_sample_org(operator, clients=6)
    database = await Database.connect(runtime_url(url))
    async with connect_client(schema, database) as http:
        api = Api(http, org.tokens[Role.OWNER])
        expected = await api.data(NESTED_QUERY, first=5)
        yield FaultyTraffic(api, operator, expected, random.Random(6)), org, database  # noqa: S311 no secret
    await database.close()
    await operator.close()


@GIVEN_UP
@pytest.mark.parametrize("count", [60, pytest.param(200, marks=pytest.mark.proof)])
async def test_server_recovers_from_random_faults(traffic: tuple[FaultyTraffic, Tenant, Database], count: int) -> None:
    """After the faults all requests are answered correctly, and each acknowledged change exists once."""
    server, org, database = traffic
    for _ in range(count):
        await server.inject_one()
    assert server.codes <= CODES
    server.codes.clear()
    for _ in range(count // 20):
        await asyncio.gather(*(server.send_query() for _ in range(10)), *(server.send_change() for _ in range(10)))
    assert server.codes == set()
    labels = await server.operator.fetch("SELECT name FROM relaties.label WHERE tenant_id = $1 AND name !~ '^Label '", org.id)
    names = [row["name"] for row in labels]
    assert len(names) == len(set(names))
    assert server.created_names <= set(names) <= set(server.attempted_names)
    assert (database.read_connections_in_use, database.read_connections_awaited, database.write_connections_in_use) == (0, 0, 0)
    gc.collect()

"""An operation that times out, or whose client disconnects, is stopped in the database too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx
import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from db.tables import Role
from server.settings import Settings
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import RUNTIME, runtime_url
from tests.support.eventually import TIMEOUT_S
from tests.support.outages import LABEL_QUERY, MAKE
from tests.support.processes import run_server
from tests.support.snapshots import assert_unchanged

SHORT_S = 0.5
# The limits of locks and statements are longer than any test waits, so only the server itself can end a blocked operation.
PATIENT, LONG_S = "ALTER ROLE {} IN DATABASE {} SET lock_timeout = '300s'", 300
OF_THE_SERVER = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'relaties_test' AND datname = current_database()"
BUSY, HELD_UP = f"{OF_THE_SERVER} AND state <> 'idle'", f"{OF_THE_SERVER} AND wait_event_type = 'Lock'"
RELATION = "{ clients { nodes { labels { name } } } }"
REQUESTS = [{"query": LABEL_QUERY}, {"query": RELATION}, {"query": MAKE, "variables": {"name": "Never", "key": "k"}}]
REQUEST_NAMES = ["query", "relation", "change"]


@pytest.fixture
async def operator(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[tuple[str, asyncpg.Connection]]:
    """Yield the URL of a database for one test, and a connection of its owner with which the test locks tables."""
    url = await fresh_database()
    connection = await asyncpg.connect(url)
    await connection.execute(PATIENT.format(RUNTIME, url.rpartition("/")[2]))
    yield url, connection
    await connection.close()


@pytest.fixture
async def org(operator: tuple[str, asyncpg.Connection]) -> Tenant:
    org = await create_tenant(operator[1])
    await org.add_client("A client")
    return org


async def wait_for_backends(operator: asyncpg.Connection, what: str, count: int) -> None:
    """Wait until this number of backends matches the query. Within a transaction the first snapshot of the activity must be cleared."""
    async with asyncio.timeout(TIMEOUT_S):
        while await operator.fetchval(what) != count:
            await operator.execute("SELECT pg_stat_clear_snapshot()")


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("body", REQUESTS, ids=REQUEST_NAMES)
async def test_q10_timed_out_operation_frees_its_backend(
    operator: tuple[str, asyncpg.Connection], org: Tenant, schema: strawberry.Schema, body: dict[str, object], is_compiled: bool
) -> None:
    """It fails with TIMEOUT, the database stops working on it, nothing is changed, and the next operation is answered."""
    url, owner = operator
    database = await Database.connect(runtime_url(url), DatabaseLimits(statement_timeout=LONG_S))
    async with (
        connect_client(schema, database, Settings(operation_timeout=SHORT_S, compiled_executor=is_compiled)) as http,
        assert_unchanged(owner, org.id),
    ):
        api = Api(http, org.tokens[Role.OWNER])
        async with owner.transaction():
            await owner.execute("LOCK TABLE relaties.label")
            response = await api.post(body)
            assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
            await wait_for_backends(owner, BUSY, 0)
    async with connect_client(schema, database) as http:  # with a timeout that a busy machine does not reach
        assert await Api(http, org.tokens[Role.OWNER]).data(LABEL_QUERY) == {"labels": {"nodes": []}}
    assert (database.read_connections_in_use, database.write_connections_in_use) == (0, 0)
    await database.close()


@pytest.mark.parametrize("body", REQUESTS, ids=REQUEST_NAMES)
async def test_disconnected_client_frees_its_backend(
    operator: tuple[str, asyncpg.Connection], org: Tenant, tmp_path: Path, body: dict[str, object]
) -> None:
    """Nothing is changed, and the next operation is answered."""
    url, owner = operator
    headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}"}
    settings = {
        "DATABASE_URL": runtime_url(url),
        "RELATIES_DATA_DIR": str(tmp_path),
        "RELATIES_STATEMENT_TIMEOUT": f"{LONG_S}",
        "RELATIES_OPERATION_TIMEOUT": f"{LONG_S}",
    }
    with run_server(**settings) as server:
        async with httpx.AsyncClient(base_url=server.address, headers=headers, timeout=LONG_S) as http, assert_unchanged(owner, org.id):
            async with owner.transaction():
                await owner.execute("SET LOCAL lock_timeout = 0; LOCK TABLE relaties.label")
                task = asyncio.create_task(http.post("/graphql", json=body, timeout=LONG_S))
                await wait_for_backends(owner, HELD_UP, 1)
                task.cancel()
                await wait_for_backends(owner, BUSY, 0)
            assert (await http.post("/graphql", json={"query": LABEL_QUERY})).json() == {"data": {"labels": {"nodes": []}}}

"""An operation that takes too long, or that nobody waits for any more, is ended in the database too."""

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
from tests.ask import Api, connected
from tests.builders import Tenant, tenant
from tests.commands import serving
from tests.conftest import RUNTIME, runtime_url
from tests.outages import ASK, MAKE
from tests.snapshots import unchanged
from tests.waiting import PATIENCE_S

SHORT_S = 0.5
# Neither the lock's own limit nor the statement's ends what is held up, for longer than any test waits: only giving it up does.
PATIENT, LONG_S = "ALTER ROLE {} IN DATABASE {} SET lock_timeout = '300s'", 300
OF_THE_SERVER = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'relaties_test' AND datname = current_database()"
BUSY, HELD_UP = f"{OF_THE_SERVER} AND state <> 'idle'", f"{OF_THE_SERVER} AND wait_event_type = 'Lock'"
RELATION = "{ clients { nodes { labels { name } } } }"
ASKED = [{"query": ASK}, {"query": RELATION}, {"query": MAKE, "variables": {"name": "Never", "key": "k"}}]
WHAT = ["query", "relation", "change"]


@pytest.fixture
async def operator(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[tuple[str, asyncpg.Connection]]:
    """The address of a database of the test's own, and a connection of its owner that holds what everybody asks for."""
    url = await fresh_database()
    connection = await asyncpg.connect(url)
    await connection.execute(PATIENT.format(RUNTIME, url.rpartition("/")[2]))
    yield url, connection
    await connection.close()


@pytest.fixture
async def there(operator: tuple[str, asyncpg.Connection]) -> Tenant:
    made = await tenant(operator[1])
    await made.add_client("A client")
    return made


async def seen(operator: asyncpg.Connection, what: str, count: int) -> None:
    """So many backends of the server are at it. A transaction would go on seeing what it saw first."""
    async with asyncio.timeout(PATIENCE_S):
        while await operator.fetchval(what) != count:
            await operator.execute("SELECT pg_stat_clear_snapshot()")


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("body", ASKED, ids=WHAT)
async def test_q10_an_operation_out_of_time_frees_its_backend(
    operator: tuple[str, asyncpg.Connection], there: Tenant, schema: strawberry.Schema, body: dict[str, object], compiled: bool
) -> None:
    """It is told so, and the database does no more for it; nothing is changed, and the next one is answered. On either executor."""
    url, owner = operator
    database = await Database.connect(runtime_url(url), DatabaseLimits(statement_timeout=LONG_S))
    async with (
        connected(schema, database, Settings(operation_timeout=SHORT_S, compiled_executor=compiled)) as http,
        unchanged(owner, there.id),
    ):
        api = Api(http, there.tokens[Role.OWNER])
        async with owner.transaction():
            await owner.execute("LOCK TABLE relaties.label")
            response = await api.post(body)
            assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
            await seen(owner, BUSY, 0)
    async with connected(schema, database) as http:  # in as long as a busy machine takes
        assert await Api(http, there.tokens[Role.OWNER]).data(ASK) == {"labels": {"nodes": []}}
    assert (database.read_connections_in_use, database.write_connections_in_use) == (0, 0)
    await database.close()


@pytest.mark.parametrize("body", ASKED, ids=WHAT)
async def test_a_client_that_goes_away_frees_its_backend(
    operator: tuple[str, asyncpg.Connection], there: Tenant, tmp_path: Path, body: dict[str, object]
) -> None:
    """Whether it asked or changed something; nothing is changed, and the next one is answered."""
    url, owner = operator
    headers = {"authorization": f"Bearer {there.tokens[Role.OWNER]}"}
    settings = {
        "DATABASE_URL": runtime_url(url),
        "RELATIES_DATA_DIR": str(tmp_path),
        "RELATIES_STATEMENT_TIMEOUT": f"{LONG_S}",
        "RELATIES_OPERATION_TIMEOUT": f"{LONG_S}",
    }
    with serving(**settings) as server:
        async with httpx.AsyncClient(base_url=server.address, headers=headers, timeout=LONG_S) as http, unchanged(owner, there.id):
            async with owner.transaction():
                await owner.execute("SET LOCAL lock_timeout = 0; LOCK TABLE relaties.label")
                asked = asyncio.create_task(http.post("/graphql", json=body, timeout=LONG_S))
                await seen(owner, HELD_UP, 1)
                asked.cancel()
                await seen(owner, BUSY, 0)
            assert (await http.post("/graphql", json={"query": ASK})).json() == {"data": {"labels": {"nodes": []}}}

"""Behind a pooler in transaction mode the server gives the same responses, and organizations stay separate."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from db.engine.read_pool import ReadConnection, ReadPool
from db.engine.urls import with_database_name
from db.migrations import upgrade
from db.tables import Role
from tests.support.api import Api, connect_client
from tests.support.builders import create_sample_org
from tests.support.clusters import run_cluster
from tests.support.mutation_inputs import MUTATION_CASES, create_world, mutation_document, valid_input
from tests.support.outages import GIVEN_UP
from tests.support.pgbouncer import PGBOUNCER, run_pooler
from tests.support.processes import run_relaties, run_server
from tests.support.queries import NESTED_QUERY
from tests.support.tenant_storm import create_marked_organizations, run_request_storm

pytestmark = pytest.mark.interop
USER, PASSWORD = "relaties_pooled", "word"
PATIENT = DatabaseLimits(read_pool_timeout=30, write_pool_timeout=30)


@pytest.fixture(scope="module")
def pooled_urls() -> Iterator[tuple[str, str]]:
    """Yield the URLs of a database: the owner's direct one, and that of the server's role through the pooler."""
    with run_cluster(Path("/usr/lib/postgresql/15/bin")) as url:
        owner_url = with_database_name(url, "relaties")
        asyncio.run(prepare_database(url, owner_url))
        with run_pooler(owner_url, {USER: PASSWORD}) as pooler_address:
            yield owner_url, f"postgresql://{USER}:{PASSWORD}@{pooler_address}/relaties"


async def prepare_database(url: str, owner_url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE relaties")
    await connection.close()
    await upgrade(owner_url, f"postgresql://{USER}:{PASSWORD}@direct/relaties")


@pytest.fixture
async def operator(pooled_urls: tuple[str, str]) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(pooled_urls[0])
    yield connection
    await connection.close()


@pytest.fixture
async def pooled_api(pooled_urls: tuple[str, str], schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    database = await Database.connect(pooled_urls[1], PATIENT, is_pooled=True)
    async with connect_client(schema, database) as http:
        yield http
    await database.close()


async def test_unsupported_parameters_are_set_on_the_role(pooled_urls: tuple[str, str]) -> None:
    """PgBouncer does not support `jit` as a startup parameter, so the migrations set it on the role."""
    with pytest.raises(asyncpg.ProtocolViolationError, match="unsupported startup parameter: jit"):
        await Database.connect(pooled_urls[1])
    connection = await asyncpg.connect(pooled_urls[1], statement_cache_size=0)
    assert await connection.fetchval("SHOW jit") == "off"
    assert await connection.fetchval("SHOW lock_timeout") == "2s"
    await connection.close()


async def test_queries_and_every_mutation_are_answered(pooled_api: httpx.AsyncClient, operator: asyncpg.Connection) -> None:
    """Many requests share five database connections."""
    sample = await create_sample_org(operator)
    api = Api(pooled_api, sample.tokens[Role.OWNER])
    (answer, *others) = await asyncio.gather(*(api.data(NESTED_QUERY, first=20) for _ in range(50)))
    assert others == [answer] * 49
    assert len(answer["clients"]["edges"]) == 20

    async def run_mutation(name: str, alternative: int) -> dict[str, Any]:
        async with lock:
            own_world = await create_world(operator)
        body = await Api(pooled_api, own_world.tenant.tokens[Role.OWNER]).execute(
            mutation_document(name), input=valid_input(own_world, name, alternative)
        )
        assert body["data"][name]["userErrors"] == [], body
        return body

    lock = asyncio.Lock()  # for the only connection of `operator`
    await asyncio.gather(*(run_mutation(name, alternative_index) for name, alternative_index in MUTATION_CASES * 2))


@GIVEN_UP
@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.proof)])
async def test_t7_organizations_stay_separate_through_a_pooler(
    pooled_api: httpx.AsyncClient, operator: asyncpg.Connection, seconds: float
) -> None:
    """Transactions of all organizations run one after the other on the same connections."""
    await run_request_storm(await create_marked_organizations(operator), pooled_api, operator, USER, seconds)


async def test_sessions_are_never_used_behind_a_pooler(pooled_urls: tuple[str, str]) -> None:
    """This does not depend on a setting: the process id sent at the start of the connection differs from that of the session."""
    pids = {}
    for url in pooled_urls:

        async def connect(url: str = url) -> ReadConnection:
            reader: ReadConnection = await asyncpg.connect(url, connection_class=ReadConnection, statement_cache_size=0)
            return reader

        pool = ReadPool(connect, 1, 5.0, "SELECT 1")
        reader = await pool.acquire()
        pids[url] = await pool.set_session_tenant(reader, uuid4())
        pool.release(reader)
        await pool.close()
    assert [pids[url] for url in pooled_urls] == [True, False]


def test_server_runs_behind_a_pooler(pooled_urls: tuple[str, str], tmp_path: Path) -> None:
    """The setting for a pooler is on, the owner connects directly, and the doctor finds no problem."""
    owner_url, url = pooled_urls
    settings = {"DATABASE_URL": url, "RELATIES_OWNER_URL": owner_url, "RELATIES_POOLER": "true", "RELATIES_DATA_DIR": str(tmp_path)}
    assert re.match(r"PgBouncer 1\.(1[89]|[2-9]\d)", pgbouncer_version())
    result = run_relaties("doctor", **settings)
    assert result.returncode == 0, result.stdout
    with run_server(**settings) as server:
        assert httpx.get(f"{server.address}/readyz").json() == {"status": "ready"}


def pgbouncer_version() -> str:
    return subprocess.run([PGBOUNCER, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603

"""A pooler in transaction mode between the server and its database: the same answers, and organizations as far apart."""

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
from tests.apart import crossfire, organizations
from tests.api.test_nested_query import NESTED
from tests.ask import Api, connected
from tests.builders import crowd
from tests.clusters import cluster
from tests.commands import relaties, serving
from tests.inputs import TRIES, document, right, world
from tests.outages import GIVEN_UP
from tests.poolers import PGBOUNCER, pooler

pytestmark = pytest.mark.interop
USER, PASSWORD = "relaties_pooled", "word"
PATIENT = DatabaseLimits(read_pool_timeout=30, write_pool_timeout=30)


@pytest.fixture(scope="module")
def behind() -> Iterator[tuple[str, str]]:
    """The addresses of a database: its owner's own, and that of the server's role by way of the pooler."""
    with cluster(Path("/usr/lib/postgresql/15/bin")) as url:
        owner_url = with_database_name(url, "relaties")
        asyncio.run(made(url, owner_url))
        with pooler(owner_url, {USER: PASSWORD}) as place:
            yield owner_url, f"postgresql://{USER}:{PASSWORD}@{place}/relaties"


async def made(url: str, owner_url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE relaties")
    await connection.close()
    await upgrade(owner_url, f"postgresql://{USER}:{PASSWORD}@direct/relaties")


@pytest.fixture
async def operator(behind: tuple[str, str]) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(behind[0])
    yield connection
    await connection.close()


@pytest.fixture
async def pooled(behind: tuple[str, str], schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    database = await Database.connect(behind[1], PATIENT, is_pooled=True)
    async with connected(schema, database) as http:
        yield http
    await database.close()


async def test_what_the_pooler_would_refuse_is_the_roles_own(behind: tuple[str, str]) -> None:
    """It knows not `jit` as a parameter at the start; the migrations gave it to the role."""
    with pytest.raises(asyncpg.ProtocolViolationError, match="unsupported startup parameter: jit"):
        await Database.connect(behind[1])
    connection = await asyncpg.connect(behind[1], statement_cache_size=0)
    assert await connection.fetchval("SHOW jit") == "off"
    assert await connection.fetchval("SHOW lock_timeout") == "2s"
    await connection.close()


async def test_queries_and_every_mutation_are_answered(pooled: httpx.AsyncClient, operator: asyncpg.Connection) -> None:
    """Many at once on five connections, which none of them has for itself."""
    crowded = await crowd(operator)
    api = Api(pooled, crowded.tokens[Role.OWNER])
    (answer, *others) = await asyncio.gather(*(api.data(NESTED, first=20) for _ in range(50)))
    assert others == [answer] * 49
    assert len(answer["clients"]["edges"]) == 20

    async def changed(name: str, turn: int) -> dict[str, Any]:
        async with lock:
            made = await world(operator)
        body = await Api(pooled, made.tenant.tokens[Role.OWNER]).ask(document(name), input=right(made, name, turn))
        assert body["data"][name]["userErrors"] == [], body
        return body

    lock = asyncio.Lock()  # of the operator's one connection
    await asyncio.gather(*(changed(name, turn) for name, turn in TRIES * 2))


@GIVEN_UP
@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.proof)])
async def test_t7_nobody_is_shown_anothers_through_a_pooler(
    pooled: httpx.AsyncClient, operator: asyncpg.Connection, seconds: float
) -> None:
    """Though transactions of all of them come one after the other on the same connections."""
    await crossfire(await organizations(operator), pooled, operator, USER, seconds)


async def test_session_behind_a_pooler_is_never_used(behind: tuple[str, str]) -> None:
    """Though nobody said that there is one: the pid that it connects with is not that of the session."""
    found = {}
    for url in behind:

        async def connect(url: str = url) -> ReadConnection:
            reader: ReadConnection = await asyncpg.connect(url, connection_class=ReadConnection, statement_cache_size=0)
            return reader

        pool = ReadPool(connect, 1, 5.0, "SELECT 1")
        reader = await pool.acquire()
        found[url] = await pool.set_session_tenant(reader, uuid4())
        pool.release(reader)
        await pool.close()
    assert [found[url] for url in behind] == [True, False]


def test_the_server_runs_behind_one(behind: tuple[str, str], tmp_path: Path) -> None:
    """As its setting says; the doctor finds nothing, and the owner's own address is past it."""
    owner_url, url = behind
    settings = {"DATABASE_URL": url, "RELATIES_OWNER_URL": owner_url, "RELATIES_POOLER": "true", "RELATIES_DATA_DIR": str(tmp_path)}
    assert re.match(r"PgBouncer 1\.(1[89]|[2-9]\d)", _version())
    done = relaties("doctor", **settings)
    assert done.returncode == 0, done.stdout
    with serving(**settings) as server:
        assert httpx.get(f"{server.address}/readyz").json() == {"status": "ready"}


def _version() -> str:
    return subprocess.run([PGBOUNCER, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603

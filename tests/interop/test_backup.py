"""A restored dump is the same database: it has the same data, row-level security and privileges, and gives the same responses."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import strawberry

from db.engine.database import Database
from db.engine.urls import with_database_name
from db.migrations import upgrade
from db.tables import Role, Table
from server.database_checks import ensure_database_ready
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, create_sample_org
from tests.support.clusters import run_cluster
from tests.support.outages import LABEL_QUERY, MAKE
from tests.support.queries import NESTED_QUERY
from tests.support.snapshots import read_snapshot

pytestmark = pytest.mark.interop
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
IN_SCHEMA = "relnamespace = 'relaties'::regnamespace"
OF_THE_DATABASE = {
    "policies": "SELECT * FROM pg_policies WHERE schemaname = 'relaties' ORDER BY tablename, policyname",
    "rls": f"SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE {IN_SCHEMA} AND relkind = 'r' ORDER BY 1",
    "rights": f"SELECT relname, acl::text FROM pg_class CROSS JOIN unnest(relacl) acl WHERE {IN_SCHEMA} ORDER BY 1, 2",
    "schema": "SELECT nspacl::text FROM pg_namespace WHERE nspname = 'relaties'",
    "functions": "SELECT proname, prosecdef, proacl::text FROM pg_proc WHERE pronamespace = 'relaties'::regnamespace ORDER BY 1",
    # PostgreSQL prints the conditions of restored constraints with other parentheses.
    "keys": "SELECT conname, translate(pg_get_constraintdef(oid), '()', '') FROM pg_constraint"
    " WHERE connamespace = 'relaties'::regnamespace ORDER BY 1, 2",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'relaties' ORDER BY 1",
    "sequences": "SELECT * FROM pg_sequences WHERE schemaname = 'relaties' ORDER BY sequencename",
}
QUERIES = [
    {"query": NESTED_QUERY, "variables": {"first": 100}},
    {"query": LABEL_QUERY},
    {"query": "{ contacts(first: 100) { nodes { fullName email clients { nodes { name } } } } viewer { organization { name } } }"},
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with run_cluster(PROGRAMS) as server_address:
        yield server_address


def run_pg_program(program: str, *arguments: str) -> None:
    result = subprocess.run([PROGRAMS / program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 0, result.stderr


async def wipe(admin: asyncpg.Connection) -> None:
    await admin.execute("DROP DATABASE IF EXISTS relaties")
    await admin.execute("CREATE DATABASE relaties")


@dataclass(frozen=True)
class MigratedDatabase:
    """An empty database, the URLs of its owner and of the server, and a connection that may drop it."""

    owner_url: str
    runtime_url: str
    admin: asyncpg.Connection


@pytest.fixture
async def migrated_database(url: str) -> AsyncIterator[MigratedDatabase]:
    admin, owner_url = await asyncpg.connect(url), with_database_name(url, "relaties")
    await wipe(admin)
    database_urls = MigratedDatabase(owner_url, f"postgresql://relaties_server:word@{owner_url.rpartition('@')[2]}", admin)
    await upgrade(database_urls.owner_url, database_urls.runtime_url)
    yield database_urls
    await admin.close()


@asynccontextmanager
async def connect_checked_server(runtime_url: str, schema: strawberry.Schema, org: Tenant) -> AsyncIterator[Api]:
    """Yield an API client of a server that has passed its checks of the database."""
    database = await Database.connect(runtime_url)
    await ensure_database_ready(database)
    async with connect_client(schema, database) as http:
        yield Api(http, org.tokens[Role.OWNER])
    await database.close()


async def describe_database(owner: asyncpg.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {what: [tuple(row) for row in await owner.fetch(query)] for what, query in OF_THE_DATABASE.items()}


async def test_f9_restored_dump_is_identical(migrated_database: MigratedDatabase, schema: strawberry.Schema, tmp_path: Path) -> None:
    """The dump contains two organizations with all kinds of data. The server continues to work on the restored database."""
    owner_url, runtime_url, file = migrated_database.owner_url, migrated_database.runtime_url, str(tmp_path / "dump")
    owner = await asyncpg.connect(owner_url)
    orgs = [await create_sample_org(owner, clients=30), await create_sample_org(owner, clients=5)]
    async with connect_checked_server(runtime_url, schema, orgs[0]) as api:
        await api.data(MAKE, name="By the API", key="k")
        answers = [(await api.post(body)).content for body in QUERIES]
    rows, shape = await read_snapshot(owner, *(org.id for org in orgs)), await describe_database(owner)
    await owner.close()
    run_pg_program("pg_dump", "--format=custom", f"--file={file}", owner_url)
    await wipe(migrated_database.admin)
    run_pg_program("pg_restore", "--exit-on-error", f"--dbname={owner_url}", file)
    owner = await asyncpg.connect(owner_url)
    assert await read_snapshot(owner, *(org.id for org in orgs)) == rows
    for what, description in (await describe_database(owner)).items():
        assert description == shape[what], what
    assert len(shape["rls"]) == len(Table.metadata.sorted_tables) + 1  # and the table of the migrations
    async with connect_checked_server(runtime_url, schema, orgs[0]) as api:
        assert [(await api.post(body)).content for body in QUERIES] == answers
        assert "errors" not in await api.execute(MAKE, name="After", key="l")
    await owner.close()


async def test_f9_server_role_cannot_dump(migrated_database: MigratedDatabase, tmp_path: Path) -> None:
    """It gets an error instead of an empty dump."""
    with pytest.raises(AssertionError, match="row-level security"):
        run_pg_program("pg_dump", "--format=custom", f"--file={tmp_path / 'dump'}", migrated_database.runtime_url)

"""A dump brought back is the same database: the same answers to the byte, the same walls, the same rights."""

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
from tests.api.test_nested_query import NESTED
from tests.ask import Api, connected
from tests.builders import Tenant, crowd
from tests.clusters import cluster
from tests.outages import ASK, MAKE
from tests.snapshots import snapshot

pytestmark = pytest.mark.interop
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
OURS = "relnamespace = 'relaties'::regnamespace"
OF_THE_DATABASE = {
    "policies": "SELECT * FROM pg_policies WHERE schemaname = 'relaties' ORDER BY tablename, policyname",
    "walls": f"SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE {OURS} AND relkind = 'r' ORDER BY 1",
    "rights": f"SELECT relname, acl::text FROM pg_class CROSS JOIN unnest(relacl) acl WHERE {OURS} ORDER BY 1, 2",
    "schema": "SELECT nspacl::text FROM pg_namespace WHERE nspname = 'relaties'",
    "functions": "SELECT proname, prosecdef, proacl::text FROM pg_proc WHERE pronamespace = 'relaties'::regnamespace ORDER BY 1",
    # A condition read anew has other parentheses.
    "keys": "SELECT conname, translate(pg_get_constraintdef(oid), '()', '') FROM pg_constraint"
    " WHERE connamespace = 'relaties'::regnamespace ORDER BY 1, 2",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'relaties' ORDER BY 1",
    "sequences": "SELECT * FROM pg_sequences WHERE schemaname = 'relaties' ORDER BY sequencename",
}
QUERIES = [
    {"query": NESTED, "variables": {"first": 100}},
    {"query": ASK},
    {"query": "{ contacts(first: 100) { nodes { fullName email clients { nodes { name } } } } viewer { organization { name } } }"},
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with cluster(PROGRAMS) as found:
        yield found


def run(program: str, *arguments: str) -> None:
    done = subprocess.run([PROGRAMS / program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr


async def wiped(admin: asyncpg.Connection) -> None:
    await admin.execute("DROP DATABASE IF EXISTS relaties")
    await admin.execute("CREATE DATABASE relaties")


@dataclass(frozen=True)
class Migrated:
    """A database with nothing in its tables, as its owner and as the server, and who may wipe it."""

    owner_url: str
    runtime_url: str
    admin: asyncpg.Connection


@pytest.fixture
async def migrated(url: str) -> AsyncIterator[Migrated]:
    admin, owner_url = await asyncpg.connect(url), with_database_name(url, "relaties")
    await wiped(admin)
    made = Migrated(owner_url, f"postgresql://relaties_server:word@{owner_url.rpartition('@')[2]}", admin)
    await upgrade(made.owner_url, made.runtime_url)
    yield made
    await admin.close()


@asynccontextmanager
async def asking(runtime_url: str, schema: strawberry.Schema, org: Tenant) -> AsyncIterator[Api]:
    """A server that has looked that all is as it must be."""
    database = await Database.connect(runtime_url)
    await ensure_database_ready(database)
    async with connected(schema, database) as http:
        yield Api(http, org.tokens[Role.OWNER])
    await database.close()


async def described(owner: asyncpg.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {what: [tuple(row) for row in await owner.fetch(asked)] for what, asked in OF_THE_DATABASE.items()}


async def test_f9_a_dump_brought_back_is_the_same(migrated: Migrated, schema: strawberry.Schema, tmp_path: Path) -> None:
    """Two organizations with all that they have; and the server works on as before."""
    owner_url, runtime_url, file = migrated.owner_url, migrated.runtime_url, str(tmp_path / "dump")
    owner = await asyncpg.connect(owner_url)
    orgs = [await crowd(owner, clients=30), await crowd(owner, clients=5)]
    async with asking(runtime_url, schema, orgs[0]) as api:
        await api.data(MAKE, name="By the API", key="k")
        answers = [(await api.post(asked)).content for asked in QUERIES]
    rows, shape = await snapshot(owner, *(org.id for org in orgs)), await described(owner)
    await owner.close()
    run("pg_dump", "--format=custom", f"--file={file}", owner_url)
    await wiped(migrated.admin)
    run("pg_restore", "--exit-on-error", f"--dbname={owner_url}", file)
    owner = await asyncpg.connect(owner_url)
    assert await snapshot(owner, *(org.id for org in orgs)) == rows
    for what, found in (await described(owner)).items():
        assert found == shape[what], what
    assert len(shape["walls"]) == len(Table.metadata.sorted_tables) + 1  # and that of the revision
    async with asking(runtime_url, schema, orgs[0]) as api:
        assert [(await api.post(asked)).content for asked in QUERIES] == answers
        assert "errors" not in await api.ask(MAKE, name="After", key="l")
    await owner.close()


async def test_f9_who_may_not_see_everything_makes_no_dump(migrated: Migrated, tmp_path: Path) -> None:
    """The server's role is told so, instead of being given an empty one."""
    with pytest.raises(AssertionError, match="row-level security"):
        run("pg_dump", "--format=custom", f"--file={tmp_path / 'dump'}", migrated.runtime_url)

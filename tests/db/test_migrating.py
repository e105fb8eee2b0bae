"""Migrating while a server answers: nobody is refused, and what was broken off is done anew."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from subprocess import CompletedProcess
from uuid import uuid4

import asyncpg
import pytest
import strawberry
from sqlalchemy import text

from db.engine import Database
from db.migrations import downgrade, head
from db.tables import Role
from tests.api.test_nested_query import NESTED
from tests.ask import Api, connected
from tests.builders import Tenant, crowd
from tests.commands import relaties
from tests.conftest import runtime_url
from tests.db.test_transaction import Number
from tests.outages import MAKE

DONE = "The tables are up to date.\n"
BROKEN = (
    "RELATIES_OWNER_URL: nothing was changed: connection was closed in the middle of operation: "
    "terminating connection due to administrator command. Run it again once that is over.\n"
)
BEFORE = "0005"  # 0006 indexes the tables of clients and invoices, 0007 adds a column to that of clients
READS = "{ viewer { organization { name } } contacts(first: 20) { totalCount nodes { fullName } } labels { nodes { name } } }"
# Of clients the API asks for a column that came later. Whoever did not has the same role and the same limits.
OLD_READ, OLD_CHANGE = "SELECT count(*)::int AS number FROM relaties.client", "UPDATE relaties.client SET updated_at = now()"
REVISION = "SELECT version_num FROM relaties.alembic_version"
INDEXES = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'relaties' AND indexname LIKE '%_by_layout'"
HELD_UP = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND query ~ '^(CREATE INDEX|ALTER TABLE)'"""


@dataclass
class Old:
    """A database that is behind, its owner, and who asks the server that answers from it."""

    url: str
    owner: asyncpg.Connection
    database: Database
    tenant: Tenant
    api: Api

    async def migrate(self) -> "CompletedProcess[str]":
        """As an operator does: in a process of its own, which holds no lock longer because this one is busy."""
        settings = {"DATABASE_URL": runtime_url(self.url), "RELATIES_OWNER_URL": self.url}
        return await asyncio.to_thread(relaties, "migrate", **settings)

    async def revision(self) -> str:
        return str(await self.owner.fetchval(REVISION))

    async def held_up(self, times: int = 1) -> int:
        """The backend of a migration that waits for a lock, once it has for so many times; each try has a new one."""
        seen = set[int]()
        async with asyncio.timeout(20):
            while len(seen) < times:
                await self.owner.execute("SELECT pg_stat_clear_snapshot()")
                if pid := await self.owner.fetchval(HELD_UP):
                    seen.add(pid)
        return max(seen)

    @asynccontextmanager
    async def traffic(self) -> AsyncIterator[None]:
        """Many read and change things in the meantime; none of them hears of an error."""
        is_over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(self._asking(is_over))
            try:
                yield
            finally:
                is_over.set()

    async def _asking(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            await self.api.data(READS)
            made = await self.api.data(MAKE, name=str(uuid4()), key=str(uuid4()))
            assert made["labelCreate"]["userErrors"] == []
            await self.database.fetch_across_tenants(OLD_READ, Number)
            async with self.database.work(self.tenant.id) as work:
                await work.session.exec(text(OLD_CHANGE))  # type: ignore[call-overload]


@pytest.fixture
async def old(fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema) -> AsyncIterator[Old]:
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    made = await crowd(owner, clients=10)
    await downgrade(url, to=BEFORE)
    database = await Database.connect(runtime_url(url))
    async with connected(schema, database) as http:
        yield Old(url, owner, database, made, Api(http, made.tokens[Role.OWNER]))
    await database.close()
    await owner.close()


async def test_f8_migrating_under_traffic_refuses_nobody(old: Old) -> None:
    """From a revision before to the head, and once more; afterwards what is new can be asked too."""
    async with old.traffic():
        assert await old.revision() == BEFORE
        for _ in range(2):
            assert (await old.migrate()).stdout == DONE
    assert await old.revision() == head()
    assert len((await old.api.data(NESTED, first=5))["clients"]["edges"]) == 5


async def test_f8_a_migration_that_waits_holds_nobody_up(old: Old) -> None:
    """Who reads the tables for long keeps it waiting; others get by in between, and in the end so does it."""
    async with old.traffic():
        async with old.owner.transaction():
            await old.owner.execute("LOCK TABLE relaties.client IN ROW EXCLUSIVE MODE")
            migration = asyncio.create_task(old.migrate())
            await old.held_up(times=3)
        assert (await migration).stdout == DONE
    assert await old.revision() == head()


async def test_f8_a_migration_killed_half_way_leaves_nothing(old: Old) -> None:
    """And the next one does all of it."""
    async with old.traffic():
        async with old.owner.transaction():
            await old.owner.execute("LOCK TABLE relaties.invoice IN ROW EXCLUSIVE MODE")  # of two indexes the other is made by then
            migration = asyncio.create_task(old.migrate())
            await old.owner.execute("SELECT pg_terminate_backend($1, 5000)", await old.held_up())
            broken = await migration
            assert (broken.returncode, broken.stdout, broken.stderr) == (1, "", BROKEN)
        assert (await old.revision(), await old.owner.fetchval(INDEXES)) == (BEFORE, 0)
        assert (await old.migrate()).stdout == DONE
    assert (await old.revision(), await old.owner.fetchval(INDEXES)) == (head(), 2)

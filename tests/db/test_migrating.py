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
from sqlalchemy import column, func, select, table, text

from db.engine.database import Database, DatabaseLimits
from db.engine.statement import Query
from db.migrations import downgrade, head
from db.sql.expressions import TENANT
from db.tables import Role
from tests.api.test_nested_query import NESTED
from tests.ask import Api, connected
from tests.builders import Tenant, crowd
from tests.commands import relaties
from tests.conftest import RUNTIME, runtime_url
from tests.db.test_transaction import Number
from tests.waiting import PATIENCE_S, until

DONE = "The tables are up to date.\n"
BROKEN = (
    "RELATIES_OWNER_URL: nothing was changed: connection was closed in the middle of operation: "
    "terminating connection due to administrator command. Run it again once that is over.\n"
)
IN_USE = "RELATIES_OWNER_URL: nothing was changed: canceling statement due to lock timeout. Run it again once that is over.\n"
BEFORE = "0005"  # 0006 indexes the tables of clients and invoices, 0007 adds a column to that of clients
# Raw SQL, of columns that BEFORE has: the API may ask for some that came later.
READS = [
    Query(select(func.count().label("number")).select_from(table(name, schema="relaties")).where(column("tenant_id") == TENANT), Number)
    for name in ("client", "contact", "client_contact", "label", "invoice")
]
CHANGES = [
    """INSERT INTO relaties.label (tenant_id, id, name, name_key, color, is_active, scope, created_at, updated_at, version)
       SELECT :tenant, :id, name, name, '#102030', true, 'CLIENT', now(), now(), 1 FROM CAST(gen_random_uuid() AS text) AS name""",
    """INSERT INTO relaties.audit_event (tenant_id, id, at, channel, operation, action, object_type, object_id, changes)
       VALUES (:tenant, :id, now(), 'API', 'test', 'CREATED', 'Label', :id, '{}')""",
    "UPDATE relaties.client SET updated_at = now()",
]
# A migration locks a table for as long as it takes. How long that is on a busy machine must not decide whether others are refused here;
# that it waits for less than they do is tested in test_migrations.py. A setting of a role in a database precedes `grant_access`.
PATIENT = "ALTER ROLE {} IN DATABASE {} SET {} = '60s'"
LIMITS = DatabaseLimits(read_pool_timeout=60, statement_timeout=60, write_pool_timeout=60)
REVISION = "SELECT version_num FROM relaties.alembic_version"
INDEXES = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'relaties' AND indexname LIKE '%_by_layout'"
FRESH = "SELECT pg_stat_clear_snapshot()"  # a transaction sees the activity as it was when it asked first
TRAFFIC = 4  # that ask at once
WAITS = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ '^(CREATE INDEX|ALTER TABLE)'"
HELD_UP = f"SELECT pid {WAITS} AND pid <> ALL ($1)"
KILL = f"SELECT pg_terminate_backend(pid, 5000) {WAITS}"


@dataclass
class Old:
    """A database that is behind, its owner, and who asks the server that answers from it."""

    url: str
    owner: asyncpg.Connection
    database: Database
    tenant: Tenant
    api: Api
    answered: int = 0

    async def migrate(self) -> "CompletedProcess[str]":
        """As an operator does: in a process of its own, which holds no lock longer because this one is busy."""
        settings = {"DATABASE_URL": runtime_url(self.url), "RELATIES_OWNER_URL": self.url}
        return await asyncio.to_thread(relaties, "migrate", **settings)

    async def migrate_in_the_end(self) -> str:
        """What it prints at last. On a busy machine the traffic may keep a table for as long as each of its tries waits: run it again."""
        while (done := await self.migrate()).stderr == IN_USE:
            pass
        return done.stdout

    async def revision(self) -> str:
        return str(await self.owner.fetchval(REVISION))

    async def held_up(self, *before: int) -> int:
        """The backend of a migration that waits for a lock, other than those before; each try has a new one."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await self.owner.execute(FRESH)
                if pid := await self.owner.fetchval(HELD_UP, before):
                    return int(pid)

    async def kill(self, migration: "asyncio.Task[CompletedProcess[str]]") -> "CompletedProcess[str]":
        """End its backend while it waits for a lock. A try whose time was over in the same moment is followed by another."""
        async with asyncio.timeout(PATIENCE_S):
            while not migration.done():
                await self.owner.execute(FRESH)
                await self.owner.execute(KILL)
        return migration.result()

    @asynccontextmanager
    async def traffic(self) -> AsyncIterator[None]:
        """Many read and change things in the meantime; none of them hears of an error."""
        is_over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(TRAFFIC):
                group.create_task(self._asking(is_over))
            try:
                yield
            finally:
                is_over.set()

    async def _asking(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            for query in READS:
                tx = self.database.read(self.tenant.id)
                assert [row.number > 0 for row in await tx.fetch(query)] == [True]
                await tx.end()
            key = uuid4()
            for change in CHANGES:  # a transaction each, which holds the table that is migrated for a moment only
                async with self.database.unit_of_work(self.tenant.id) as work:
                    await work.session.exec(text(change), params={"tenant": self.tenant.id, "id": key})  # type: ignore[call-overload]
            self.answered += 1

    async def goes_on(self) -> None:
        """Wait until something that was asked from now on is answered."""
        before = self.answered

        async def is_answered() -> bool:
            await asyncio.sleep(0)
            return self.answered > before + TRAFFIC  # each of them may have begun before

        await until(is_answered)


@pytest.fixture
async def old(fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema) -> AsyncIterator[Old]:
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    made = await crowd(owner, clients=10)
    await downgrade(url, revision=BEFORE)
    for limit in ("lock_timeout", "idle_in_transaction_session_timeout"):
        await owner.execute(PATIENT.format(RUNTIME, url.rpartition("/")[2], limit))
    database = await Database.connect(runtime_url(url), LIMITS)
    async with connected(schema, database) as http:
        yield Old(url, owner, database, made, Api(http, made.tokens[Role.OWNER]))
    await database.close()
    await owner.close()


async def test_f8_migrating_under_traffic_refuses_nobody(old: Old) -> None:
    """From a revision before to the head, and once more; afterwards what is new can be asked too."""
    async with old.traffic():
        assert await old.revision() == BEFORE
        for _ in range(2):
            assert await old.migrate_in_the_end() == DONE
    assert await old.revision() == head()
    assert len((await old.api.data(NESTED, first=5))["clients"]["edges"]) == 5


async def test_f8_a_migration_that_waits_holds_nobody_up(old: Old) -> None:
    """Who reads the tables for long keeps it waiting; others get by in between, and in the end so does it."""
    async with old.traffic():
        async with old.owner.transaction():
            await old.owner.execute("LOCK TABLE relaties.client IN ROW EXCLUSIVE MODE")
            migration, tries = asyncio.create_task(old.migrate()), list[int]()
            tries.append(await old.held_up())
            await old.goes_on()
            while len(tries) < 3:
                tries.append(await old.held_up(*tries))
        first = await migration
        assert (first.stdout or first.stderr) in {DONE, IN_USE}
        assert await old.migrate_in_the_end() == DONE
    assert await old.revision() == head()


async def test_f8_a_migration_killed_half_way_leaves_nothing(old: Old) -> None:
    """And the next one does all of it."""
    async with old.traffic():
        async with old.owner.transaction():
            await old.owner.execute("LOCK TABLE relaties.invoice IN ROW EXCLUSIVE MODE")  # of two indexes the other is made by then
            broken = await old.kill(asyncio.create_task(old.migrate()))
            assert (broken.returncode, broken.stdout, broken.stderr) == (1, "", BROKEN)
        assert (await old.revision(), await old.owner.fetchval(INDEXES)) == (BEFORE, 0)
        assert await old.migrate_in_the_end() == DONE
    assert (await old.revision(), await old.owner.fetchval(INDEXES)) == (head(), 2)

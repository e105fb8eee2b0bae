"""Migrating while a server answers: no request fails, and an interrupted migration is repeated."""

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
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, create_sample_org
from tests.support.databases import RUNTIME, runtime_url
from tests.support.eventually import TIMEOUT_S, wait_until
from tests.support.processes import run_relaties
from tests.support.queries import NESTED_QUERY
from tests.support.sql_queries import Number

UP_TO_DATE = "The tables are up to date.\n"
CONNECTION_ERRORS = (
    "RELATIES_OWNER_URL: nothing was changed: connection was closed in the middle of operation: "
    "terminating connection due to administrator command. Fix the cause and run the command again.\n"
)
IN_USE = "RELATIES_OWNER_URL: nothing was changed: canceling statement due to lock timeout. Fix the cause and run the command again.\n"
PREVIOUS_REVISION = "0005"  # 0006 indexes the tables of clients and invoices, 0007 adds a column to that of clients
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
class OldDatabase:
    """A database that is behind, its owner, and who asks the server that answers from it."""

    url: str
    owner: asyncpg.Connection
    database: Database
    tenant: Tenant
    api: Api
    answer_count: int = 0

    async def migrate(self) -> "CompletedProcess[str]":
        """As an operator does: in a process of its own, which holds no lock longer because this one is busy."""
        settings = {"DATABASE_URL": runtime_url(self.url), "RELATIES_OWNER_URL": self.url}
        return await asyncio.to_thread(run_relaties, "migrate", **settings)

    async def migrate_until_done(self) -> str:
        """Return the last result. On a busy machine the traffic may keep a table longer than all tries wait: run it again."""
        while (result := await self.migrate()).stderr == IN_USE:
            pass
        return result.stdout

    async def fetch_revision(self) -> str:
        return str(await self.owner.fetchval(REVISION))

    async def wait_for_blocked_migration(self, *before: int) -> int:
        """Wait for a migration that waits for a lock, and return its backend, other than those before; each try has a new one."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                await self.owner.execute(FRESH)
                if pid := await self.owner.fetchval(HELD_UP, before):
                    return int(pid)

    async def kill(self, migration: "asyncio.Task[CompletedProcess[str]]") -> "CompletedProcess[str]":
        """End its backend while it waits for a lock. A try whose time was over in the same moment is followed by another."""
        async with asyncio.timeout(TIMEOUT_S):
            while not migration.done():
                await self.owner.execute(FRESH)
                await self.owner.execute(KILL)
        return migration.result()

    @asynccontextmanager
    async def run_traffic(self) -> AsyncIterator[None]:
        """Send many queries and changes in the meantime; all of them succeed."""
        is_over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(TRAFFIC):
                group.create_task(self._send_requests(is_over))
            try:
                yield
            finally:
                is_over.set()

    async def _send_requests(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            for query in READS:
                tx = self.database.read(self.tenant.id)
                assert [row.number > 0 for row in await tx.fetch(query)] == [True]
                await tx.end()
            key = uuid4()
            for change in CHANGES:  # a transaction each, which holds the table that is migrated for a moment only
                async with self.database.unit_of_work(self.tenant.id) as work:
                    await work.session.exec(text(change), params={"tenant": self.tenant.id, "id": key})  # type: ignore[call-overload]
            self.answer_count += 1

    async def check_answers_continue(self) -> None:
        """Wait until something that was asked from now on is answered."""
        before = self.answer_count

        async def has_new_answer() -> bool:
            await asyncio.sleep(0)
            return self.answer_count > before + TRAFFIC  # each of them may have begun before

        await wait_until(has_new_answer)


@pytest.fixture
async def old_database(fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema) -> AsyncIterator[OldDatabase]:
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    org = await create_sample_org(owner, clients=10)
    await downgrade(url, revision=PREVIOUS_REVISION)
    for limit in ("lock_timeout", "idle_in_transaction_session_timeout"):
        await owner.execute(PATIENT.format(RUNTIME, url.rpartition("/")[2], limit))
    database = await Database.connect(runtime_url(url), LIMITS)
    async with connect_client(schema, database) as http:
        yield OldDatabase(url, owner, database, org, Api(http, org.tokens[Role.OWNER]))
    await database.close()
    await owner.close()


async def test_f8_migration_under_traffic_causes_no_errors(old_database: OldDatabase) -> None:
    """From a revision before to the head, and once more; afterwards what is new can be asked too."""
    async with old_database.run_traffic():
        assert await old_database.fetch_revision() == PREVIOUS_REVISION
        for _ in range(2):
            assert await old_database.migrate_until_done() == UP_TO_DATE
    assert await old_database.fetch_revision() == head()
    assert len((await old_database.api.data(NESTED_QUERY, first=5))["clients"]["edges"]) == 5


async def test_f8_waiting_migration_blocks_nobody(old_database: OldDatabase) -> None:
    """Who reads the tables for long keeps it waiting; others get by in between, and in the end so does it."""
    async with old_database.run_traffic():
        async with old_database.owner.transaction():
            await old_database.owner.execute("LOCK TABLE relaties.client IN ROW EXCLUSIVE MODE")
            migration, tries = asyncio.create_task(old_database.migrate()), list[int]()
            tries.append(await old_database.wait_for_blocked_migration())
            await old_database.check_answers_continue()
            while len(tries) < 3:
                tries.append(await old_database.wait_for_blocked_migration(*tries))
        first = await migration
        assert (first.stdout or first.stderr) in {UP_TO_DATE, IN_USE}
        assert await old_database.migrate_until_done() == UP_TO_DATE
    assert await old_database.fetch_revision() == head()


async def test_f8_killed_migration_leaves_nothing(old_database: OldDatabase) -> None:
    """And the next one does all of it."""
    async with old_database.run_traffic():
        async with old_database.owner.transaction():
            await old_database.owner.execute(
                "LOCK TABLE relaties.invoice IN ROW EXCLUSIVE MODE"
            )  # of two indexes the other is made by then
            result = await old_database.kill(asyncio.create_task(old_database.migrate()))
            assert (result.returncode, result.stdout, result.stderr) == (1, "", CONNECTION_ERRORS)
        assert (await old_database.fetch_revision(), await old_database.owner.fetchval(INDEXES)) == (PREVIOUS_REVISION, 0)
        assert await old_database.migrate_until_done() == UP_TO_DATE
    assert (await old_database.fetch_revision(), await old_database.owner.fetchval(INDEXES)) == (head(), 2)

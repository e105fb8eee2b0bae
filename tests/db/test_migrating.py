"""Migrations while a server answers requests: no request fails, and an interrupted migration can be repeated."""

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
PREVIOUS_REVISION = "0005"  # 0006 creates indexes of `client` and `invoice`, 0007 adds a column to `client`
# Raw SQL with columns that the previous revision has: the API reads some that were added later.
READS = [
    Query(select(func.count().label("number")).select_from(table(name, schema="relaties")).where(column("tenant_id") == TENANT), Number)
    for name in ("client", "contact", "client_contact", "label", "invoice")
]
CHANGES = [
    """INSERT INTO relaties.label (tenant_id, id, name, name_key, color, is_active, scope, created_at, updated_at, version)
       SELECT :tenant, :id, name, name, '#102030', true, 'CLIENT', now(), now(), 1 FROM CAST(gen_random_uuid() AS text) AS name""",
    """INSERT INTO relaties.audit_event (tenant_id, id, at, channel, operation, action, object_type, object_id, changes)
       VALUES (:tenant, :id, now(), 'API', 'test', 'CREATED', 'Label', :id, '{}')""",
    # One client: transactions that lock several in different orders would deadlock.
    "UPDATE relaties.client SET updated_at = now() WHERE id = (SELECT id FROM relaties.client ORDER BY id LIMIT 1)",
]
# A migration locks a table while it runs. On a busy machine, that may take longer than the timeouts of other transactions, which must not
# fail the tests here, so those wait longer. That a migration waits for a shorter time than others is tested in test_migrations.py.
# A setting of a role in one database takes precedence over those of `grant_access`.
PATIENT = "ALTER ROLE {} IN DATABASE {} SET {} = '60s'"
LIMITS = DatabaseLimits(read_pool_timeout=60, statement_timeout=60, write_pool_timeout=60)
REVISION = "SELECT version_num FROM relaties.alembic_version"
INDEXES = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'relaties' AND indexname LIKE '%_by_layout'"
FRESH = "SELECT pg_stat_clear_snapshot()"  # otherwise a transaction sees the activity as of its first read
TRAFFIC = 4  # concurrent tasks that send requests
WAITS = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ '^(CREATE INDEX|ALTER TABLE)'"
HELD_UP = f"SELECT pid {WAITS} AND pid <> ALL ($1)"
KILL = f"SELECT pg_terminate_backend(pid, 5000) {WAITS}"


@dataclass
class OldDatabase:
    """A database at an old revision, and connections to it: as the owner, and through the server."""

    url: str
    owner: asyncpg.Connection
    database: Database
    tenant: Tenant
    api: Api
    answer_count: int = 0

    async def migrate(self) -> "CompletedProcess[str]":
        """Migrate in a process of its own, as an operator does, so that it holds no lock longer because this process is busy."""
        settings = {"DATABASE_URL": runtime_url(self.url), "RELATIES_OWNER_URL": self.url}
        return await asyncio.to_thread(run_relaties, "migrate", **settings)

    async def migrate_until_done(self) -> str:
        """Migrate until it succeeds, and return the output. On a busy machine, the traffic may lock a table longer than all attempts."""
        while (result := await self.migrate()).stderr == IN_USE:
            pass
        return result.stdout

    async def fetch_revision(self) -> str:
        return str(await self.owner.fetchval(REVISION))

    async def wait_for_blocked_migration(self, *before: int) -> int:
        """Wait until a migration waits for a lock, and return its process id. Each attempt has a new one, so skip those of `before`."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                await self.owner.execute(FRESH)
                if pid := await self.owner.fetchval(HELD_UP, before):
                    return int(pid)

    async def kill(self, migration: "asyncio.Task[CompletedProcess[str]]") -> "CompletedProcess[str]":
        """Terminate the migration's server process while it waits for a lock. Repeats that, because another attempt may have begun."""
        async with asyncio.timeout(TIMEOUT_S):
            while not migration.done():
                await self.owner.execute(FRESH)
                await self.owner.execute(KILL)
        return migration.result()

    @asynccontextmanager
    async def run_traffic(self) -> AsyncIterator[None]:
        """Send queries and changes during the block, and check that all of them succeed."""
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
            for change in CHANGES:  # one transaction each, so that none locks the migrated table for long
                async with self.database.unit_of_work(self.tenant.id) as work:
                    await work.session.exec(text(change), params={"tenant": self.tenant.id, "id": key})  # type: ignore[call-overload]
            self.answer_count += 1

    async def check_answers_continue(self) -> None:
        """Wait until a request that is sent from now on has been answered."""
        before = self.answer_count

        async def has_new_answer() -> bool:
            await asyncio.sleep(0)
            return self.answer_count > before + TRAFFIC  # one request of each task may have been sent before

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
    """It migrates from an old revision to the head, and once more. Afterwards, the API works."""
    async with old_database.run_traffic():
        assert await old_database.fetch_revision() == PREVIOUS_REVISION
        for _ in range(2):
            assert await old_database.migrate_until_done() == UP_TO_DATE
    assert await old_database.fetch_revision() == head()
    assert len((await old_database.api.data(NESTED_QUERY, first=5))["clients"]["edges"]) == 5


async def test_f8_waiting_migration_blocks_nobody(old_database: OldDatabase) -> None:
    """While a long transaction makes the migration wait, other requests run between its attempts. It succeeds in the end."""
    async with old_database.run_traffic():
        async with old_database.owner.transaction():
            await old_database.owner.execute("LOCK TABLE relaties.client IN ROW EXCLUSIVE MODE")
            migration, attempts = asyncio.create_task(old_database.migrate()), list[int]()
            attempts.append(await old_database.wait_for_blocked_migration())
            await old_database.check_answers_continue()
            while len(attempts) < 3:
                attempts.append(await old_database.wait_for_blocked_migration(*attempts))
        first = await migration
        assert (first.stdout or first.stderr) in {UP_TO_DATE, IN_USE}
        assert await old_database.migrate_until_done() == UP_TO_DATE
    assert await old_database.fetch_revision() == head()


async def test_f8_killed_migration_leaves_nothing(old_database: OldDatabase) -> None:
    """The next migration does all of it."""
    async with old_database.run_traffic():
        async with old_database.owner.transaction():
            # Migration 0006 has created the index of `client` by the time it waits for this lock.
            await old_database.owner.execute("LOCK TABLE relaties.invoice IN ROW EXCLUSIVE MODE")
            result = await old_database.kill(asyncio.create_task(old_database.migrate()))
            assert (result.returncode, result.stdout, result.stderr) == (1, "", CONNECTION_ERRORS)
        assert (await old_database.fetch_revision(), await old_database.owner.fetchval(INDEXES)) == (PREVIOUS_REVISION, 0)
        assert await old_database.migrate_until_done() == UP_TO_DATE
    assert (await old_database.fetch_revision(), await old_database.owner.fetchval(INDEXES)) == (head(), 2)

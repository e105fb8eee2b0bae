"""Reads without a transaction: the session of a connection has the tenant who asks, whatever happens to the connection."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, literal_column, select

from db.engine import read_pool
from db.engine.database import Database, DatabaseLimits
from db.engine.errors import is_connection_lost
from db.engine.read_pool import CONNECTION_ERRORS, ReadConnection
from db.engine.read_transaction import SecondStatementError
from db.engine.statement import Query, Row
from db.sql.expressions import TENANT
from tests.builders import Tenant
from tests.conftest import RUNTIME, runtime_url
from tests.db.test_transaction import ONE, WRONG, Setting
from tests.faulty import Way, way_to


def setting(name: str) -> ColumnElement[str]:
    return func.current_setting(literal_column(f"'{name}'", Text())).label(name.rpartition(".")[2])


SHOWN = Query(select(setting("app.tenant")).where(TENANT.is_not(None)), Setting)


class Session(Row):
    statement_timeout: str
    transaction_read_only: str
    transaction_isolation: str


class Process(Row):
    pid: int


LIMITS: list[ColumnElement[Any]] = [setting(name) for name in ("statement_timeout", "transaction_read_only", "transaction_isolation")]
SESSION: Query[Session] = Query(select(*LIMITS).where(TENANT.is_not(None)), Session)
PROCESS = Query(select(cast(func.pg_backend_pid(), BigInteger()).label("pid")).where(TENANT.is_not(None)), Process)


async def read_once(database: Database, tenant: UUID, query: Query[Setting] = SHOWN) -> list[Setting]:
    """Read as an operation of one statement does."""
    tx = database.read(tenant)
    tx.expect_one_statement()
    try:
        return await tx.fetch(query)
    finally:
        await tx.end()


async def shown(database: Database, tenant: UUID) -> str:
    (row,) = await read_once(database, tenant)
    return row.tenant


@pytest.fixture
async def sent() -> list[str]:
    return []


@pytest.fixture
async def one(owner_url: str, sent: list[str]) -> AsyncIterator[Database]:
    """A single connection, and what is sent on it."""
    database = await Database.connect(runtime_url(owner_url), DatabaseLimits(read_pool_size=1), on_statement=sent.append)
    await asyncio.sleep(0)  # what prepares the session is logged in the next pass of the event loop
    sent.clear()
    yield database
    await database.close()


async def test_tenant_is_set_only_when_it_changes(one: Database, sent: list[str]) -> None:
    """Nothing else is sent beside the statements themselves: no BEGIN, no COMMIT, no RESET."""
    first, second = uuid4(), uuid4()
    assert [await shown(one, tenant) for tenant in (first, first, second, first)] == [str(each) for each in (first, first, second, first)]
    await asyncio.sleep(0)
    changes = [f"SET app.tenant = '{each}'" for each in (first, second, first)]
    assert sent == [changes[0], SHOWN.sql, SHOWN.sql, changes[1], SHOWN.sql, changes[2], SHOWN.sql]


async def test_session_has_the_limits_of_a_transaction(one: Database, org: Tenant) -> None:
    """Its time limit, its isolation, and it cannot write."""
    found = list[tuple[str, ...]]()
    for is_single in (True, False):
        tx = one.read(org.id)
        if is_single:
            tx.expect_one_statement()
        (row,) = await tx.fetch(SESSION)
        found.append((row.statement_timeout, row.transaction_read_only, row.transaction_isolation))
        await tx.end()
    assert found == [("5s", "on", "repeatable read")] * 2


async def test_second_statement_is_refused(one: Database, org: Tenant, sent: list[str]) -> None:
    """It might read another snapshot. The connection was given back with the first."""
    tx = one.read(org.id)
    tx.expect_one_statement()
    assert len(await tx.fetch(ONE)) == 1
    assert one.read_connections_in_use == 0
    with pytest.raises(SecondStatementError):
        await tx.fetch(ONE)
    await tx.end()
    await asyncio.sleep(0)
    assert sent.count(ONE.sql) == 1


async def test_a_transaction_leaves_the_tenant_of_the_session(one: Database, sent: list[str]) -> None:
    """Whoever reads in a transaction in between, and whether it commits or rolls back."""
    first, second = uuid4(), uuid4()
    assert await shown(one, first) == str(first)
    queries: list[Query[Any]] = [SHOWN, WRONG]
    for query in queries:
        tx = one.read(second)
        await asyncio.gather(tx.fetch(query), return_exceptions=True)
        await tx.end()
    assert await shown(one, first) == str(first)
    await asyncio.sleep(0)
    assert [text for text in sent if text.startswith("SET app")] == [f"SET app.tenant = '{first}'"]


async def test_failed_statement_closes_its_connection(one: Database, org: Tenant) -> None:
    async def pid() -> int:
        tx = one.read(org.id)
        tx.expect_one_statement()
        (row,) = await tx.fetch(PROCESS)
        return row.pid

    before = await pid()
    tx = one.read(org.id)
    tx.expect_one_statement()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await tx.fetch(WRONG)
    await tx.end()
    assert await pid() != before
    assert one.read_connections_in_use == 0


async def test_lookups_never_have_a_tenant(one: Database) -> None:
    """Before a tenant is known, whoever read before: their connections are others."""
    for _ in range(3):
        await shown(one, uuid4())
        found = await one.fetch_across_tenants("SELECT coalesce(current_setting('app.tenant', true), '') AS tenant", Setting)
        assert [row.tenant for row in found] == [""]


async def test_wrong_tenant_of_a_session_ends_reads_without_a_transaction(
    one: Database, sent: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is found by the check that one use in a thousand makes; the operation is answered on another connection."""
    tenant, other = uuid4(), uuid4()
    pool = one._read_pool  # noqa: SLF001
    assert await shown(one, tenant) == str(tenant)
    reader = await pool.acquire(tenant)
    await reader.execute(f"SET app.tenant = '{other}'")
    pool.release(reader)
    monkeypatch.setattr(read_pool, "CHECK_EVERY", 1)
    sent.clear()
    with caplog.at_level(logging.CRITICAL):
        assert await shown(one, tenant) == str(tenant)
    assert [record.levelno for record in caplog.records if record.name == "relaties"] == [logging.CRITICAL]
    assert await shown(one, other) == str(other)
    await asyncio.sleep(0)
    assert [text.split(";")[0] for text in sent if text.startswith("BEGIN")] == ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"] * 2
    assert reader.is_closed()


async def test_always_in_transaction_is_a_setting(owner_url: str, org: Tenant, sent: list[str]) -> None:
    database = await Database.connect(
        runtime_url(owner_url), DatabaseLimits(read_pool_size=1), always_in_transaction=True, on_statement=sent.append
    )
    assert await shown(database, org.id) == str(org.id)
    await database.close()
    assert [text.split()[0] for text in sent] == ["BEGIN", "SELECT", "COMMIT"]


async def test_citus_has_no_sessions(fresh_database: Callable[[], Awaitable[str]], sent: list[str]) -> None:
    """What a session sets does not reach its shards."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    await owner.execute(
        "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
        " VALUES (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '1')"
    )
    database = await Database.connect(runtime_url(url), DatabaseLimits(read_pool_size=1), on_statement=sent.append)
    tenant = uuid4()
    assert await shown(database, tenant) == str(tenant)
    await database.close()
    await owner.close()
    assert not [text for text in sent if text.startswith("SET")]
    assert [text.split()[0] for text in sent[-3:]] == ["BEGIN", "SELECT", "COMMIT"]


class Behind(NamedTuple):
    """Two connections, and the way that they take."""

    way: Way
    database: Database


@pytest.fixture(scope="module")
async def behind(owner_url: str) -> AsyncIterator[Behind]:
    async with way_to(runtime_url(owner_url)) as way:
        database = await Database.connect(way.url, DatabaseLimits(read_pool_size=2, read_pool_timeout=30))
        yield Behind(way, database)
        await database.close()


KILL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{RUNTIME}' AND query LIKE '%app.tenant%' LIMIT 1"
STEP = st.tuples(st.integers(0, 12), st.sampled_from(["nothing", "killed", "failover"]))


@given(steps=st.lists(STEP, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_cancelled_read_leaves_nobody_anothers_tenant(
    behind: Behind, owner: asyncpg.Connection, steps: list[tuple[int, str]]
) -> None:
    """Cancelled at any await: while it takes the connection, sets the tenant, asks, gives back. Or what it asks goes away meanwhile."""
    database = behind.database
    for passes, fault in steps:
        read = asyncio.create_task(shown(database, uuid4()))
        for _ in range(passes):
            await asyncio.sleep(0)
        if fault == "killed":
            await owner.execute(KILL)
        if fault == "failover":
            behind.way.reset()
        read.cancel()
        await asyncio.gather(read, return_exceptions=True)
        tenants = [uuid4(), uuid4(), uuid4()]
        found = await asyncio.gather(*(read_until_answered(database, tenant) for tenant in tenants))
        assert found == [str(tenant) for tenant in tenants]
    assert database.read_connections_in_use == 0


async def read_until_answered(database: Database, tenant: UUID) -> str:
    """Read as a server does, which asks again where the connection was lost."""
    while True:
        try:
            return await shown(database, tenant)
        except CONNECTION_ERRORS as failed:
            if not is_connection_lost(failed):
                raise


@pytest.mark.parametrize("is_done", [True, False], ids=["acknowledged", "not sent"])
async def test_failed_set_leaves_no_tenant(one: Database, monkeypatch: pytest.MonkeyPatch, *, is_done: bool) -> None:
    """The connection is closed whether the server heard of the tenant or not, and the next one gets its tenant again."""
    execute = ReadConnection.execute

    async def failing(self: ReadConnection, query: str) -> str:
        if is_done:
            await execute(self, query)
        raise asyncpg.InternalServerError

    with monkeypatch.context() as patched:
        patched.setattr(ReadConnection, "execute", failing)
        with pytest.raises(asyncpg.InternalServerError):
            await shown(one, uuid4())
    assert one.read_connections_in_use == 0
    tenant = uuid4()
    assert await shown(one, tenant) == str(tenant)

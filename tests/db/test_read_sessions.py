"""Reads without a transaction: the session always has the tenant of the operation, whatever happens to the connection."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, ColumnElement, cast, func, select

from db.engine import read_pool
from db.engine.database import Database, DatabaseLimits
from db.engine.errors import DRIVER_ERRORS, is_connection_lost
from db.engine.read_pool import ReadConnection
from db.engine.read_transaction import SecondStatementError
from db.engine.statement import Query, Row
from db.sql.expressions import TENANT
from tests.support.builders import Tenant
from tests.support.databases import RUNTIME, runtime_url
from tests.support.faulty_proxy import FaultyProxy, run_proxy
from tests.support.sql_queries import FAILING_QUERY, ONE_QUERY, TENANT_QUERY, Setting, select_setting


class Session(Row):
    statement_timeout: str
    transaction_read_only: str
    transaction_isolation: str


class Process(Row):
    pid: int


LIMITS: list[ColumnElement[Any]] = [
    select_setting(name) for name in ("statement_timeout", "transaction_read_only", "transaction_isolation")
]
SESSION: Query[Session] = Query(select(*LIMITS).where(TENANT.is_not(None)), Session)
PROCESS = Query(select(cast(func.pg_backend_pid(), BigInteger()).label("pid")).where(TENANT.is_not(None)), Process)


async def read_once(database: Database, tenant: UUID, query: Query[Setting] = TENANT_QUERY) -> list[Setting]:
    """Read as an operation of one statement does."""
    tx = database.read(tenant)
    tx.expect_one_statement()
    try:
        return await tx.fetch(query)
    finally:
        await tx.end()


async def fetch_tenant(database: Database, tenant: UUID) -> str:
    (row,) = await read_once(database, tenant)
    return row.tenant


@pytest.fixture
async def sent_statements() -> list[str]:
    return []


@pytest.fixture
async def single_connection_database(owner_url: str, sent_statements: list[str]) -> AsyncIterator[Database]:
    """Yield a database with a single read connection, which records the statements that are sent on it."""
    database = await Database.connect(runtime_url(owner_url), DatabaseLimits(read_pool_size=1), on_statement=sent_statements.append)
    await asyncio.sleep(0)  # the driver logs the setup of the session in the next pass of the event loop
    sent_statements.clear()
    yield database
    await database.close()


async def test_tenant_is_set_only_when_it_changes(single_connection_database: Database, sent_statements: list[str]) -> None:
    """Apart from that, only the statements themselves are sent: no BEGIN, COMMIT or RESET."""
    first, second = uuid4(), uuid4()
    assert [await fetch_tenant(single_connection_database, tenant) for tenant in (first, first, second, first)] == [
        str(each) for each in (first, first, second, first)
    ]
    await asyncio.sleep(0)
    changes = [f"SET app.tenant = '{each}'" for each in (first, second, first)]
    assert sent_statements == [changes[0], TENANT_QUERY.sql, TENANT_QUERY.sql, changes[1], TENANT_QUERY.sql, changes[2], TENANT_QUERY.sql]


async def test_session_has_the_limits_of_a_transaction(single_connection_database: Database, org: Tenant) -> None:
    """It has the same statement timeout and isolation level, and is read-only, too."""
    settings_rows = list[tuple[str, ...]]()
    for is_single in (True, False):
        tx = single_connection_database.read(org.id)
        if is_single:
            tx.expect_one_statement()
        (row,) = await tx.fetch(SESSION)
        settings_rows.append((row.statement_timeout, row.transaction_read_only, row.transaction_isolation))
        await tx.end()
    assert settings_rows == [("5s", "on", "repeatable read")] * 2


async def test_second_statement_is_refused(single_connection_database: Database, org: Tenant, sent_statements: list[str]) -> None:
    """It might read another snapshot. The connection was already released after the first statement."""
    tx = single_connection_database.read(org.id)
    tx.expect_one_statement()
    assert len(await tx.fetch(ONE_QUERY)) == 1
    assert single_connection_database.read_connections_in_use == 0
    with pytest.raises(SecondStatementError):
        await tx.fetch(ONE_QUERY)
    await tx.end()
    await asyncio.sleep(0)
    assert sent_statements.count(ONE_QUERY.sql) == 1


async def test_transaction_keeps_the_tenant_of_the_session(single_connection_database: Database, sent_statements: list[str]) -> None:
    """A transaction of another tenant in between does not change it, whether it commits or rolls back."""
    first, second = uuid4(), uuid4()
    assert await fetch_tenant(single_connection_database, first) == str(first)
    queries: list[Query[Any]] = [TENANT_QUERY, FAILING_QUERY]
    for query in queries:
        tx = single_connection_database.read(second)
        await asyncio.gather(tx.fetch(query), return_exceptions=True)
        await tx.end()
    assert await fetch_tenant(single_connection_database, first) == str(first)
    await asyncio.sleep(0)
    assert [text for text in sent_statements if text.startswith("SET app")] == [f"SET app.tenant = '{first}'"]


async def test_failed_statement_closes_its_connection(single_connection_database: Database, org: Tenant) -> None:
    async def pid() -> int:
        tx = single_connection_database.read(org.id)
        tx.expect_one_statement()
        (row,) = await tx.fetch(PROCESS)
        return row.pid

    before = await pid()
    tx = single_connection_database.read(org.id)
    tx.expect_one_statement()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await tx.fetch(FAILING_QUERY)
    await tx.end()
    assert await pid() != before
    assert single_connection_database.read_connections_in_use == 0


async def test_lookups_never_have_a_tenant(single_connection_database: Database) -> None:
    """Lookups run before the tenant is known, so they use connections of their own."""
    for _ in range(3):
        await fetch_tenant(single_connection_database, uuid4())
        rows = await single_connection_database.fetch_across_tenants(
            "SELECT coalesce(current_setting('app.tenant', true), '') AS tenant", Setting
        )
        assert [row.tenant for row in rows] == [""]


async def test_wrong_tenant_of_a_session_ends_reads_without_a_transaction(
    single_connection_database: Database, sent_statements: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The check of every thousandth use finds it. The operation is answered on another connection."""
    tenant, other = uuid4(), uuid4()
    pool = single_connection_database._read_pool  # noqa: SLF001
    assert await fetch_tenant(single_connection_database, tenant) == str(tenant)
    reader = await pool.acquire(tenant)
    await reader.execute(f"SET app.tenant = '{other}'")
    pool.release(reader)
    monkeypatch.setattr(read_pool, "CHECK_EVERY", 1)
    sent_statements.clear()
    with caplog.at_level(logging.CRITICAL):
        assert await fetch_tenant(single_connection_database, tenant) == str(tenant)
    assert [record.levelno for record in caplog.records if record.name == "relaties"] == [logging.CRITICAL]
    assert await fetch_tenant(single_connection_database, other) == str(other)
    await asyncio.sleep(0)
    assert [text.split(";")[0] for text in sent_statements if text.startswith("BEGIN")] == [
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    ] * 2
    assert reader.is_closed()


async def test_always_in_transaction_is_a_setting(owner_url: str, org: Tenant, sent_statements: list[str]) -> None:
    database = await Database.connect(
        runtime_url(owner_url), DatabaseLimits(read_pool_size=1), always_in_transaction=True, on_statement=sent_statements.append
    )
    assert await fetch_tenant(database, org.id) == str(org.id)
    await database.close()
    assert [text.split()[0] for text in sent_statements] == ["BEGIN", "SELECT", "COMMIT"]


async def test_citus_has_no_sessions(fresh_database: Callable[[], Awaitable[str]], sent_statements: list[str]) -> None:
    """The settings of a session do not reach the shards of Citus."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    await owner.execute(
        "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
        " VALUES (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '1')"
    )
    database = await Database.connect(runtime_url(url), DatabaseLimits(read_pool_size=1), on_statement=sent_statements.append)
    tenant = uuid4()
    assert await fetch_tenant(database, tenant) == str(tenant)
    await database.close()
    await owner.close()
    assert not [text for text in sent_statements if text.startswith("SET")]
    assert [text.split()[0] for text in sent_statements[-3:]] == ["BEGIN", "SELECT", "COMMIT"]


class ProxiedDatabase(NamedTuple):
    """A database with two read connections, and the proxy that they go through."""

    proxy: FaultyProxy
    database: Database


@pytest.fixture(scope="module")
async def proxied_database(owner_url: str) -> AsyncIterator[ProxiedDatabase]:
    async with run_proxy(runtime_url(owner_url)) as proxy:
        database = await Database.connect(proxy.url, DatabaseLimits(read_pool_size=2, read_pool_timeout=30))
        yield ProxiedDatabase(proxy, database)
        await database.close()


KILL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{RUNTIME}' AND query LIKE '%app.tenant%' LIMIT 1"
STEP = st.tuples(st.integers(0, 12), st.sampled_from(["nothing", "killed", "failover"]))


@given(steps=st.lists(STEP, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_cancelled_read_leaks_no_tenant(
    proxied_database: ProxiedDatabase, owner: asyncpg.Connection, steps: list[tuple[int, str]]
) -> None:
    """A read is cancelled at any await: as it acquires the connection, sets the tenant, sends the statement, or releases.

    Meanwhile, the server process may be terminated, or all connections may be reset.
    """
    database = proxied_database.database
    for passes, fault in steps:
        read = asyncio.create_task(fetch_tenant(database, uuid4()))
        for _ in range(passes):
            await asyncio.sleep(0)
        if fault == "killed":
            await owner.execute(KILL)
        if fault == "failover":
            proxied_database.proxy.reset()
        read.cancel()
        await asyncio.gather(read, return_exceptions=True)
        tenants = [uuid4(), uuid4(), uuid4()]
        results = await asyncio.gather(*(read_until_answered(database, tenant) for tenant in tenants))
        assert results == [str(tenant) for tenant in tenants]
    assert database.read_connections_in_use == 0


async def read_until_answered(database: Database, tenant: UUID) -> str:
    """Read again as long as the connection is lost."""
    while True:
        try:
            return await fetch_tenant(database, tenant)
        except DRIVER_ERRORS as error:
            if not is_connection_lost(error):
                raise


@pytest.mark.parametrize("is_done", [True, False], ids=["acknowledged", "not sent"])
async def test_failed_set_leaves_no_tenant(single_connection_database: Database, monkeypatch: pytest.MonkeyPatch, *, is_done: bool) -> None:
    """The connection is closed whether or not the server has set the tenant, and the tenant is set on the next connection."""
    execute = ReadConnection.execute

    async def fail_on_set(self: ReadConnection, query: str) -> str:
        if is_done:
            await execute(self, query)
        raise asyncpg.InternalServerError

    with monkeypatch.context() as patched:
        patched.setattr(ReadConnection, "execute", fail_on_set)
        with pytest.raises(asyncpg.InternalServerError):
            await fetch_tenant(single_connection_database, uuid4())
    assert single_connection_database.read_connections_in_use == 0
    tenant = uuid4()
    assert await fetch_tenant(single_connection_database, tenant) == str(tenant)

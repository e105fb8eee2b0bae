"""The read transaction of an operation under cancellation, errors and lack of connections; units of work; checks of statements."""

import asyncio
from select import select as readable
from typing import Any
from typing import cast as typed

import asyncpg
import pytest
from sqlalchemy import Integer, literal_column, select

from db.engine.database import Database, DatabaseLimits
from db.engine.errors import OperationEndedError, PoolExhaustedError
from db.engine.read_transaction import ReadTransaction
from db.engine.statement import Query
from db.sql.expressions import TENANT
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.sql_queries import FAILING_QUERY, ONE_QUERY, SLOW_QUERY, Number, Setting


async def start_slow_query(tx: ReadTransaction, database: Database) -> "asyncio.Task[list[Number]]":
    """Start a statement that takes five seconds, and return its task once PostgreSQL runs it."""
    task = asyncio.create_task(tx.fetch(SLOW_QUERY, seconds=5.0))
    while not await database.fetch_across_tenants(
        "SELECT 1 AS number FROM pg_stat_activity WHERE query LIKE '%pg_sleep($1%' LIMIT 1", Number
    ):
        pass
    return task


async def test_a_cancelled_waiter_leaves_the_queue(database: Database, org: Tenant) -> None:
    """The running statement and the next one in the queue are not affected."""
    tx = database.read(org.id)
    first, waiter, last = (
        asyncio.create_task(tx.fetch(query, **values))
        for query, values in ((SLOW_QUERY, {"seconds": 0.1}), (ONE_QUERY, {}), (ONE_QUERY, {}))
    )
    await asyncio.sleep(0)
    waiter.cancel()
    assert len(await first) == len(await last) == 1
    await tx.end()
    assert waiter.cancelled()


async def test_statement_cancelled_in_flight_costs_only_its_connection(database: Database, org: Tenant) -> None:
    """The next statement of the operation runs on another connection."""
    tx = database.read(org.id)
    task = await start_slow_query(tx, database)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [row.number for row in await tx.fetch(ONE_QUERY)] == [1]
    await tx.end()
    assert database.read_connections_in_use == 0


async def test_failed_statement_does_not_fail_the_next(database: Database, org: Tenant) -> None:
    """The next statement opens a new transaction."""
    tx = database.read(org.id)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await tx.fetch(FAILING_QUERY)
    assert [row.number for row in await tx.fetch(ONE_QUERY)] == [1]
    await tx.end()
    assert database.read_connections_in_use == 0


async def test_closed_transaction_rejects_queries(database: Database, org: Tenant) -> None:
    """Otherwise, a loader that is still running could acquire a connection that is never released."""
    tx = database.read(org.id)
    await tx.end()
    with pytest.raises(OperationEndedError):
        await tx.fetch(ONE_QUERY)


async def test_wait_for_a_free_connection_times_out(owner_url: str, org: Tenant) -> None:
    """Later statements of the operation fail at once. The next operation gets a connection."""
    database = await Database.connect(runtime_url(owner_url), DatabaseLimits(read_pool_size=1, write_pool_size=1, read_pool_timeout=0.05))
    first, second, third = (database.read(org.id) for _ in range(3))
    await first.fetch(ONE_QUERY)
    with pytest.raises(PoolExhaustedError):
        await second.fetch(ONE_QUERY)
    await first.end()
    with pytest.raises(PoolExhaustedError):
        await second.fetch(ONE_QUERY)
    await second.end()
    assert len(await third.fetch(ONE_QUERY)) == 1
    await third.end()
    await database.close()


async def test_a_statement_has_a_time_limit(owner_url: str, org: Tenant) -> None:
    """The transaction sets the timeout, which PostgreSQL applies itself."""
    database = await Database.connect(runtime_url(owner_url), DatabaseLimits(statement_timeout=0.05))
    tx = database.read(org.id)
    with pytest.raises(asyncpg.QueryCanceledError):
        await tx.fetch(SLOW_QUERY, seconds=5.0)
    await tx.end()
    await database.close()


async def test_the_tenant_does_not_outlive_its_transaction(owner_url: str, org: Tenant) -> None:
    """The tenant is gone after a commit and after an error."""
    database = await Database.connect(runtime_url(owner_url), DatabaseLimits(read_pool_size=1))
    for query in (ONE_QUERY, FAILING_QUERY):
        tx = database.read(org.id)
        await asyncio.gather(tx.fetch(query), return_exceptions=True)
        await tx.end()
        rows = await database.fetch_across_tenants("SELECT coalesce(current_setting('app.tenant', true), '') AS tenant", Setting)
        assert [row.tenant for row in rows] == [""]
    await database.close()


async def test_unit_of_work_is_committed_as_a_whole_or_not_at_all(owner_url: str, org: Tenant, owner: asyncpg.Connection) -> None:
    """An exception rolls back the changes before it."""
    database = await Database.connect(owner_url)

    async def failing() -> None:
        async with database.unit_of_work(org.id) as work:
            await (await work.session.connection()).exec_driver_sql(f"DELETE FROM relaties.api_token WHERE tenant_id = '{org.id}'")
            raise KeyError

    with pytest.raises(KeyError):
        await failing()
    assert await owner.fetchval("SELECT count(*) FROM relaties.api_token WHERE tenant_id = $1", org.id) == 5
    await database.close()


def test_row_class_must_match_the_columns_of_its_statement() -> None:
    with pytest.raises(TypeError, match="its statement"):
        _ = Query(select(literal_column("1", Integer()).label("other")).where(TENANT.is_not(None)), Number).sql


def test_statement_has_its_tenant_and_no_constant_as_parameter() -> None:
    """A constant must be part of the SQL, so that every parameter is a value that the caller names."""
    with pytest.raises(TypeError, match="tenant"):
        _ = Query(select(literal_column("1", Integer()).label("number")), Number).sql
    with pytest.raises(TypeError, match="constants must be part of the SQL"):
        _ = Query(
            select(literal_column("1", Integer()).label("number")).where(TENANT.is_not(None), literal_column("1", Integer()) == 1), Number
        ).sql


def test_query_rejects_unknown_parameters() -> None:
    """Otherwise, a filter could silently have no effect."""
    with pytest.raises(TypeError, match="no parameter"):
        ONE_QUERY.arguments({"tenant": None, "surplus": 1})


async def test_query_cancelled_before_it_ran_leaves_no_open_transaction(owner_url: str) -> None:
    """It is cancelled when the server has parsed the statement: the transaction has begun, but the statement has not been executed."""
    database = await Database.connect(runtime_url(owner_url), DatabaseLimits(read_pool_size=1))
    lookups = database._lookup_pool  # noqa: SLF001
    reader = await lookups.acquire()
    transport = typed("Any", reader)._transport  # noqa: SLF001 to delay the server's messages
    lookups.release(reader)
    transport.pause_reading()
    task = asyncio.create_task(database.fetch_across_tenants("SELECT 1 AS number FROM relaties.client LIMIT 1", Number))
    await asyncio.to_thread(readable, [transport.get_extra_info("socket")], [], [])
    transport.resume_reading()
    asyncio.get_running_loop().call_later(0, task.cancel)  # runs after the message was read, and before the task resumes
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await database.fetch_across_tenants("SELECT 1 AS number", Number)
    assert (lookups.in_use, lookups.waiting_count) == (0, 0)
    await database.close()

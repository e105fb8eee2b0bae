"""Open the one read transaction of an operation, and the unit of work of a change. No other module opens these."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import asyncpg
from sqlalchemy import ExceptionContext, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool
from sqlmodel.ext.asyncio.session import AsyncSession

from db.audit import ChangeOrigin
from db.engine.errors import is_connection_lost, retry_on_disconnect
from db.engine.health_probe import HealthProbe
from db.engine.query_stats import QUERY_STATS, QueryStats, count_statements
from db.engine.read_pool import ReadConnection, ReadPool
from db.engine.read_transaction import SET_TENANT, ReadTransaction
from db.engine.snapshot import ANSWER_GRACE, SnapshotTransaction
from db.engine.statement import R
from db.engine.urls import to_sqlalchemy_url
from db.engine.write_transaction import DriverConnection, WriteTransaction

UNKNOWN_ORIGIN = ChangeOrigin()
APPLICATION_NAME = {"application_name": "relaties"}
CONNECT_TIMEOUT, CLOSE_TIMEOUT = 5.0, 5.0
READ_CONNECTIONS_PER_LOOKUP = 4  # the lookup pool has one connection for every four of the read pool
# Give a read session the settings of a read transaction.
SESSION_SETUP = (
    "SET statement_timeout = {limit}; SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on"
)


@dataclass(frozen=True)
class DatabaseLimits:
    """Sizes of the connection pools, and timeouts in seconds.

    `write_pool_timeout` is longer than `read_pool_timeout`: changes of one object wait for each other and still succeed, reads do not wait
    for each other. `delete_timeout` replaces `statement_timeout` in a unit of work whose statements can touch any number of rows.
    """

    read_pool_size: int = 8
    write_pool_size: int = 4
    read_pool_timeout: float = 2.0
    statement_timeout: float = 5.0
    write_pool_timeout: float = 8.0
    delete_timeout: float = 60.0


def _create_write_engine(url: str, limits: DatabaseLimits, arguments: dict[str, Any], *, is_pooled: bool) -> AsyncEngine:
    unnamed_statements = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str} if is_pooled else {}
    return create_async_engine(
        to_sqlalchemy_url(url),
        pool_size=limits.write_pool_size,
        max_overflow=0,
        pool_timeout=limits.write_pool_timeout,
        connect_args={"server_settings": APPLICATION_NAME, **arguments, **unnamed_statements},
    )


def _connect_arguments(limits: DatabaseLimits, *, is_pooled: bool) -> dict[str, Any]:
    """Return the driver's arguments. The server cancels a slow statement itself; a second later the driver treats it as unreachable."""
    arguments: dict[str, Any] = {"timeout": CONNECT_TIMEOUT, "command_timeout": limits.statement_timeout + ANSWER_GRACE}
    return arguments | {"statement_cache_size": 0} if is_pooled else arguments


def _invalidate_on_disconnect(engine: AsyncEngine) -> AsyncEngine:
    """Make the engine discard a connection that was lost or timed out, and all idle connections with it. Return the engine."""

    def on_error(context: ExceptionContext) -> None:
        cause = context.sqlalchemy_exception or context.original_exception
        if context.connection and (is_connection_lost(cause) or isinstance(cause, TimeoutError)):
            driver = context.connection.connection.driver_connection
            if isinstance(driver, asyncpg.Connection):
                driver.terminate()  # without the protocol's closing message, which the server would not receive
            context.is_disconnect = context.invalidate_pool_on_disconnect = True

    event.listen(engine.sync_engine, "handle_error", on_error)
    return engine


async def _driver_connection(connection: AsyncConnection) -> asyncpg.Connection:
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, asyncpg.Connection):
        raise TypeError(driver)
    return driver


class Database:
    """The connection pools for reads and token lookups, the engine of the units of work, and the health probe."""

    def __init__(  # noqa: PLR0913, PLR0917 its parts
        self,
        read_pool: ReadPool,
        lookup_pool: ReadPool,
        write_engine: AsyncEngine,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        limits: DatabaseLimits,
        health_probe: HealthProbe,
    ) -> None:
        self.health_probe = health_probe
        self._connect = connect
        self._read_pool = read_pool
        self._lookup_pool = lookup_pool
        self._write_engine = write_engine
        self._limits = limits

    @classmethod
    async def connect(
        cls,
        url: str,
        limits: DatabaseLimits = DatabaseLimits(),
        *,
        is_pooled: bool = False,
        always_in_transaction: bool = False,
        on_statement: Callable[[str], None] | None = None,
    ) -> Self:
        """Open the first connection for reading, so that a wrong URL fails here.

        `is_pooled`: the URL is of a pooler in transaction mode, where each transaction can use another server connection. Then no prepared
        statements are kept, and no settings are sent at the start that the pooler would reject.
        `always_in_transaction`: use a transaction even for an operation of one statement.
        `on_statement`: called with the SQL of each statement for reading.
        """
        arguments = _connect_arguments(limits, is_pooled=is_pooled)
        server_settings = APPLICATION_NAME if is_pooled else APPLICATION_NAME | {"jit": "off"}

        async def open_connection() -> ReadConnection:
            options = {"connection_class": ReadConnection, "server_settings": server_settings, **arguments}
            connection: ReadConnection = await asyncpg.connect(url, **options)
            if on_statement:
                connection.add_query_logger(lambda entry: on_statement(entry.query))
            return connection

        setup_statement = SESSION_SETUP.format(limit=int(limits.statement_timeout * 1000))
        session_setup = None if is_pooled or always_in_transaction else setup_statement
        read_pool = ReadPool(open_connection, limits.read_pool_size, limits.read_pool_timeout, session_setup)
        await read_pool.open_first()
        # Token lookups have a pool of their own, because their sessions must not have a tenant.
        lookup_pool = ReadPool(open_connection, max(1, limits.read_pool_size // READ_CONNECTIONS_PER_LOOKUP), limits.read_pool_timeout)
        write_engine = _create_write_engine(url, limits, arguments, is_pooled=is_pooled)
        counted_engine = _invalidate_on_disconnect(count_statements(write_engine))
        return cls(read_pool, lookup_pool, counted_engine, open_connection, limits, HealthProbe(url))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections, even if the task is cancelled in the meantime."""
        await asyncio.shield(self.close())

    def read(self, tenant: UUID, stats: QueryStats | None = None, requested_columns: frozenset[str] | None = None) -> ReadTransaction:
        return ReadTransaction(self._read_pool, tenant, self._limits.statement_timeout, stats or QueryStats(), requested_columns)

    @asynccontextmanager
    async def open_snapshot(self, tenant: UUID, requested_columns: frozenset[str] | None = None) -> AsyncIterator[SnapshotTransaction]:
        """Run the block with a long read transaction. Its connection is of no pool, and `delete_timeout` limits each statement."""
        connection = await self._connect()
        try:
            yield await SnapshotTransaction.open(connection, tenant, self._limits.delete_timeout, requested_columns)
            await connection.close(timeout=CLOSE_TIMEOUT)
        finally:
            connection.terminate()  # after a failure; it has changed nothing

    @asynccontextmanager
    async def unit_of_work(
        self, tenant: UUID, origin: ChangeOrigin = UNKNOWN_ORIGIN, stats: QueryStats | None = None, *, is_long: bool = False
    ) -> AsyncIterator[WriteTransaction]:
        """Run the block in a transaction: write the audit log of the changes and commit at its end, or roll back if it raises.

        `is_long` applies `delete_timeout` to each statement.
        """
        query_stats, statement_timeout = stats or QueryStats(), self._limits.delete_timeout if is_long else self._limits.statement_timeout
        async with AsyncSession(self._write_engine, expire_on_commit=False) as session:
            driver = await retry_on_disconnect(lambda: self._begin(session, tenant, query_stats, statement_timeout))
            try:
                work = WriteTransaction(tenant, session, DriverConnection(driver, query_stats, statement_timeout + ANSWER_GRACE), origin)
                yield work
                await work.audit.write()
                await session.commit()
            except BaseException as error:
                if isinstance(error, TimeoutError):
                    driver.terminate()
                if isinstance(error, asyncio.CancelledError) or is_connection_lost(error) or driver.is_closed():
                    await asyncio.shield(session.invalidate())
                raise

    async def _begin(self, session: AsyncSession, tenant: UUID, stats: QueryStats, statement_timeout: float) -> asyncpg.Connection:
        try:
            connection = await session.connection()
            for statement in SET_TENANT.format(tenant=tenant, limit=int(statement_timeout * 1000)).split("; "):
                await connection.execute(text(statement))
        except Exception as error:
            if is_connection_lost(error):
                await session.invalidate()
            raise
        await connection.execution_options(**{QUERY_STATS: stats})
        return await _driver_connection(connection)

    async def fetch_across_tenants(self, sql: str, row: type[R], *arguments: object) -> list[R]:
        """Return the rows of a query without a tenant, such as a token lookup. The rights of the database role decide what it sees."""
        return await retry_on_disconnect(lambda: self._look_up(sql, row, arguments))

    async def _look_up(self, sql: str, row: type[R], arguments: Sequence[object]) -> list[R]:
        connection = await self._lookup_pool.acquire()
        try:
            rows: list[R] = await connection.fetch(sql, *arguments, record_class=row)
        except BaseException as error:
            await self._lookup_pool.discard(connection, error)
            raise
        self._lookup_pool.release(connection)
        return rows

    @property
    def read_connections_in_use(self) -> int:
        """The number of read connections in use."""
        return self._read_pool.in_use

    @property
    def read_connections_awaited(self) -> int:
        """The number of operations that wait for a read connection."""
        return self._read_pool.waiting_count

    @property
    def write_connections_in_use(self) -> int:
        """The number of write connections in use."""
        pool = self._write_engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def close(self) -> None:
        """Close all connections. Abandon those that are not closed within `CLOSE_TIMEOUT` seconds."""
        self.health_probe.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await asyncio.gather(self._read_pool.close(), self._lookup_pool.close(), self._write_engine.dispose())

"""The one read transaction of an operation."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg

from db.engine.batching import Batcher, Follower
from db.engine.errors import DRIVER_ERRORS, OperationEndedError, is_connection_lost, is_unbindable, retry_on_disconnect
from db.engine.query_stats import QueryStats
from db.engine.read_pool import ReadConnection, ReadPool
from db.engine.statement import Query, R

# SET LOCAL and not set_config(), which would not reach the shards of Citus. A UUID is safe to write into the text.
SET_TENANT = "SET LOCAL app.tenant = '{tenant}'; SET LOCAL statement_timeout = {limit}"
BEGIN = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SET_TENANT}"


class SecondStatementError(Exception):
    """An operation that sent its only expected statement without a transaction sends another one, which may read another snapshot."""


class ReadTransaction:
    """The one read transaction of an operation. Its first statement opens it; statements run one after the other.

    An operation of one statement runs without a transaction if the tenant can be set on the session (see `db.engine.read_pool`).
    """

    def __init__(
        self, pool: ReadPool, tenant: UUID, statement_timeout: float, stats: QueryStats, requested_columns: frozenset[str] | None = None
    ) -> None:
        """Create a transaction that is not open yet. `requested_columns` are the columns that the operation reads; None means all."""
        self._pool = pool
        self._tenant = tenant
        self._statement_timeout = statement_timeout
        self._stats = stats
        self._lock = asyncio.Lock()  # first come, first served; a cancelled waiter leaves the queue
        self._connection: ReadConnection | None = None
        self._is_open = False
        self._is_ended = False
        self._expects_one = False
        self._has_sent_single = False  # the one expected statement was sent without a transaction
        self._open_error: Exception | None = None
        self._requested_columns = requested_columns
        self._batcher: Batcher | None = None

    def batch_queries(self, followers: Sequence[Follower] = (), *, has_only_followers: bool = False) -> None:
        """Send the queries of one pass of the event loop as one statement, which fails as a whole. The first query leads `followers`.

        `has_only_followers` says that the operation sends no other queries, so it needs no transaction.
        """
        self._batcher = Batcher(self._pool.batches, self._lock, followers, has_only_followers=has_only_followers)

    def disable_batching(self) -> bool:
        """Stop batching, and expect more than one statement. Return False if one was already sent without a transaction."""
        self._batcher, self._expects_one = None, False
        return not self._has_sent_single

    def expect_one_statement(self) -> None:
        """Send the next statement without a transaction if possible. A second statement then raises `SecondStatementError`."""
        self._expects_one = True

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        """Return the rows of a query.

        Raises `SecondStatementError` if only one statement was expected and it was sent without a transaction.
        """
        query = query.project(self._requested_columns)
        values["tenant"] = self._tenant
        if self._batcher:
            return await self._batcher.fetch(query, values, self._send)
        async with self._lock:
            return await self._send(query.sql, query.arguments(values), query.row)

    async def _send(self, sql: str, arguments: Sequence[object], row: type[R], *, is_only_statement: bool = False) -> list[R]:
        self._expects_one = self._expects_one or (is_only_statement and not self._is_open)
        connection = await self._open()
        self._stats.begin()
        try:
            rows: list[R] = await connection.fetch(sql, *arguments, record_class=row)
        except BaseException as error:
            self._stats.end()
            await self._handle_error(error)
            raise
        self._stats.end()
        if self._has_sent_single:
            self._release()
        return rows

    def is_requested(self, attribute: str) -> bool:
        return self._requested_columns is None or attribute in self._requested_columns

    async def end(self) -> None:
        """End the transaction, even after a failure. Wait for a running statement at most until its timeout, and release the connection."""
        self._is_ended = True
        self._batcher = None
        if self._lock.locked():
            await asyncio.shield(self._end())
        elif self._connection:
            await self._end()

    async def _end(self) -> None:
        async with self._lock:
            with suppress(*DRIVER_ERRORS):  # nothing is lost: all statements have returned their rows
                await self._close("COMMIT")

    async def _open(self) -> ReadConnection:
        """Open the transaction unless it is open. After a failure, raise the same error again: a retry per field would take too long."""
        if self._is_ended:
            raise OperationEndedError
        if self._connection and self._is_open:
            return self._connection
        if self._open_error:
            raise self._open_error
        if self._has_sent_single:
            raise SecondStatementError
        try:
            return await retry_on_disconnect(self._begin)
        except Exception as error:
            self._open_error = error
            raise

    async def _begin(self) -> ReadConnection:
        if self._connection is None:
            self._connection = await self._pool.acquire(self._tenant)
        connection = self._connection
        try:
            if self._expects_one and await self._pool.set_session_tenant(connection, self._tenant):
                self._has_sent_single = True
            else:
                await connection.execute(BEGIN.format(tenant=self._tenant, limit=int(self._statement_timeout * 1000)))
        except BaseException as error:
            await self._discard(error)
            raise
        self._is_open = True
        return connection

    async def _handle_error(self, error: BaseException) -> None:
        """End the transaction after an error. The next statement opens another one, so that a failed field affects no other field."""
        if self._has_sent_single and is_unbindable(error):  # the statement was not sent
            self._release()
        elif (
            not self._has_sent_single
            and isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError)
            and not is_connection_lost(error)
        ):
            await self._close("ROLLBACK")
        else:
            await self._discard(error)

    async def _close(self, command: str) -> None:
        connection = self._connection
        if connection and self._is_open:
            self._is_open = False
            try:
                await connection.execute(command)
            except BaseException as error:
                await self._discard(error)
                raise
        self._release()

    def _release(self) -> None:
        connection, self._connection, self._is_open = self._connection, None, False
        if connection:
            self._pool.release(connection)

    async def _discard(self, error: BaseException) -> None:
        connection, self._connection, self._is_open = self._connection, None, False
        if connection:
            await self._pool.discard(connection, error)

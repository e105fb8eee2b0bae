"""Reading: a pool of raw connections, and the one read transaction of an operation."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, cast
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from db.faults import BusyError, OperationEndedError, is_lost, once_more
from db.query import Query, R
from db.tally import Tally

Connection = PoolConnectionProxy
# The statement: set_config() would not reach the shards of Citus. The tenant is a UUID, so it can be written into the text.
SET = "SET LOCAL app.tenant = '{tenant}'; SET LOCAL statement_timeout = {limit}"
BEGIN = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SET}"
FAREWELL_S = 2.0  # for a statement that is cancelled to be over
FAILED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


class Reader(asyncpg.Connection):
    """The end of its transaction resets all that a reader sets, so release costs no round trip."""

    def __init__(self, *made: Any, **how: Any) -> None:  # noqa: ANN401 the driver's own
        super().__init__(*made, **how)
        self.made_at = monotonic()

    def get_reset_query(self) -> str:
        return ""


class Readers:
    """The pool, and who waits for a connection of it."""

    def __init__(self, pool: asyncpg.Pool, wait_s: float) -> None:
        self.pool = pool
        self.waiting = 0
        self._wait_s = wait_s
        self._doubted_at = 0.0

    @property
    def in_use(self) -> int:
        return self.pool.get_size() - self.pool.get_idle_size()

    async def take(self) -> Connection:
        """Late because all are out, or because no new one could be made in that time, which is for the caller another matter."""
        self.waiting += 1
        try:
            return await self._trusted()
        except TimeoutError as late:
            if self.in_use < self.pool.get_max_size():
                raise
            raise BusyError from late
        finally:
            self.waiting -= 1

    async def _trusted(self) -> Connection:
        connection = await self.pool.acquire(timeout=self._wait_s)
        while cast("Reader", connection).made_at < self._doubted_at:
            await self._drop(connection)
            connection = await self.pool.acquire(timeout=self._wait_s)
        return connection

    async def fetch(self, sql: str, row: type[R], *arguments: object) -> list[R]:
        """One statement outside any transaction."""
        return await once_more(lambda: self._fetched(sql, row, arguments))

    async def _fetched(self, sql: str, row: type[R], arguments: Sequence[object]) -> list[R]:
        connection = await self.take()
        try:
            found = await connection.fetch(sql, *arguments, record_class=row)
        except BaseException as failed:
            await self.give_up(connection, failed)
            raise
        await self.give(connection)
        return found

    async def give(self, connection: Connection) -> None:
        await self.pool.release(connection)

    async def give_up(self, connection: Connection, failed: BaseException) -> None:
        """One that is not given out again: it may be lost, or its server waits within a transaction for what nobody will say.

        Where one was lost, or had no answer, so are or have the others that there are: then none of them is given out again.
        """
        if is_lost(failed) or isinstance(failed, TimeoutError):
            self._doubted_at = monotonic()
        if isinstance(failed, asyncio.CancelledError):
            await self._stop(connection)
        else:
            await self._drop(connection)

    async def _drop(self, connection: Connection) -> None:
        """One that is lost, or whose server is silent: without a word, since nobody would answer."""
        with suppress(*FAILED):  # the pool may know already
            connection.terminate()
            await self.pool.release(connection)

    async def _stop(self, connection: Connection) -> None:
        """One whose statement was cancelled in flight, of which the server is told and does no more for us."""
        with suppress(*FAILED):
            await asyncio.shield(connection.close(timeout=FAREWELL_S))


class ReadTx:
    """The operation's one read transaction: opened by its first statement, its statements in turn, given back at its end."""

    def __init__(self, readers: Readers, tenant: UUID, statement_s: float, tally: Tally, asked: frozenset[str] | None = None) -> None:
        """`asked` are the columns that somebody will read; all may be with None."""
        self._readers = readers
        self._tenant = tenant
        self._tally = tally
        self._begin = BEGIN.format(tenant=tenant, limit=int(statement_s * 1000))
        self._turn = asyncio.Lock()  # first come, first served; a cancelled waiter leaves the queue
        self._connection: Connection | None = None
        self._is_open = False
        self._is_ended = False
        self._unopened: Exception | None = None
        self._asked = asked

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        query = query.of(self._asked)
        arguments = query.arguments({**values, "tenant": self._tenant})
        async with self._turn:
            connection = await self._opened()
            try:
                return await self._tally.of(connection.fetch(query.sql, *arguments, record_class=query.row))
            except BaseException as failed:
                await self._failed(failed)
                raise

    def may_read(self, attribute: str) -> bool:
        return self._asked is None or attribute in self._asked

    async def end(self) -> None:
        """Whatever happened: wait for the statement in flight (bounded by its time limit) and give the connection back."""
        self._is_ended = True
        await asyncio.shield(self._end())

    async def _end(self) -> None:
        async with self._turn:
            with suppress(*FAILED):  # what was asked was answered
                await self._close("COMMIT")

    async def _opened(self) -> Connection:
        """Where that failed, it is not tried again for every other field: each would wait as long."""
        if self._is_ended:
            raise OperationEndedError
        if self._unopened:
            raise self._unopened
        try:
            return await once_more(self._begun)
        except Exception as failed:
            self._unopened = failed
            raise

    async def _begun(self) -> Connection:
        if self._connection is None:
            self._connection = await self._readers.take()
        if not self._is_open:
            await self._said(self._connection, self._begin)
            self._is_open = True
        return self._connection

    async def _said(self, connection: Connection, sql: str) -> None:
        """A statement of the transaction itself; one that does not succeed costs the connection."""
        try:
            await connection.execute(sql)
        except BaseException as failed:
            await self._given_up(failed)
            raise

    async def _failed(self, failed: BaseException) -> None:
        """The next statement opens the transaction anew: one field's failure stays its own."""
        if isinstance(failed, asyncpg.PostgresError | asyncpg.InterfaceError) and not is_lost(failed):
            await self._close("ROLLBACK")
        else:
            await self._given_up(failed)

    async def _close(self, how: str) -> None:
        connection = self._connection
        if connection and self._is_open:
            self._is_open = False
            await self._said(connection, how)
        if connection and self._connection:
            self._connection = None
            await self._readers.give(connection)

    async def _given_up(self, failed: BaseException) -> None:
        connection, self._connection, self._is_open = self._connection, None, False
        if connection:
            await self._readers.give_up(connection, failed)

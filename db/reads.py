"""Reading: the one read transaction of an operation."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg

from db.batching import Follower, Gatherer
from db.faults import OperationEndedError, is_lost, is_unbindable, once_more
from db.query import Query, R
from db.reader_pool import FAILED, Reader, ReaderPool
from db.tally import Tally

# The statement: set_config() would not reach the shards of Citus. The tenant is a UUID, so it can be written into the text.
SET = "SET LOCAL app.tenant = '{tenant}'; SET LOCAL statement_timeout = {limit}"
BEGIN = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SET}"


class SecondStatementError(Exception):
    """An operation that was expected to ask one statement asks another, which may read another snapshot."""


class ReadTx:
    """The operation's one read transaction: opened by its first statement, its statements in turn, given back at its end.

    An operation that asks one statement needs no transaction where the session itself can have the tenant.
    """

    def __init__(self, pool: ReaderPool, tenant: UUID, statement_s: float, tally: Tally, asked: frozenset[str] | None = None) -> None:
        """`asked` are the columns that somebody will read; all may be with None."""
        self._pool = pool
        self._tenant = tenant
        self._statement_s = statement_s
        self._tally = tally
        self._turn = asyncio.Lock()  # first come, first served; a cancelled waiter leaves the queue
        self._connection: Reader | None = None
        self._is_open = False
        self._is_ended = False
        self._is_single = False
        self._is_spent = False  # the one statement was asked without a transaction
        self._unopened: Exception | None = None
        self._asked = asked
        self._gatherer: Gatherer | None = None

    def gather(self, followers: Sequence[Follower] = (), *, is_led: bool = False) -> None:
        """Send what is asked at the same time as one statement, which fails as a whole. The first query leads the followers.

        `is_led`: nothing else is expected to be asked, so that it needs no transaction.
        """
        self._gatherer = Gatherer(self._pool.batches, self._turn, followers, is_led=is_led)

    def ask_one_by_one(self) -> bool:
        """Neither gather nor expect one statement from here on. Return False if that cannot be: one was asked without a transaction."""
        self._gatherer, self._is_single = None, False
        return not self._is_spent

    def expect_one_statement(self) -> None:
        """Ask without a transaction, if that can be; then a second statement is refused."""
        self._is_single = True

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        """Return the rows of a query.

        Raises `SecondStatementError` for a second statement if one was expected, and asked without a transaction.
        """
        query = query.of(self._asked)
        values["tenant"] = self._tenant
        if self._gatherer:
            return await self._gatherer.fetch(query, values, self._send)
        async with self._turn:
            return await self._send(query.sql, query.arguments(values), query.row)

    async def _send(self, sql: str, arguments: Sequence[object], row: type[R], *, is_whole: bool = False) -> list[R]:
        self._is_single = self._is_single or (is_whole and not self._is_open)
        connection = await self._opened()
        self._tally.begin()
        try:
            rows: list[R] = await connection.fetch(sql, *arguments, record_class=row)
        except BaseException as failed:
            self._tally.end()
            await self._failed(failed)
            raise
        self._tally.end()
        if self._is_spent:
            self._release()
        return rows

    def may_read(self, attribute: str) -> bool:
        return self._asked is None or attribute in self._asked

    async def end(self) -> None:
        """Whatever happened: wait for the statement in flight (bounded by its time limit) and give the connection back."""
        self._is_ended = True
        self._gatherer = None
        if self._turn.locked():
            await asyncio.shield(self._end())
        elif self._connection:
            await self._end()

    async def _end(self) -> None:
        async with self._turn:
            with suppress(*FAILED):  # what was asked was answered
                await self._close("COMMIT")

    async def _opened(self) -> Reader:
        """Where that failed, it is not tried again for every other field: each would wait as long."""
        if self._is_ended:
            raise OperationEndedError
        if self._connection and self._is_open:
            return self._connection
        if self._unopened:
            raise self._unopened
        if self._is_spent:
            raise SecondStatementError
        try:
            return await once_more(self._begun)
        except Exception as failed:
            self._unopened = failed
            raise

    async def _begun(self) -> Reader:
        if self._connection is None:
            self._connection = await self._pool.take(self._tenant)
        connection = self._connection
        try:
            if self._is_single and await self._pool.use_session(connection, self._tenant):
                self._is_spent = True
            else:
                await connection.execute(BEGIN.format(tenant=self._tenant, limit=int(self._statement_s * 1000)))
        except BaseException as failed:
            await self._given_up(failed)
            raise
        self._is_open = True
        return connection

    async def _failed(self, failed: BaseException) -> None:
        """The next statement opens the transaction anew: one field's failure stays its own."""
        if self._is_spent and is_unbindable(failed):  # it was not sent
            self._release()
        elif not self._is_spent and isinstance(failed, asyncpg.PostgresError | asyncpg.InterfaceError) and not is_lost(failed):
            await self._close("ROLLBACK")
        else:
            await self._given_up(failed)

    async def _close(self, how: str) -> None:
        connection = self._connection
        if connection and self._is_open:
            self._is_open = False
            try:
                await connection.execute(how)
            except BaseException as failed:
                await self._given_up(failed)
                raise
        self._release()

    def _release(self) -> None:
        connection, self._connection, self._is_open = self._connection, None, False
        if connection:
            self._pool.give(connection)

    async def _given_up(self, failed: BaseException) -> None:
        connection, self._connection, self._is_open = self._connection, None, False
        if connection:
            await self._pool.give_up(connection, failed)

"""Connections: the one read transaction of an operation, and the unit of work of a change. Nothing else opens either."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import UUID

import asyncpg
from sqlalchemy import ExceptionContext, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool
from sqlmodel.ext.asyncio.session import AsyncSession

from db.addresses import for_sqlalchemy
from db.faults import is_lost, once_more
from db.probe import Probe
from db.query import Command, Query, R
from db.reader_pool import Reader, ReaderPool
from db.reads import SET, ReadTx
from db.tally import TALLY, Tally, tallied
from db.traces import Trace, Who

NOBODY = Who()
NAME = {"application_name": "relaties"}
CONNECT_S, CLOSE_S = 5.0, 5.0
READERS_PER_LOOKUP = 4  # one connection for questions before a tenant is known for so many for reading
# What the transaction of a read has, for the session of a reader.
SESSION = "SET statement_timeout = {limit}; SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on"
ANSWER_S = 1.0  # for the server to say that it ended a statement that took too long


class Tx(Protocol):
    """What a query needs. The tenant is a parameter of every statement and is added here."""

    async def fetch(self, query: Query[R], **values: object) -> list[R]: ...

    def may_read(self, attribute: str) -> bool:
        """Return whether somebody may read the attribute of that name, of whichever rows."""
        ...


class Work(Tx, Protocol):
    """What a change needs: entities, and a tenant to give them."""

    @property
    def tenant(self) -> UUID: ...

    @property
    def session(self) -> AsyncSession: ...

    def attempt(self) -> AbstractAsyncContextManager[None]: ...

    async def run(self, command: Command, **values: object) -> int: ...


@dataclass(frozen=True)
class Limits:
    """Connections of each pool, and seconds to wait: for one to read on, for one statement, for one to change something on.

    Changes of one object come one after the other, so that many at once wait long and still get there; readers do not wait for each other.
    `long_s` is for a statement of a change that touches as many rows as there are.
    """

    readers: int = 8
    writers: int = 4
    wait_s: float = 2.0
    statement_s: float = 5.0
    turn_s: float = 8.0
    long_s: float = 60.0


@dataclass(frozen=True)
class Line:
    """The driver's own connection, what counts the statements on it, and how long one may take to be answered."""

    driver: asyncpg.Connection
    tally: Tally
    seconds: float


class WriteTx:
    """The unit of work of one change: entities in the session, statements on the same connection."""

    def __init__(self, tenant: UUID, session: AsyncSession, line: Line, who: Who) -> None:
        self.tenant = tenant
        self.session = session
        self.trace = Trace(session, who)
        self._line = line
        self._has_run = False

    @property
    def has_changed(self) -> bool:
        return bool(self._has_run or self.trace.told or self.session.new or self.session.dirty or self.session.deleted)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """A part that fails without the rest: what it did is undone, and was never told."""
        await self.session.flush()
        told = dict(self.trace.told)
        try:
            async with self.session.begin_nested():
                yield
                await self.session.flush()
        except BaseException:
            self.trace.told = told
            raise

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        await self.session.flush()
        arguments = query.arguments({**values, "tenant": self.tenant})
        return await self._line.tally.of(self._line.driver.fetch(query.sql, *arguments, timeout=self._line.seconds, record_class=query.row))

    def may_read(self, attribute: str) -> bool:
        """A rule may read anything of what it changes."""
        return bool(attribute)

    async def run(self, command: Command, **values: object) -> int:
        """Changes rows where they are, however many; how many there were. The trace hears nothing of it."""
        await self.session.flush()
        self._has_run = True
        arguments = command.arguments({**values, "tenant": self.tenant})
        said = await self._line.tally.of(self._line.driver.execute(command.sql, *arguments, timeout=self._line.seconds))
        return int(said.rpartition(" ")[2])


def _how(limits: Limits, *, is_pooled: bool) -> dict[str, Any]:
    """The server itself ends a statement in time: who has not answered a second later does not answer at all."""
    how: dict[str, Any] = {"timeout": CONNECT_S, "command_timeout": limits.statement_s + ANSWER_S}
    return how | {"statement_cache_size": 0} if is_pooled else how


def _doubting(engine: AsyncEngine) -> AsyncEngine:
    """Where a connection was lost, or had no answer, it is given up and so are those that lie in the pool."""

    def failed(context: ExceptionContext) -> None:
        cause = context.sqlalchemy_exception or context.original_exception
        if context.connection and (is_lost(cause) or isinstance(cause, TimeoutError)):
            driver = context.connection.connection.driver_connection
            if isinstance(driver, asyncpg.Connection):
                driver.terminate()  # without a farewell that would not be heard
            context.is_disconnect = context.invalidate_pool_on_disconnect = True

    event.listen(engine.sync_engine, "handle_error", failed)
    return engine


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, asyncpg.Connection):
        raise TypeError(driver)
    return driver


class Database:
    """Connections for reads and for questions before a tenant is known, a session for each unit of work, and a probe."""

    def __init__(self, readers: ReaderPool, lookups: ReaderPool, writer: AsyncEngine, limits: Limits, probe: Probe) -> None:
        self.probe = probe
        self._readers = readers
        self._lookups = lookups
        self._writer = writer
        self._limits = limits

    @classmethod
    async def connect(
        cls,
        url: str,
        limits: Limits = Limits(),
        *,
        is_pooled: bool = False,
        always_in_transaction: bool = False,
        seen: Callable[[str], None] | None = None,
    ) -> Self:
        """The reads' pool opens its first connection, so that a wrong address fails here. `seen` is told every statement of a reader.

        `is_pooled`: a pooler in transaction mode stands between, so that each transaction may be on another connection of the server:
        no statement outlives its use, and nothing is asked for at the start that the pooler would refuse.
        `always_in_transaction`: an operation of one statement is read in a transaction, too.
        """
        how = _how(limits, is_pooled=is_pooled)
        at_start = NAME if is_pooled else NAME | {"jit": "off"}

        async def connected() -> Reader:
            reader: Reader = await asyncpg.connect(url, connection_class=Reader, server_settings=at_start, **how)
            if seen:
                reader.add_query_logger(lambda said: seen(said.query))
            return reader

        session = SESSION.format(limit=int(limits.statement_s * 1000))
        readers = ReaderPool(connected, limits.readers, limits.wait_s, None if is_pooled or always_in_transaction else session)
        await readers.open_first()
        # Of their own, since their sessions never have a tenant.
        lookups = ReaderPool(connected, max(1, limits.readers // READERS_PER_LOOKUP), limits.wait_s)
        nameless = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str} if is_pooled else {}
        writer = create_async_engine(
            for_sqlalchemy(url),
            pool_size=limits.writers,
            max_overflow=0,
            pool_timeout=limits.turn_s,
            connect_args={"server_settings": NAME, **how, **nameless},
        )
        return cls(readers, lookups, _doubting(tallied(writer)), limits, Probe(url))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections, also when the task is cancelled meanwhile."""
        await asyncio.shield(self.close())

    def read(self, tenant: UUID, tally: Tally | None = None, asked: frozenset[str] | None = None) -> ReadTx:
        return ReadTx(self._readers, tenant, self._limits.statement_s, tally or Tally(), asked)

    @asynccontextmanager
    async def work(self, tenant: UUID, who: Who = NOBODY, tally: Tally | None = None, *, is_long: bool = False) -> AsyncIterator[WriteTx]:
        """Commits at the end of the block, with the trace of what was done; rolls back when it raises."""
        kept, statement_s = tally or Tally(), self._limits.long_s if is_long else self._limits.statement_s
        async with AsyncSession(self._writer, expire_on_commit=False) as session:
            driver = await once_more(lambda: self._begin(session, tenant, kept, statement_s))
            try:
                work = WriteTx(tenant, session, Line(driver, kept, statement_s + ANSWER_S), who)
                yield work
                await work.trace.write()
                await session.commit()
            except BaseException as failed:
                if isinstance(failed, TimeoutError):
                    driver.terminate()
                if isinstance(failed, asyncio.CancelledError) or is_lost(failed) or driver.is_closed():
                    await asyncio.shield(session.invalidate())
                raise

    async def _begin(self, session: AsyncSession, tenant: UUID, tally: Tally, statement_s: float) -> asyncpg.Connection:
        try:
            connection = await session.connection()
            for said in SET.format(tenant=tenant, limit=int(statement_s * 1000)).split("; "):
                await connection.execute(text(said))
        except Exception as failed:
            if is_lost(failed):
                await session.invalidate()
            raise
        await connection.execution_options(**{TALLY: tally})
        return await _driver(connection)

    async def fetch_across_tenants(self, sql: str, row: type[R], *arguments: object) -> list[R]:
        """For the few questions before a tenant is known. What they may see is the database's to say, not ours."""
        return await once_more(lambda: self._look_up(sql, row, arguments))

    async def _look_up(self, sql: str, row: type[R], arguments: Sequence[object]) -> list[R]:
        connection = await self._lookups.take()
        try:
            found: list[R] = await connection.fetch(sql, *arguments, record_class=row)
        except BaseException as failed:
            await self._lookups.give_up(connection, failed)
            raise
        self._lookups.give(connection)
        return found

    @property
    def readers_in_use(self) -> int:
        """Connections for reading that are out."""
        return self._readers.in_use

    @property
    def readers_waiting(self) -> int:
        """Those who ask for a connection to read on and have none yet."""
        return self._readers.waiting

    @property
    def writers_in_use(self) -> int:
        """Connections for changes that are out."""
        pool = self._writer.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def close(self) -> None:
        """Within seconds, whatever becomes of the connections."""
        self.probe.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(self._readers.close(), self._lookups.close(), self._writer.dispose())

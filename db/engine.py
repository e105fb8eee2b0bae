"""Connections: the one read transaction of an operation, and the unit of work of a change. Nothing else opens either."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, Self
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from db.addresses import for_sqlalchemy
from db.probe import Probe
from db.query import Query, R
from db.traces import Trace, Who

Connection = PoolConnectionProxy
NOBODY = Who()
# The statement: set_config() would not reach the shards of Citus. The tenant is a UUID, so it can be written into the text.
SET = "SET LOCAL app.tenant = '{tenant}'; SET LOCAL statement_timeout = {limit}"
BEGIN = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SET}"


class Tx(Protocol):
    """What a query needs. The tenant is a parameter of every statement and is added here."""

    async def fetch(self, query: Query[R], **values: object) -> list[R]: ...


class Work(Tx, Protocol):
    """What a change needs: entities, and a tenant to give them."""

    @property
    def tenant(self) -> UUID: ...

    @property
    def session(self) -> AsyncSession: ...

    def attempt(self) -> AbstractAsyncContextManager[None]: ...


class OperationEndedError(Exception):
    """A statement asked for after the operation gave its transaction back."""


class BusyError(Exception):
    """No connection came free in time."""


RACES = {"23503", "23505", "40001", "40P01"}  # a link or a key that another made or took, a conflict, a deadlock


def plain(failed: BaseException) -> BaseException:
    """The driver's own error within SQLAlchemy's."""
    return failed.orig.__cause__ or failed if isinstance(failed, DBAPIError) and failed.orig else failed


def is_race(failed: BaseException) -> bool:
    """Whether the same unit of work, begun anew, sees what stood in its way."""
    return getattr(plain(failed), "sqlstate", None) in RACES


@dataclass(frozen=True)
class Limits:
    """Connections of each pool, and seconds to wait: for one to read on, for one statement, for one to change something on.

    Changes of one object come one after the other, so that many at once wait long and still get there; readers do not wait for each other.
    """

    readers: int = 8
    writers: int = 4
    wait_s: float = 2.0
    statement_s: float = 5.0
    turn_s: float = 8.0


class ReadTx:
    """The operation's one read transaction: opened by its first statement, its statements in turn, given back at its end."""

    def __init__(self, pool: asyncpg.Pool, tenant: UUID, limits: Limits) -> None:
        self._pool = pool
        self._tenant = tenant
        self._begin = BEGIN.format(tenant=tenant, limit=int(limits.statement_s * 1000))
        self._wait_s = limits.wait_s
        self._turn = asyncio.Lock()  # first come, first served; a cancelled waiter leaves the queue
        self._connection: Connection | None = None
        self._is_open = False
        self._is_ended = False

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        arguments = query.arguments({**values, "tenant": self._tenant})
        async with self._turn:
            connection = await self._opened()
            try:
                return await connection.fetch(query.sql, *arguments, record_class=query.row)
            except (asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._close("ROLLBACK")  # the next statement opens it anew: one field's failure stays its own
                raise
            except BaseException:
                await self._discard()
                raise

    async def end(self) -> None:
        """Whatever happened: wait for the statement in flight (bounded by its time limit) and give the connection back."""
        self._is_ended = True
        await asyncio.shield(self._end())

    async def _end(self) -> None:
        async with self._turn:
            await self._close("COMMIT")

    async def _opened(self) -> Connection:
        if self._is_ended:
            raise OperationEndedError
        if self._connection is None:
            self._connection = await _acquired(self._pool, self._wait_s)
        if not self._is_open:
            await self._said(self._begin)
            self._is_open = True
        return self._connection

    async def _said(self, sql: str) -> None:
        """A statement of the transaction itself; one that does not succeed costs the connection."""
        if self._connection:
            try:
                await self._connection.execute(sql)
            except BaseException:
                await self._discard()
                raise

    async def _close(self, how: str) -> None:
        connection = self._connection
        if self._is_open:
            self._is_open = False
            await self._said(how)
        if connection and self._connection:
            self._connection = None
            await self._pool.release(connection)

    async def _discard(self) -> None:
        """A statement cancelled in flight leaves a connection of unknown state."""
        connection, self._connection, self._is_open = self._connection, None, False
        if connection:
            connection.terminate()
            await self._pool.release(connection)


async def _acquired(pool: asyncpg.Pool, wait_s: float) -> Connection:
    try:
        return await pool.acquire(timeout=wait_s)
    except TimeoutError as late:
        raise BusyError from late


class WriteTx:
    """The unit of work of one change: entities in the session, statements on the same connection."""

    def __init__(self, tenant: UUID, session: AsyncSession, who: Who) -> None:
        self.tenant = tenant
        self.session = session
        self.trace = Trace(session, who)

    @property
    def has_changed(self) -> bool:
        return bool(self.trace.told or self.session.new or self.session.dirty or self.session.deleted)

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
        raw = await (await self.session.connection()).get_raw_connection()
        driver = raw.driver_connection
        if not isinstance(driver, asyncpg.Connection):
            raise TypeError(driver)
        return await driver.fetch(query.sql, *query.arguments({**values, "tenant": self.tenant}), record_class=query.row)


class _Reader(asyncpg.Connection):
    """The end of its transaction resets all that a reader sets, so release costs no round trip."""

    def get_reset_query(self) -> str:
        return ""


class Database:
    """Two pools: raw connections for reads, a session for each unit of work. And a probe, which waits for neither."""

    def __init__(self, reader: asyncpg.Pool, writer: AsyncEngine, limits: Limits, probe: Probe) -> None:
        self.probe = probe
        self._reader = reader
        self._writer = writer
        self._limits = limits

    @classmethod
    async def connect(cls, url: str, limits: Limits = Limits(), *, seen: Callable[[str], None] | None = None) -> Self:
        """The reads' pool opens its first connection, so that a wrong address fails here. `seen` is told every statement of a reader."""

        async def prepared(connection: asyncpg.Connection) -> None:
            if seen:
                connection.add_query_logger(lambda said: seen(said.query))

        reader = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=limits.readers,
            connection_class=_Reader,
            init=prepared,
            timeout=5,
            command_timeout=limits.statement_s + 5,
            server_settings={"jit": "off", "application_name": "relaties"},
        )
        how = {"timeout": 5, "command_timeout": limits.statement_s + 5, "server_settings": {"application_name": "relaties"}}
        writer = create_async_engine(
            for_sqlalchemy(url),
            pool_size=limits.writers,
            max_overflow=0,
            pool_timeout=limits.turn_s,
            pool_pre_ping=True,
            connect_args=how,
        )
        return cls(reader, writer, limits, Probe(url))

    def read(self, tenant: UUID) -> ReadTx:
        return ReadTx(self._reader, tenant, self._limits)

    @asynccontextmanager
    async def work(self, tenant: UUID, who: Who = NOBODY) -> AsyncIterator[WriteTx]:
        """Commits at the end of the block, with the trace of what was done; rolls back when it raises."""
        async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
            connection = await session.connection()
            for said in SET.format(tenant=tenant, limit=int(self._limits.statement_s * 1000)).split("; "):
                await connection.execute(text(said))
            work = WriteTx(tenant, session, who)
            yield work
            await work.trace.write()

    async def fetch_across_tenants(self, sql: str, row: type[R], *arguments: object) -> list[R]:
        """For the few questions before a tenant is known. What they may see is the database's to say, not ours."""
        connection = await _acquired(self._reader, self._limits.wait_s)
        try:
            return await connection.fetch(sql, *arguments, record_class=row)
        finally:
            await self._reader.release(connection)

    @property
    def in_use(self) -> int:
        """Connections of readers that are out."""
        return self._reader.get_size() - self._reader.get_idle_size()

    async def close(self) -> None:
        self.probe.close()
        await self._reader.close()
        await self._writer.dispose()

"""A pool of connections for reading. Their sessions keep the tenant that they were last used for.

A single statement reads one snapshot without a transaction, so an operation of one statement needs no BEGIN and COMMIT if its session has
the right tenant. Every statement also names its tenant as a parameter. These rules keep row-level security, the second safeguard, as
strict as it is in a transaction:

- A session is used for a tenant only after the server has confirmed that tenant. `ReadConnection.tenant` is None until then.
- Nothing else changes the settings of a read session. A transaction sets its tenant only for itself (`SET LOCAL`).
- A connection to a pooler, to a standby or to Citus is always used in a transaction.
- Every `CHECK_EVERY` uses, the session's tenant is compared with the recorded one. After a difference, every read is a transaction.
- A connection is closed if it is lost, if its statement is cancelled, or if a statement outside a transaction fails.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg

from db.engine.batching import BatchCache
from db.engine.errors import DRIVER_ERRORS, PoolExhaustedError, is_connection_lost

log = logging.getLogger("relaties")

CHECK_EVERY = 1000  # uses of sessions between two checks of the tenant, each of which costs a round trip
CLOSE_TIMEOUT = 2.0  # seconds to wait for the end of a cancelled statement
IDLE_TIMEOUT = 300.0  # seconds after which an unused connection is closed
# A pooler reports a process id of its own when a client connects. On a standby, two statements with equal snapshots may see different data.
# The shards of Citus do not get the settings of a session.
IS_DIRECT_PRIMARY = """SELECT pg_backend_pid() = $1 AND NOT pg_is_in_recovery()
 AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"""
CURRENT_TENANT = "SELECT current_setting('app.tenant', true)"


class WrongTenantError(ConnectionError):
    """A session's tenant is not the recorded one. Counts as a lost connection."""


class ReadConnection(asyncpg.Connection):
    """A connection for reading, and the recorded state of its session."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:  # noqa: ANN401 the driver's own
        super().__init__(*arguments, **keywords)
        self.opened_at = monotonic()
        self.idle_since = 0.0
        self.tenant: UUID | None = None  # the tenant that the server has confirmed for the session
        self.has_own_session = False  # whether one server session serves this connection alone, so that settings can be kept in it


class ReadPool:
    """Lend connections in the order of the requests. A connection whose session already has the tenant is preferred."""

    def __init__(
        self, connect: Callable[[], Awaitable[ReadConnection]], size: int, timeout: float, session_setup: str | None = None
    ) -> None:
        """Create an empty pool. `timeout` (seconds) limits the wait for a connection.

        `session_setup` is the SQL that prepares a session for use without a transaction. None if every read is a transaction.
        """
        self.batches = BatchCache()
        self._connect = connect
        self._size = size
        self._timeout = timeout
        self._session_setup = session_setup
        self._connections: set[ReadConnection] = set()
        self._opening = 0
        self._idle: list[ReadConnection] = []  # the most recently used comes last
        self._waiters: deque[asyncio.Future[ReadConnection | None]] = deque()
        self._use_count = 0
        self._distrust_before = 0.0
        self._is_closing = False
        self._is_empty = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_use(self) -> int:
        return len(self._connections) - len(self._idle)

    @property
    def waiting_count(self) -> int:
        """The number of requests that wait for a connection."""
        return sum(not waiter.done() for waiter in self._waiters) + self._opening

    async def open_first(self) -> None:
        """Open the first connection, without a timeout of the pool. Raises the error if that fails."""
        self._lend(await self._open_one(None))

    async def acquire(self, tenant: UUID | None = None) -> ReadConnection:
        """Return a connection. The caller must `release` or `discard` it.

        Raises `PoolExhaustedError` if none becomes free in time, `TimeoutError` if a new one is not open in time, or the error of opening.
        """
        while self._idle:
            connection = self._idle.pop(self._choose_idle(tenant))
            if connection.opened_at >= self._distrust_before and not connection.is_closed():
                return connection
            self._terminate(connection)
        if len(self._connections) + self._opening < self._size:
            return await self._open_one(self._timeout)
        return await self._wait()

    async def set_session_tenant(self, connection: ReadConnection, tenant: UUID) -> bool:
        """Set the tenant of the connection's session. Return False if the connection must be used in a transaction.

        Raises `WrongTenantError` or the error of the statement. The caller must then discard the connection.
        """
        if self._session_setup is None or not connection.has_own_session:
            return False
        if connection.tenant != tenant:
            connection.tenant = None
            await connection.execute(f"SET app.tenant = '{tenant}'")
            connection.tenant = tenant
        self._use_count += 1
        if self._use_count % CHECK_EVERY == 0:
            await self._check_tenant(connection)
        return True

    def release(self, connection: ReadConnection) -> None:
        """Give a connection back to the pool, which can lend it again."""
        if connection.is_closed() or connection.is_in_transaction() or self._is_closing:
            self._terminate(connection)
        else:
            self._lend(connection)

    async def discard(self, connection: ReadConnection, error: BaseException) -> None:
        """Give back a connection that must not be lent again, because it may be lost or inside a transaction.

        If it was lost or timed out, stop lending the connections that are open now, because they may be lost as well.
        """
        connection.tenant = None
        if is_connection_lost(error) or isinstance(error, TimeoutError):
            self._distrust_before = monotonic()
        if isinstance(error, asyncio.CancelledError):
            await asyncio.shield(self._cancel_and_close(connection))
        else:
            self._terminate(connection)

    async def close(self) -> None:
        """Close the connections, and wait for those in use to be released. If cancelled, close all of them at once."""
        self._is_closing = True
        if self._timer:
            self._timer.cancel()
        try:
            idle, self._idle = self._idle, []
            await asyncio.gather(*map(self._cancel_and_close, idle))
            while self._connections or self._opening:
                self._is_empty.clear()
                await self._is_empty.wait()
        finally:
            for connection in [*self._connections]:
                self._terminate(connection)

    def _choose_idle(self, tenant: UUID | None) -> int:
        """Return the index of the idle connection to lend.

        If no session has the tenant, an idle one is set to it, which takes a round trip. Opening a new connection takes milliseconds, and
        a new connection has no prepared statements.
        """
        for index in range(len(self._idle) - 1, -1, -1):
            if self._idle[index].tenant == tenant:
                return index
        # Take the least recently used one, so that the others keep their tenants. If sessions keep no tenant, take the most recently used.
        return 0 if self._session_setup is not None else -1

    async def _wait(self) -> ReadConnection:
        waiter: asyncio.Future[ReadConnection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._timeout):
                connection = await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():  # a connection was lent to it at the same moment: pass it on
                self._lend(waiter.result())
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            if isinstance(error, TimeoutError):
                raise PoolExhaustedError from error
            raise
        return connection or await self._open_one(self._timeout)

    async def _open_one(self, wait_s: float | None) -> ReadConnection:
        if self._is_closing:
            raise asyncpg.InterfaceError("pool is closing")
        self._opening += 1
        connection = None
        try:
            async with asyncio.timeout(wait_s):
                connection = await self._connect()
                await self._prepare(connection)
        except BaseException:
            if connection:
                connection.terminate()
            raise
        else:
            self._connections.add(connection)
            return connection
        finally:
            self._opening -= 1
            if connection not in self._connections:
                self._lend(None)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(IDLE_TIMEOUT, self._close_idle)

    async def _prepare(self, connection: ReadConnection) -> None:
        if self._session_setup is not None and await connection.fetchval(IS_DIRECT_PRIMARY, connection.get_server_pid()):
            await connection.execute(self._session_setup)
            connection.has_own_session = True

    async def _check_tenant(self, connection: ReadConnection) -> None:
        tenant = await connection.fetchval(CURRENT_TENANT)
        if tenant != str(connection.tenant):
            self._session_setup = None
            log.critical("A read session had another tenant than the recorded one. From now on, every read runs in a transaction.")
            raise WrongTenantError

    def _lend(self, connection: ReadConnection | None) -> None:
        """Lend a connection to the first waiter. None lets that waiter open a connection itself."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection:
            connection.idle_since = monotonic()
            self._idle.append(connection)
        self._is_empty.set()

    def _terminate(self, connection: ReadConnection) -> None:
        """Close a connection at once, without the protocol's closing message, because its server may not respond."""
        self._connections.discard(connection)
        with suppress(*DRIVER_ERRORS):
            connection.terminate()
        self._lend(None)

    async def _cancel_and_close(self, connection: ReadConnection) -> None:
        """Cancel the statement that the connection may still run, and close the connection."""
        with suppress(*DRIVER_ERRORS):
            await connection.close(timeout=CLOSE_TIMEOUT)
        self._terminate(connection)

    def _close_idle(self) -> None:
        """Close the connections that were not used for `IDLE_TIMEOUT` seconds, but keep one."""
        limit = monotonic() - IDLE_TIMEOUT
        while len(self._connections) > 1 and self._idle and self._idle[0].idle_since < limit:
            self._terminate(self._idle.pop(0))
        self._timer = asyncio.get_running_loop().call_later(IDLE_TIMEOUT, self._close_idle)

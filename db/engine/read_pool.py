"""A pool of connections for reading, whose sessions keep the tenant that they were last used for.

A statement outside a transaction reads one snapshot by itself, so an operation of one statement needs neither BEGIN nor COMMIT if the
session has its tenant. Every statement names its tenant too; these rules keep row-level security behind it as strict as in a transaction:

- A session is used for a tenant only after it has acknowledged that tenant. `ReadConnection.tenant` is None in between.
- Nothing else sets or resets anything for the session of a reader; a transaction sets its tenant for itself alone (`SET_TENANT LOCAL`).
- A connection that may be shared by a pooler, belongs to a standby or to Citus has no such session: there each read is a transaction.
- One use in `CHECK_EVERY` compares the session's tenant with what is recorded. A difference ends this for the process.
- A connection that was lost, failed or was cancelled is closed.
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
from db.engine.errors import PoolExhaustedError, is_connection_lost

log = logging.getLogger("relaties")

CHECK_EVERY = 1000  # uses of a session, which cost a round trip then
CLOSE_TIMEOUT = 2.0  # seconds for a statement that is cancelled to be over
IDLE_TIMEOUT = 300.0  # seconds after which an unused connection is closed
CONNECTION_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
# A pooler answers with a pid of its own as it connects. On a standby two statements may see different data under equal snapshots; the
# shards of Citus know nothing of what a session sets.
IS_DIRECT_PRIMARY = """SELECT pg_backend_pid() = $1 AND NOT pg_is_in_recovery()
 AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"""
CURRENT_TENANT = "SELECT current_setting('app.tenant', true)"


class WrongTenantError(ConnectionError):
    """A session has another tenant than the one recorded: treat its connection as lost."""


class ReadConnection(asyncpg.Connection):
    """A connection for reading."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:  # noqa: ANN401 the driver's own
        super().__init__(*arguments, **keywords)
        self.opened_at = monotonic()
        self.idle_since = 0.0
        self.tenant: UUID | None = None  # that its session is known to have
        self.has_own_session = False  # of its own, for as long as it is connected


class ReadPool:
    """Lend connections in the order of the requests, preferably one whose session already has the tenant."""

    def __init__(
        self, connect: Callable[[], Awaitable[ReadConnection]], size: int, timeout: float, session_setup: str | None = None
    ) -> None:
        """`session_setup` are the statements that prepare a session to be used without a transaction; None if none ever is."""
        self.batches = BatchCache()
        self._connect = connect
        self._size = size
        self._timeout = timeout
        self._session_setup = session_setup
        self._connections: set[ReadConnection] = set()
        self._opening = 0
        self._idle: list[ReadConnection] = []  # the one used last comes last
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
        """Requests for a connection that have none yet."""
        return sum(not waiter.done() for waiter in self._waiters) + self._opening

    async def open_first(self) -> None:
        """Open a connection, for as long as that may take. Raises what opening it raises."""
        self._lend(await self._open_one(None))

    async def acquire(self, tenant: UUID | None = None) -> ReadConnection:
        """Return a connection; the caller must `release` or `discard` it.

        Raises `PoolExhaustedError` if none comes free in time, `TimeoutError` if none can be opened in time, and what opening it raises.
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

        Raises what the statement raises, and `WrongTenantError`: then discard the connection.
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
        """Return a connection to the pool to be lent again."""
        if connection.is_closed() or connection.is_in_transaction() or self._is_closing:
            self._terminate(connection)
        else:
            self._lend(connection)

    async def discard(self, connection: ReadConnection, error: BaseException) -> None:
        """Return a connection that must not be lent again: it may be lost, or be inside a transaction.

        If it was lost or timed out, so may be all others that are open: none of them is lent again.
        """
        connection.tenant = None
        if is_connection_lost(error) or isinstance(error, TimeoutError):
            self._distrust_before = monotonic()
        if isinstance(error, asyncio.CancelledError):
            await asyncio.shield(self._cancel_and_close(connection))
        else:
            self._terminate(connection)

    async def close(self) -> None:
        """Close the connections, those in use once they are released; at once if cancelled."""
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

        One whose session has another tenant gets this one, which takes a round trip, rather than another being opened: that takes
        milliseconds, and it has prepared no statement yet.
        """
        for index in range(len(self._idle) - 1, -1, -1):
            if self._idle[index].tenant == tenant:
                return index
        # The least recently used one, so that others keep their tenants; if none keeps a tenant, the most recently used one.
        return 0 if self._session_setup is not None else -1

    async def _wait(self) -> ReadConnection:
        waiter: asyncio.Future[ReadConnection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._timeout):
                connection = await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():  # it was lent a connection at the same time
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
            log.critical("A session for reading had another tenant than the one it was given. Each read is a transaction from now on.")
            raise WrongTenantError

    def _lend(self, connection: ReadConnection | None) -> None:
        """Lend a connection to the first waiter, or with None permission to open one."""
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
        """Close a connection at once, without the protocol's closing message: its server may not respond."""
        self._connections.discard(connection)
        with suppress(*CONNECTION_ERRORS):
            connection.terminate()
        self._lend(None)

    async def _cancel_and_close(self, connection: ReadConnection) -> None:
        """Close a connection whose statement may be in flight, and cancel that statement."""
        with suppress(*CONNECTION_ERRORS):
            await connection.close(timeout=CLOSE_TIMEOUT)
        self._terminate(connection)

    def _close_idle(self) -> None:
        """Close connections that were not used for long, but for one."""
        limit = monotonic() - IDLE_TIMEOUT
        while len(self._connections) > 1 and self._idle and self._idle[0].idle_since < limit:
            self._terminate(self._idle.pop(0))
        self._timer = asyncio.get_running_loop().call_later(IDLE_TIMEOUT, self._close_idle)

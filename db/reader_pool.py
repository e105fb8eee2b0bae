"""A pool of connections for reading, whose sessions keep the tenant that they were last used for.

A statement outside a transaction reads one snapshot by itself, so an operation of one statement needs neither BEGIN nor COMMIT if the
session has its tenant. Every statement names its tenant too; these rules keep row-level security behind it as strict as in a transaction:

- A session is used for a tenant only after it has acknowledged that tenant. `Reader.tenant` is None in between.
- Nothing else sets or resets anything for the session of a reader; a transaction sets its tenant for itself alone (`SET LOCAL`).
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

from db.batching import Batches
from db.faults import BusyError, is_lost

log = logging.getLogger("relaties")

CHECK_EVERY = 1000  # uses of a session, which cost a round trip then
CLOSE_TIMEOUT = 2.0  # seconds for a statement that is cancelled to be over
IDLE_TIMEOUT = 300.0  # seconds after which an unused connection is closed
FAILED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
# A pooler answers with a pid of its own as it connects. On a standby two statements may see different data under equal snapshots; the
# shards of Citus know nothing of what a session sets.
IS_DIRECT = """SELECT pg_backend_pid() = $1 AND NOT pg_is_in_recovery()
 AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"""
SHOWN = "SELECT current_setting('app.tenant', true)"


class WrongTenantError(ConnectionError):
    """A session has another tenant than the one recorded: its connection is as good as lost."""


class Reader(asyncpg.Connection):
    """A connection for reading."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:  # noqa: ANN401 the driver's own
        super().__init__(*arguments, **keywords)
        self.opened_at = monotonic()
        self.idle_since = 0.0
        self.tenant: UUID | None = None  # that its session is known to have
        self.has_session = False  # of its own, for as long as it is connected


class ReaderPool:
    """Lend connections, preferably one whose session has the tenant, to those who wait in the order in which they came."""

    def __init__(self, connect: Callable[[], Awaitable[Reader]], size: int, wait_s: float, session: str | None = None) -> None:
        """`session` are the statements that prepare a session to be used without a transaction; None if none ever is."""
        self.batches = Batches()
        self._connect = connect
        self._size = size
        self._wait_s = wait_s
        self._session = session
        self._open: set[Reader] = set()
        self._opening = 0
        self._idle: list[Reader] = []  # the one used last comes last
        self._waiters: deque[asyncio.Future[Reader | None]] = deque()
        self._uses = 0
        self._doubted_at = 0.0
        self._is_closing = False
        self._is_empty = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_use(self) -> int:
        return len(self._open) - len(self._idle)

    @property
    def waiting(self) -> int:
        """Those who asked for a connection and have none yet."""
        return sum(not waiter.done() for waiter in self._waiters) + self._opening

    async def open_first(self) -> None:
        """Open a connection, for as long as that may take. Raises what opening it raises."""
        self._hand_over(await self._open_one(None))

    async def take(self, tenant: UUID | None = None) -> Reader:
        """Return a connection, to be given back.

        Raises `BusyError` if none comes free in time, `TimeoutError` if none can be opened in time, and what opening it raises.
        """
        while self._idle:
            reader = self._idle.pop(self._choose(tenant))
            if reader.opened_at >= self._doubted_at and not reader.is_closed():
                return reader
            self._drop(reader)
        if len(self._open) + self._opening < self._size:
            return await self._open_one(self._wait_s)
        return await self._wait()

    async def use_session(self, reader: Reader, tenant: UUID) -> bool:
        """Give the session of a connection the tenant. Return False if it has to be used in a transaction.

        Raises what the statement raises, and `WrongTenantError`: the connection is to be given up then.
        """
        if self._session is None or not reader.has_session:
            return False
        if reader.tenant != tenant:
            reader.tenant = None
            await reader.execute(f"SET app.tenant = '{tenant}'")
            reader.tenant = tenant
        self._uses += 1
        if self._uses % CHECK_EVERY == 0:
            await self._check(reader)
        return True

    def give(self, reader: Reader) -> None:
        """Take a connection back that may be lent again."""
        if reader.is_closed() or reader.is_in_transaction() or self._is_closing:
            self._drop(reader)
        else:
            self._hand_over(reader)

    async def give_up(self, reader: Reader, failed: BaseException) -> None:
        """Take a connection back that is not lent again: it may be lost, or wait within a transaction.

        If it was lost, or had no answer, so may all others be that are open: none of them is lent again.
        """
        reader.tenant = None
        if is_lost(failed) or isinstance(failed, TimeoutError):
            self._doubted_at = monotonic()
        if isinstance(failed, asyncio.CancelledError):
            await asyncio.shield(self._stop(reader))
        else:
            self._drop(reader)

    async def close(self) -> None:
        """Close the connections, those in use once they are given back; at once if cancelled."""
        self._is_closing = True
        if self._timer:
            self._timer.cancel()
        try:
            idle, self._idle = self._idle, []
            await asyncio.gather(*map(self._stop, idle))
            while self._open or self._opening:
                self._is_empty.clear()
                await self._is_empty.wait()
        finally:
            for reader in [*self._open]:
                self._drop(reader)

    def _choose(self, tenant: UUID | None) -> int:
        """Return the place of the idle connection to lend.

        One whose session has another tenant gets this one, which takes a round trip, rather than another being opened: that takes
        milliseconds, and it has prepared no statement yet.
        """
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].tenant == tenant:
                return place
        # The one that was not used for the longest time, so that others keep their tenants; where none keeps one, the one used last.
        return 0 if self._session is not None else -1

    async def _wait(self) -> Reader:
        waiter: asyncio.Future[Reader | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._wait_s):
                reader = await waiter
        except BaseException as failed:
            if waiter.done() and not waiter.cancelled():  # it was served in the same moment
                self._hand_over(waiter.result())
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            if isinstance(failed, TimeoutError):
                raise BusyError from failed
            raise
        return reader or await self._open_one(self._wait_s)

    async def _open_one(self, wait_s: float | None) -> Reader:
        if self._is_closing:
            raise asyncpg.InterfaceError("pool is closing")
        self._opening += 1
        reader = None
        try:
            async with asyncio.timeout(wait_s):
                reader = await self._connect()
                await self._prepare(reader)
        except BaseException:
            if reader:
                reader.terminate()
            raise
        else:
            self._open.add(reader)
            return reader
        finally:
            self._opening -= 1
            if reader not in self._open:
                self._hand_over(None)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(IDLE_TIMEOUT, self._close_idle)

    async def _prepare(self, reader: Reader) -> None:
        if self._session is not None and await reader.fetchval(IS_DIRECT, reader.get_server_pid()):
            await reader.execute(self._session)
            reader.has_session = True

    async def _check(self, reader: Reader) -> None:
        found = await reader.fetchval(SHOWN)
        if found != str(reader.tenant):
            self._session = None
            log.critical("A session for reading had another tenant than the one it was given. Each read is a transaction from now on.")
            raise WrongTenantError

    def _hand_over(self, reader: Reader | None) -> None:
        """Lend a connection to who waits, or with None the place to open one."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(reader)
                return
        if reader:
            reader.idle_since = monotonic()
            self._idle.append(reader)
        self._is_empty.set()

    def _drop(self, reader: Reader) -> None:
        """Close a connection at once, without the protocol's farewell: its server may not answer."""
        self._open.discard(reader)
        with suppress(*FAILED):
            reader.terminate()
        self._hand_over(None)

    async def _stop(self, reader: Reader) -> None:
        """Close a connection whose statement may be in flight, and cancel that statement."""
        with suppress(*FAILED):
            await reader.close(timeout=CLOSE_TIMEOUT)
        self._drop(reader)

    def _close_idle(self) -> None:
        """Close connections that were not used for long, but for one."""
        limit = monotonic() - IDLE_TIMEOUT
        while len(self._open) > 1 and self._idle and self._idle[0].idle_since < limit:
            self._drop(self._idle.pop(0))
        self._timer = asyncio.get_running_loop().call_later(IDLE_TIMEOUT, self._close_idle)

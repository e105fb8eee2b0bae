"""The pool of read connections: lending, releasing, discarding and closing them."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from db.engine import read_pool
from db.engine.errors import PoolExhaustedError
from db.engine.read_pool import ReadConnection, ReadPool
from tests.support.databases import runtime_url

LONG_TIMEOUT_S = 5.0  # so long that no test reaches it


class CountingPool:
    """A pool that counts the connections that it opens."""

    def __init__(self, url: str, size: int, wait_s: float) -> None:
        self.opened_count = 0
        self._url = url
        self.pool = ReadPool(self._connect, size, wait_s)

    async def _connect(self) -> ReadConnection:
        self.opened_count += 1
        reader: ReadConnection = await asyncpg.connect(self._url, connection_class=ReadConnection)
        return reader


@pytest.fixture
async def counting_pool(owner_url: str) -> AsyncIterator[CountingPool]:
    new_pool = CountingPool(runtime_url(owner_url), 2, LONG_TIMEOUT_S)
    yield new_pool
    await new_pool.pool.close()


async def test_connections_are_acquired_in_order_of_request(counting_pool: CountingPool) -> None:
    pool, order = counting_pool.pool, list[int]()
    for reader in [await pool.acquire(), await pool.acquire()]:
        pool.release(reader)

    async def use(number: int) -> None:
        reader = await pool.acquire()
        order.append(number)
        await asyncio.sleep(0)
        pool.release(reader)

    await asyncio.gather(*map(use, range(20)))
    assert order == [*range(20)]
    assert (counting_pool.opened_count, pool.in_use, pool.waiting_count) == (2, 0, 0)


async def test_discarded_connection_makes_room_for_a_waiter(counting_pool: CountingPool) -> None:
    """The waiter opens another connection."""
    pool = counting_pool.pool
    first, second = await pool.acquire(), await pool.acquire()
    waiting = [asyncio.create_task(pool.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    assert (pool.in_use, pool.waiting_count) == (2, 2)
    await pool.discard(first, ConnectionError())
    pool.release(second)
    readers = await asyncio.gather(*waiting)
    assert (counting_pool.opened_count, pool.in_use) == (3, 2)
    for reader in readers:
        pool.release(reader)
    third = await pool.acquire()
    assert third is not second  # a connection that was open when another was lost is not lent again
    pool.release(third)


async def test_cancelled_waiter_releases_its_connection(counting_pool: CountingPool) -> None:
    """The waiter gets its connection and is cancelled in the same pass of the event loop."""
    pool = counting_pool.pool
    first, second = await pool.acquire(), await pool.acquire()
    waiters = [asyncio.create_task(pool.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    pool.release(first)
    waiters[0].cancel()
    assert await waiters[1] is first
    pool.release(first)
    pool.release(second)
    assert (pool.in_use, pool.waiting_count) == (0, 0)


async def test_connection_in_a_transaction_is_not_reused(counting_pool: CountingPool) -> None:
    pool = counting_pool.pool
    reader = await pool.acquire()
    await reader.execute("BEGIN")
    pool.release(reader)
    assert reader.is_closed()
    other = await pool.acquire()
    assert other is not reader
    pool.release(other)


async def test_wait_times_out(owner_url: str) -> None:
    small_pool = CountingPool(runtime_url(owner_url), 1, 0.01)
    await small_pool.pool.open_first()
    reader = await small_pool.pool.acquire()
    with pytest.raises(PoolExhaustedError):
        await small_pool.pool.acquire()
    assert small_pool.pool.waiting_count == 0
    small_pool.pool.release(reader)
    await small_pool.pool.close()


async def test_idle_connections_are_closed(counting_pool: CountingPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection is kept."""
    pool = counting_pool.pool
    readers = [await pool.acquire() for _ in range(2)]
    for reader in readers:
        pool.release(reader)
    pool._close_idle()  # noqa: SLF001
    assert [reader.is_closed() for reader in readers] == [False, False]
    monkeypatch.setattr(read_pool, "IDLE_TIMEOUT", -1.0)
    pool._close_idle()  # noqa: SLF001
    assert [reader.is_closed() for reader in readers] == [True, False]

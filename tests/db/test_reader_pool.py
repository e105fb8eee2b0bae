"""Connections for reading are lent, given back and closed, in the order of those who wait."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from db.engine import read_pool
from db.engine.errors import PoolExhaustedError
from db.engine.read_pool import ReadConnection, ReadPool
from tests.conftest import runtime_url

NOW = 5.0  # seconds, which no test waits for


class Pooled:
    """A pool by itself, whose connections are counted."""

    def __init__(self, url: str, size: int, wait_s: float) -> None:
        self.opened = 0
        self._url = url
        self.pool = ReadPool(self._connect, size, wait_s)

    async def _connect(self) -> ReadConnection:
        self.opened += 1
        reader: ReadConnection = await asyncpg.connect(self._url, connection_class=ReadConnection)
        return reader


@pytest.fixture
async def pooled(owner_url: str) -> AsyncIterator[Pooled]:
    made = Pooled(runtime_url(owner_url), 2, NOW)
    yield made
    await made.pool.close()


async def test_connections_are_lent_in_the_order_of_asking(pooled: Pooled) -> None:
    pool, order = pooled.pool, list[int]()
    for reader in [await pool.acquire(), await pool.acquire()]:
        pool.release(reader)

    async def use(number: int) -> None:
        reader = await pool.acquire()
        order.append(number)
        await asyncio.sleep(0)
        pool.release(reader)

    await asyncio.gather(*map(use, range(20)))
    assert order == [*range(20)]
    assert (pooled.opened, pool.in_use, pool.waiting_count) == (2, 0, 0)


async def test_dropped_connection_makes_room_for_who_waits(pooled: Pooled) -> None:
    """The one who waits opens another."""
    pool = pooled.pool
    first, second = await pool.acquire(), await pool.acquire()
    waiting = [asyncio.create_task(pool.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    assert (pool.in_use, pool.waiting_count) == (2, 2)
    await pool.discard(first, ConnectionError())
    pool.release(second)
    readers = await asyncio.gather(*waiting)
    assert (pooled.opened, pool.in_use) == (3, 2)
    for reader in readers:
        pool.release(reader)
    third = await pool.acquire()
    assert third is not second  # what was open when another was lost is not lent again
    pool.release(third)


async def test_cancelled_waiter_gives_back_what_it_was_lent(pooled: Pooled) -> None:
    """Served and cancelled in the same pass of the event loop."""
    pool = pooled.pool
    first, second = await pool.acquire(), await pool.acquire()
    waiters = [asyncio.create_task(pool.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    pool.release(first)
    waiters[0].cancel()
    assert await waiters[1] is first
    pool.release(first)
    pool.release(second)
    assert (pool.in_use, pool.waiting_count) == (0, 0)


async def test_connection_within_a_transaction_is_not_lent_again(pooled: Pooled) -> None:
    pool = pooled.pool
    reader = await pool.acquire()
    await reader.execute("BEGIN")
    pool.release(reader)
    assert reader.is_closed()
    other = await pool.acquire()
    assert other is not reader
    pool.release(other)


async def test_wait_is_bounded(owner_url: str) -> None:
    made = Pooled(runtime_url(owner_url), 1, 0.01)
    await made.pool.open_first()
    reader = await made.pool.acquire()
    with pytest.raises(PoolExhaustedError):
        await made.pool.acquire()
    assert made.pool.waiting_count == 0
    made.pool.release(reader)
    await made.pool.close()


async def test_connections_that_were_not_used_for_long_are_closed(pooled: Pooled, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for one."""
    pool = pooled.pool
    readers = [await pool.acquire() for _ in range(2)]
    for reader in readers:
        pool.release(reader)
    pool._close_idle()  # noqa: SLF001
    assert [reader.is_closed() for reader in readers] == [False, False]
    monkeypatch.setattr(read_pool, "IDLE_TIMEOUT", -1.0)
    pool._close_idle()  # noqa: SLF001
    assert [reader.is_closed() for reader in readers] == [True, False]

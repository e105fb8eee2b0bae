"""Write in the background during a measurement: transactions at a fixed rate, each changing a client of the demo organization."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import asyncpg
import psutil

from db import demo

# No query of the comparison shows this column, so answers can still be compared.
CHANGE = "UPDATE relaties.client SET updated_at = now() WHERE tenant_id = $1 AND id = $2"
CLIENTS = "SELECT id FROM relaties.client WHERE tenant_id = $1 ORDER BY id"


@contextmanager
def write_in_background(url: str, per_second: int) -> Iterator[psutil.Process]:
    """Write while the block runs, and yield the PostgreSQL process that executes the writes. Print the achieved rate at the end."""
    began: Future[psutil.Process] = Future()
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        background_write = pool.submit(lambda: asyncio.run(_write_at_rate(url, per_second, began, stop)))
        try:
            yield began.result()
        finally:
            stop.set()
        print(f"{background_write.result():.1f} transactions per second were written")


async def _write_at_rate(url: str, per_second: int, began: Future[psutil.Process], stop: threading.Event) -> float:
    try:
        owner = await asyncpg.connect(url)
        clients = [row["id"] for row in await owner.fetch(CLIENTS, demo.TENANT)]
        began.set_result(psutil.Process(await owner.fetchval("SELECT pg_backend_pid()")))
    except BaseException as error:
        began.set_exception(error)
        raise
    try:
        start, commits = time.monotonic(), 0
        while not stop.is_set():
            await owner.execute(CHANGE, demo.TENANT, clients[commits * 7 % len(clients)])
            commits += 1
            await asyncio.sleep(max(0.0, start + commits / per_second - time.monotonic()))
        return commits / (time.monotonic() - start)
    finally:
        await owner.close()

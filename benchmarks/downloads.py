"""Measure what slow downloads of one organization cost another: the time of Q4 while 50 clients download at once, and without them.

    python -m benchmarks.downloads [--downloads 50] [--rate 100] [--seconds 20] [--keep FOLDER]

Each client reads a file of 8 MB at a limited rate, in kB a second, and begins again when it has the whole file. One connection sends Q4 to
the demo organization, each time as soon as the last one is answered. The idle runs come before and after, so that their difference shows
the spread of the machine. Each response is checked: a request that fails ends the program.
"""

import argparse
import asyncio
import random
import socket
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

import asyncpg

from benchmarks.demo_database import DemoDatabase, run_demo_database
from benchmarks.load import Target, exchange
from benchmarks.machine import print_load
from benchmarks.queries import FIRST_CLIENT, build_queries
from benchmarks.servers import run_relaties
from db.engine.database import Database
from tests.support.builders import create_tenant
from tests.support.files import make_content, sign_at, store_content

SECRET = b"a secret of the benchmark of downloads"
FILE_BYTES = 8_000_000
STEP_S = 0.2  # a client reads, then waits
START_S = 3  # until all downloads run
MAX_RATIO = 3


@dataclass(frozen=True)
class DownloadLoad:
    """Clients that download a file slowly, over and over. They run in a process of their own, to take no time of the measurement."""

    port: int
    path: str
    downloads: int
    bytes_per_step: int

    def run(self, connection: Connection) -> None:
        """Run the clients until the connection has a message. Send back the number of bytes; none if a download has failed."""
        with suppress(KeyboardInterrupt):
            connection.send(asyncio.run(self._run_clients(connection)))

    async def _run_clients(self, connection: Connection) -> int | None:
        content = make_content(FILE_BYTES)
        clients = [Client(self, content) for _ in range(self.downloads)]
        tasks = [asyncio.create_task(client.run()) for client in clients]
        await asyncio.wait({asyncio.create_task(asyncio.to_thread(connection.recv)), *tasks}, return_when=asyncio.FIRST_COMPLETED)
        has_failed = any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                print(f"failed: {outcome!r}")
        return None if has_failed else sum(client.byte_count for client in clients)


@dataclass
class Client:
    """A client that reads a piece, then waits, until it has the file, and begins again."""

    load: DownloadLoad
    content: bytes
    byte_count: int = 0

    async def run(self) -> None:
        await asyncio.sleep(random.random() * STEP_S)  # so that not all clients read at the same moment
        while True:
            await self._download()

    async def _download(self) -> None:
        client_socket = socket.socket()
        client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # so that the server feels the rate
        client_socket.setblocking(False)  # noqa: FBT003 the method has no name for it
        await asyncio.get_running_loop().sock_connect(client_socket, ("127.0.0.1", self.load.port))
        reader, writer = await asyncio.open_connection(sock=client_socket)
        try:
            writer.write(f"GET {self.load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head)
            for offset in range(0, FILE_BYTES, self.load.bytes_per_step):
                piece = self.content[offset : offset + self.load.bytes_per_step]
                if await reader.readexactly(len(piece)) != piece:
                    raise RuntimeError(offset)
                self.byte_count += len(piece)
                await asyncio.sleep(STEP_S)
        finally:
            writer.close()


async def store_file(database: DemoDatabase) -> str:
    """Store a file of another organization, and return the path that downloads it."""
    owner = await asyncpg.connect(database.owner_url)
    try:
        org = await create_tenant(owner, "With a file")
        async with await Database.connect(database.runtime_url) as server_database:
            with tempfile.TemporaryDirectory() as folder:
                file_id = await store_content(server_database, org, Path(folder), make_content(FILE_BYTES))
        return sign_at(org, file_id, datetime.now(UTC), secret=SECRET)
    finally:
        await owner.close()


async def measure_q4(target: Target, seconds: float) -> list[float]:
    """Return the durations of Q4 in milliseconds."""
    client = (await target.post({"query": FIRST_CLIENT}))["data"]["clients"]["edges"][0]["node"]["id"]  # type: ignore[index]
    request = target.build_request(build_queries(client)["Q4"].build_body())
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**20)
    durations, until = list[float](), time.perf_counter() + seconds
    try:
        while (start := time.perf_counter()) < until:
            await exchange(reader, writer, request)
            durations.append((time.perf_counter() - start) * 1000)
    finally:
        writer.close()
    return durations


async def measure_with_downloads(target: Target, load: DownloadLoad, seconds: float) -> tuple[list[float], int]:
    """Return the durations of Q4 while the downloads run, and the bytes that they have read."""
    context = get_context("spawn")
    connection, end = context.Pipe()
    process = context.Process(target=load.run, args=(end,))
    process.start()
    try:
        await asyncio.sleep(START_S)
        durations = await measure_q4(target, seconds)
        connection.send("stop")
        byte_count = connection.recv()
    finally:
        process.terminate()
        process.join()
    if byte_count is None:
        raise RuntimeError("a download has failed")
    return durations, byte_count


def describe(name: str, durations: Sequence[float]) -> float:
    p99 = quantiles(durations, n=100)[98]
    print(f"{name:16} {len(durations):7} requests   median {median(durations):7.2f} ms   p99 {p99:7.2f} ms   max {max(durations):7.2f} ms")
    return p99


async def main(database: DemoDatabase, downloads: int, rate: float, seconds: float) -> None:
    path = await store_file(database)
    # One connection without pauses would spend the points of its token.
    unlimited = {"RELATIES_RATE_LIMIT_RESTORE": "1000000", "RELATIES_RATE_LIMIT_BURST": "1000000"}
    with run_relaties(database, RELATIES_SECRET_KEY=SECRET.decode(), RELATIES_JOB_WORKERS="0", **unlimited) as server:
        load = DownloadLoad(server.target.port, path, downloads, int(rate * 1000 * STEP_S))
        before = describe("idle", await measure_q4(server.target, seconds))
        memory = server.process.memory_info().rss
        durations, byte_count = await measure_with_downloads(server.target, load, seconds)
        during = describe(f"{downloads} downloads", durations)
        growth = server.process.memory_info().rss - memory
        after = describe("idle", await measure_q4(server.target, seconds))
    print(f"downloaded {byte_count / 1e6:.1f} MB; no download failed")
    print(f"memory of the server grew by {growth / 1e6:.1f} MB")
    print(f"p99 with the downloads is {during / ((before + after) / 2):.2f} times the idle p99; at most {MAX_RATIO} is the aim")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--downloads", type=int, default=50, help="downloads at once")
    parser.add_argument("--rate", type=float, default=100, help="kB a second that each client reads")
    parser.add_argument("--seconds", type=float, default=20, help="seconds of each run")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print_load()
    with run_demo_database(options.keep) as demo_database:
        asyncio.run(main(demo_database, options.downloads, options.rate, options.seconds))
    print_load()

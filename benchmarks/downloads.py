"""Measure what slow downloads of one organization cost another: the time of Q4 while 50 clients download at once, and without them.

    python -m benchmarks.downloads [--downloads 50] [--rate 100] [--seconds 20] [--keep FOLDER]

Each client reads a file of 8 MB at a limited rate, in kB a second, and begins again when it has the whole file. One connection sends Q4 to
the demo organization, each time as soon as the last one is answered. The idle runs come before and after, so that their difference shows
the spread of the machine. Each response is checked: a request that fails ends the program.
"""

import argparse
import asyncio
import socket
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
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
MAX_RATIO = 3


@dataclass
class DownloadLoad:
    """Clients that download a file slowly, over and over, until they are stopped."""

    port: int
    path: str
    content: bytes
    bytes_per_step: int
    byte_count: int = 0
    file_count: int = 0

    async def run_client(self) -> None:
        while True:
            await self._download()
            self.file_count += 1

    async def _download(self) -> None:
        client_socket = socket.socket()
        client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # so that the server feels the rate
        client_socket.setblocking(False)  # noqa: FBT003 the method has no name for it
        await asyncio.get_running_loop().sock_connect(client_socket, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=client_socket)
        try:
            writer.write(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head)
            for offset in range(0, FILE_BYTES, self.bytes_per_step):
                piece = self.content[offset : offset + self.bytes_per_step]
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


async def measure_with_downloads(target: Target, load: DownloadLoad, downloads: int, seconds: float) -> list[float]:
    """Return the durations of Q4 while the downloads run. Raises the error of a download that failed."""
    tasks = [asyncio.create_task(load.run_client()) for _ in range(downloads)]
    try:
        durations = await measure_q4(target, seconds)
        for task in tasks:
            if task.done():
                task.result()
        return durations
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def describe(name: str, durations: Sequence[float]) -> float:
    p99 = quantiles(durations, n=100)[98]
    print(f"{name:16} {len(durations):7} requests   median {median(durations):7.2f} ms   p99 {p99:7.2f} ms   max {max(durations):7.2f} ms")
    return p99


async def main(database: DemoDatabase, downloads: int, rate: float, seconds: float) -> None:
    path = await store_file(database)
    # One connection without pauses would spend the points of its token.
    unlimited = {"RELATIES_RATE_LIMIT_RESTORE": "1000000", "RELATIES_RATE_LIMIT_BURST": "1000000"}
    with run_relaties(database, RELATIES_SECRET_KEY=SECRET.decode(), RELATIES_JOB_WORKERS="0", **unlimited) as server:
        load = DownloadLoad(server.target.port, path, make_content(FILE_BYTES), int(rate * 1000 * STEP_S))
        memory = server.process.memory_info().rss
        before = describe("idle", await measure_q4(server.target, seconds))
        during = describe(f"{downloads} downloads", await measure_with_downloads(server.target, load, downloads, seconds))
        growth = server.process.memory_info().rss - memory
        after = describe("idle", await measure_q4(server.target, seconds))
    print(f"downloaded {load.byte_count / seconds / 1e6:.1f} MB a second, {load.file_count} whole files; none failed")
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

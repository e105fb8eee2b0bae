"""Measure whether the memory of a worker is stable under many requests of many different documents on open connections.

    python -m benchmarks.memory [--requests 100000] [--documents 2000] [--keep FOLDER]

Memory grows at first, as documents are cached and connections opened. It is read after each tenth of the requests. The result is the
difference between the end and the first tenth.
"""

import argparse
import asyncio
import random
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import psutil
import uvloop

from benchmarks.demo_database import DemoDatabase, run_demo_database
from benchmarks.load import CONNECTIONS, Target, exchange
from benchmarks.machine import print_load
from benchmarks.servers import RAISED_LIMITS, run_relaties

MIB = 2**20
REQUESTS, DOCUMENTS = 100_000, 2_000
TENTHS = 10
SHAPES = (
    "{{ clients(first: 2) {{ nodes {{ a{n}: name contacts {{ edges {{ node {{ fullName }} }} }} }} }} }}",
    "{{ clients(first: 5) {{ totalCount nodes {{ a{n}: number labels {{ name }} }} }} }}",
    "{{ contacts(first: 5) {{ edges {{ cursor node {{ a{n}: email }} }} pageInfo {{ endCursor }} }} }}",
    "query ($first: Int = 3) {{ clients(first: $first) {{ nodes {{ a{n}: id revenue {{ invoiced {{ amount currency }} }} }} }} }}",
    "{{ viewer {{ a{n}: permissions organization {{ name }} }} }}",
)


def build_documents(many: int) -> list[str]:
    """Return this many different documents of a few shapes."""
    return [SHAPES[n % len(SHAPES)].format(n=n) for n in range(many)]


async def send_requests(target: Target, requests: Sequence[bytes], indexes: Iterator[int]) -> None:
    """Send the requests with these indexes, one after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**20)
    try:
        for index in indexes:
            await exchange(reader, writer, requests[index])
    finally:
        writer.close()


async def measure_memory(target: Target, process: psutil.Process, requests: int, different: int) -> list[float]:
    """Send the requests, and return the memory of the worker in MiB after each tenth of them."""
    texts = [target.build_request({"query": text}) for text in build_documents(different)]
    rng = random.Random(different)
    # Each document once, then at random.
    order = [*range(len(texts)), *(rng.randrange(len(texts)) for _ in range(requests))]
    indexes, memory_sizes = iter(order), list[float]()
    for tenth in islice(count(1), TENTHS):
        part = islice(indexes, requests // TENTHS)
        await asyncio.gather(*(send_requests(target, texts, part) for _ in range(CONNECTIONS)))
        memory_sizes.append(process.memory_info().rss / MIB)
        print(f"{tenth * requests // TENTHS:7} requests   {memory_sizes[-1]:7.1f} MiB", flush=True)
    print(f"drift after the first tenth: {memory_sizes[-1] - memory_sizes[0]:+.1f} MiB; maximum {max(memory_sizes):.1f} MiB")
    return memory_sizes


def measure_fresh_worker(database: DemoDatabase, requests: int = REQUESTS, different: int = DOCUMENTS) -> list[float]:
    """Measure the memory of a newly started worker."""
    with run_relaties(database, RELATIES_COMPILED_EXECUTOR="true", **RAISED_LIMITS) as server:
        return uvloop.run(measure_memory(server.target, server.process, requests, different))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="number of requests")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="number of different documents")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print_load()
    with run_demo_database(options.keep) as measurements:
        measure_fresh_worker(measurements, options.requests, options.documents)
    print_load()

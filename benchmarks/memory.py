"""Whether a worker's memory stays where it is: many requests of many different documents, on connections that stay open.

    python -m benchmarks.memory [--requests 100000] [--documents 2000] [--keep FOLDER]

What a worker takes at first is its own: documents are kept, connections opened. So it is read at each tenth, and what counts is how far it
is at the end from where it was after the first tenth.
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
    """All different, of a few shapes."""
    return [SHAPES[n % len(SHAPES)].format(n=n) for n in range(many)]


async def send_requests(target: Target, requests: Sequence[bytes], turns: Iterator[int]) -> None:
    """Send one request after the other on one connection, as long as there are turns."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**20)
    try:
        for turn in turns:
            await exchange(reader, writer, requests[turn])
    finally:
        writer.close()


async def measure_memory(target: Target, process: psutil.Process, requests: int, different: int) -> list[float]:
    """Send so many requests of so many documents, and return the MiB that the worker has after each tenth."""
    texts = [target.build_request({"query": text}) for text in build_documents(different)]
    rng = random.Random(different)
    # Each once at first, then as chance has it.
    order = [*range(len(texts)), *(rng.randrange(len(texts)) for _ in range(requests))]
    turns, memory_sizes = iter(order), list[float]()
    for tenth in islice(count(1), TENTHS):
        part = islice(turns, requests // TENTHS)
        await asyncio.gather(*(send_requests(target, texts, part) for _ in range(CONNECTIONS)))
        memory_sizes.append(process.memory_info().rss / MIB)
        print(f"{tenth * requests // TENTHS:7} requests   {memory_sizes[-1]:7.1f} MiB", flush=True)
    print(f"drift after the first tenth: {memory_sizes[-1] - memory_sizes[0]:+.1f} MiB; most {max(memory_sizes):.1f} MiB")
    return memory_sizes


def measure_fresh_worker(database: DemoDatabase, requests: int = REQUESTS, different: int = DOCUMENTS) -> list[float]:
    """Do so with a worker that has answered nothing before."""
    with run_relaties(database, RELATIES_COMPILED_EXECUTOR="true", **RAISED_LIMITS) as server:
        return uvloop.run(measure_memory(server.target, server.process, requests, different))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    print_load()
    with run_demo_database(options.keep) as measurements:
        measure_fresh_worker(measurements, options.requests, options.documents)
    print_load()

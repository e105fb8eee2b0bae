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

from benchmarks.load import CONNECTIONS, Target, exchanged
from benchmarks.machine import say_load
from benchmarks.place import Place, demonstration
from benchmarks.servers import RAISED, ours_running

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


def documents(many: int) -> list[str]:
    """All different, of a few shapes."""
    return [SHAPES[n % len(SHAPES)].format(n=n) for n in range(many)]


async def asked(target: Target, requests: Sequence[bytes], turns: Iterator[int]) -> None:
    """One after the other on one connection, as long as there are turns."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**20)
    try:
        for turn in turns:
            await exchanged(reader, writer, requests[turn])
    finally:
        writer.close()


async def measure(target: Target, process: psutil.Process, requests: int, different: int) -> list[float]:
    """Send so many requests of so many documents, and return the MiB that the worker has after each tenth."""
    texts = [target.request({"query": text}) for text in documents(different)]
    dice = random.Random(different)
    # Each once at first, then as chance has it.
    order = [*range(len(texts)), *(dice.randrange(len(texts)) for _ in range(requests))]
    turns, taken = iter(order), list[float]()
    for tenth in islice(count(1), TENTHS):
        part = islice(turns, requests // TENTHS)
        await asyncio.gather(*(asked(target, texts, part) for _ in range(CONNECTIONS)))
        taken.append(process.memory_info().rss / MIB)
        print(f"{tenth * requests // TENTHS:7} requests   {taken[-1]:7.1f} MiB", flush=True)
    print(f"drift after the first tenth: {taken[-1] - taken[0]:+.1f} MiB; most {max(taken):.1f} MiB")
    return taken


def measure_alone(place: Place, requests: int = REQUESTS, different: int = DOCUMENTS) -> list[float]:
    """Do so with a worker that has answered nothing before."""
    with ours_running(place, RELATIES_COMPILED_EXECUTOR="true", **RAISED) as server:
        return uvloop.run(measure(server.target, server.process, requests, different))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--keep", type=Path)
    wanted = parser.parse_args()
    say_load()
    with demonstration(wanted.keep) as found:
        measure_alone(found, wanted.requests, wanted.documents)
    say_load()

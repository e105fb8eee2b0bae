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
from benchmarks.place import demonstration
from benchmarks.servers import RAISED, ours_running

MIB = 2**20
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


async def main(target: Target, process: psutil.Process, given: argparse.Namespace) -> None:
    requests = [target.request({"query": text}) for text in documents(given.documents)]
    dice = random.Random(given.documents)
    # Each once at first, then as chance has it.
    order = [*range(len(requests)), *(dice.randrange(len(requests)) for _ in range(given.requests))]
    turns, taken = iter(order), list[float]()
    for tenth in islice(count(1), TENTHS):
        part = islice(turns, given.requests // TENTHS)
        await asyncio.gather(*(asked(target, requests, part) for _ in range(CONNECTIONS)))
        taken.append(process.memory_info().rss / MIB)
        print(f"{tenth * given.requests // TENTHS:7} requests   {taken[-1]:7.1f} MiB", flush=True)
    print(f"drift after the first tenth: {taken[-1] - taken[0]:+.1f} MiB; most {max(taken):.1f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--keep", type=Path)
    wanted = parser.parse_args()
    say_load()
    with demonstration(wanted.keep) as found, ours_running(found, **RAISED) as server:
        uvloop.run(main(server.target, server.process, wanted))
    say_load()

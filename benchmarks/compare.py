"""Relaties and plain Strawberry with SQLModel side by side: the same data, the same queries, the same JSON, in one run.

    python -m benchmarks.compare [--seconds 3] [--rounds 3] [--only Q1] [--keep FOLDER]

A round asks A B C D, then D C B A. Shown are medians of answers per second, and ours as a multiple of each other's: the median of the
turns' ratios, with the least and the most. `worked` is the processor's time of the server's process for an answer. `ours, compiled` is
Relaties with the compiled executor, `peer, cached` the peer with Strawberry's caches of documents, `bound` the statements of Q1 alone.
Ratios count; absolute figures are the machine's.
"""

import argparse
import json
import os
import statistics
from pathlib import Path

import psutil
import uvloop

from benchmarks.load import CONNECTIONS, Target, load
from benchmarks.place import Place, demonstration
from benchmarks.queries import Asked, asked, without_cursors
from benchmarks.servers import all_running

FIRST = "{ clients(first: 1) { edges { node { id } } } }"
WARM_S = 1.0
Servers = dict[str, tuple[Target, psutil.Process]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="how long each turn is")
    parser.add_argument("--rounds", type=int, default=3, help="how often A B C D, D C B A")
    parser.add_argument("--only", help="one of Q1 to Q4")
    parser.add_argument("--keep", type=Path, help="a folder whose database is used again")
    return parser.parse_args()


def say_load() -> None:
    print("load average", *(f"{each:.2f}" for each in os.getloadavg()))


async def main(servers: Servers, place: Place, given: argparse.Namespace) -> None:
    ours, _ = servers["ours"]
    first: object = await ours.answer({"query": FIRST})
    queries = asked(first["data"]["clients"]["edges"][0]["node"]["id"])  # type: ignore[index]
    for name, query in queries.items():
        if given.only in {None, name}:
            place.answer.write_text(json.dumps(await ours.answer(query.body)))
            able = servers if name == "Q1" else {server: servers[server] for server in servers if server != "bound"}
            await equal(able, name, query)
            await measured(able, name, query, given)
    for name, (_, process) in servers.items():
        print(f"{name:14} {process.memory_info().rss / 2**20:6.0f} MiB")


async def equal(servers: Servers, name: str, query: Asked) -> None:
    """Nothing is measured that does not answer the same."""
    answers = {server: without_cursors(await target.answer(query.body)) for server, (target, _) in servers.items()}
    for server, answer in answers.items():
        if answer != answers["ours"]:
            raise AssertionError(f"{name}: {server} answers something else")


async def measured(servers: Servers, name: str, query: Asked, given: argparse.Namespace) -> None:
    speeds: dict[str, list[float]] = {server: [] for server in servers}
    taken: dict[str, list[float]] = {server: [] for server in servers}
    worked: dict[str, list[float]] = {server: [] for server in servers}
    for target, _ in servers.values():
        await load(target, query.body, WARM_S)
    for _ in range(given.rounds):
        for server in [*servers, *reversed(servers)]:
            target, process = servers[server]
            before = processor_ms(process)
            done = await load(target, query.body, given.seconds)
            worked[server].append((processor_ms(process) - before) / len(done.taken_ms))
            speeds[server].append(done.per_second)
            taken[server] += done.taken_ms
    print(f"\n{name}  {query.what}; {CONNECTIONS} connections")
    for server in servers:
        cuts = statistics.quantiles(taken[server], n=100)
        ratios = [mine / theirs for mine, theirs in zip(speeds["ours"], speeds[server], strict=True)]
        against = f"ours {statistics.median(ratios):6.2f} x ({min(ratios):.2f} to {max(ratios):.2f})" if server != "ours" else ""
        work = f"worked {statistics.median(worked[server]):6.2f} ms"
        print(
            f"{server:14} {statistics.median(speeds[server]):8.1f}/s   p50 {cuts[49]:7.1f} ms   p99 {cuts[98]:7.1f} ms   {work}   {against}"
        )


def processor_ms(process: psutil.Process) -> float:
    """What the server's own process has had of a processor: other programs on the machine hardly change it."""
    times = process.cpu_times()
    return float(times.user + times.system) * 1000


if __name__ == "__main__":
    wanted = arguments()
    say_load()
    with demonstration(wanted.keep) as place, all_running(place) as running:
        uvloop.run(main(running, place, wanted))
    say_load()

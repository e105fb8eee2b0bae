"""Attacks by one organization on one worker, and what another organization notices of them.

    python -m benchmarks.attack [--seconds 6] [--only NAME] [--keep FOLDER]

First, in process, how long the event loop is busy with refusing each hostile document. Then `relaties serve` with its limits as they are:
another organization asks the nested query and a small one, again and again, idle and during each attack; shown are the median and the
99th of a hundred of both, and as multiples of idle. Attackers are a process of their own, on the same machine. To loopback alone.
"""

import argparse
import asyncio
import gc
import multiprocessing
import statistics
import time
from collections import Counter
from pathlib import Path

import asyncpg
import psutil
import uvloop

from benchmarks.assaults import ASSAULTS, assault
from benchmarks.hostile import DOCUMENTS
from benchmarks.load import Target, exchanged
from benchmarks.machine import processor_ms, say_load
from benchmarks.place import Place, demonstration
from benchmarks.queries import CLIENT, NAMES, PAGE
from benchmarks.servers import ours_running
from schema.root import build
from server.documents import Documents
from server.limits import DocumentLimits
from tests.builders import crowd

TIMES = 15
PAUSE_S = 0.05  # between questions: within what a token may ask in the long run
LEAST = 5  # answers, however long they take
REST_S = 1.0
ASKED: dict[str, dict[str, object]] = {
    "nested": {"query": f"{PAGE} {CLIENT}", "variables": {"first": 25}},
    "small": {"query": NAMES, "variables": {"first": 10}},
}
Taken = dict[str, list[float]]


class Victim:
    """Who asks meanwhile, one question after the other on each of two connections that are opened before anything begins."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.refused = 0
        self._open: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def during(self, seconds: float) -> Taken:
        until = time.perf_counter() + seconds
        taken = await asyncio.gather(*(self._asked(name, until) for name in ASKED))
        return dict(zip(ASKED, taken, strict=True))

    async def _asked(self, name: str, until: float) -> list[float]:
        """Milliseconds of each answer; those that were told to come back are counted, and come back."""
        request, taken = self.target.request(ASKED[name]), list[float]()
        while len(taken) < LEAST or time.perf_counter() < until:
            start = time.perf_counter()
            try:
                if name not in self._open:
                    self._open[name] = await asyncio.open_connection("127.0.0.1", self.target.port, limit=2**22)
                await exchanged(*self._open[name], request)
                taken.append((time.perf_counter() - start) * 1000)
            except RuntimeError:  # an answer, but none that is good
                self.refused += 1
            except (OSError, asyncio.IncompleteReadError):
                self.refused += 1
                self._open.pop(name, None)
            await asyncio.sleep(PAUSE_S)
        return taken


def refusals() -> None:
    """Each document is read anew every time, as one that nobody sent before."""
    gc.collect()
    gc.freeze()  # as the server does at its start
    documents = Documents(build()._schema, DocumentLimits(), most_bytes=1, is_open=True)  # noqa: SLF001
    print("\nrefused in process: the event loop is busy for (median, most of the processor's time)")
    for name, made in DOCUMENTS.items():
        taken, code = list[float](), ""
        for _ in range(TIMES):
            text = made()
            start = time.thread_time()
            found = documents.of(text)
            taken.append((time.thread_time() - start) * 1000)
            code = str(found.errors[0].extensions["code"]) if found.errors and found.errors[0].extensions else "answered"
        print(f"{name:32} {len(made()):8} characters {statistics.median(taken):7.1f} ms {max(taken):7.1f} ms   {code}")


def cuts(taken: list[float]) -> tuple[float, float]:
    """The median and the 99th of a hundred."""
    found = statistics.quantiles(taken, n=100, method="inclusive")
    return found[49], found[98]


async def measured(victim: Victim, process: psutil.Process, tokens: list[str], given: argparse.Namespace) -> None:
    await victim.during(REST_S * 2)  # to be warm
    idle = await victim.during(given.seconds)
    print(f"\n{'idle':32}", *(f"{name}: p50 {cuts(idle[name])[0]:6.1f} ms, p99 {cuts(idle[name])[1]:6.1f} ms  " for name in ASKED))
    for name in ASSAULTS:
        if not given.only or name in given.only:
            said, works, taken = await _under(name, victim, process, tokens, given.seconds)
            shown = []
            for asked, found in taken.items():
                (p50, p99), (idle50, idle99) = cuts(found), cuts(idle[asked])
                shown.append(f"{asked}: p50 {p50:6.1f} ms {p50 / idle50:5.1f} x, p99 {p99:6.1f} ms {p99 / idle99:5.1f} x  ")
            answers = ", ".join(f"{status} {count}" for status, count in said.most_common(4))
            print(f"{name:32}", *shown, f"worked {works:3.0f} %   refused {victim.refused}   {answers}", flush=True)
            victim.refused = 0
            await asyncio.sleep(REST_S)
    idle = await victim.during(given.seconds)
    print(f"{'idle again':32}", *(f"{name}: p50 {cuts(idle[name])[0]:6.1f} ms, p99 {cuts(idle[name])[1]:6.1f} ms  " for name in ASKED))


async def _under(
    name: str, victim: Victim, process: psutil.Process, tokens: list[str], seconds: float
) -> tuple[Counter[str], float, Taken]:
    """What the attackers were told, how busy the worker was, and what the other one waited."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    attackers = context.Process(target=assault, args=(name, victim.target.port, tokens, seconds + REST_S, theirs))
    attackers.start()
    await asyncio.to_thread(mine.recv)  # they begin
    await asyncio.sleep(REST_S / 2)
    before, start = processor_ms(process), time.perf_counter()
    taken = await victim.during(seconds)
    works = (processor_ms(process) - before) / (time.perf_counter() - start) / 10
    said = await asyncio.to_thread(mine.recv)
    attackers.join()
    return said, works, taken


async def attackers_of(place: Place) -> list[str]:
    """The tokens of an organization with 150 clients of ten contacts each."""
    owner = await asyncpg.connect(place.owner_url)
    try:
        return [*(await crowd(owner, clients=150, contacts=10)).tokens.values()]
    finally:
        await owner.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6, help="how long each attack is measured")
    parser.add_argument("--only", nargs="*", choices=list(ASSAULTS))
    parser.add_argument("--keep", type=Path, help="a folder whose database is used again")
    parser.add_argument("--limits", nargs="*", default=[], metavar="RELATIES_…=…", help="settings other than by default")
    wanted = parser.parse_args()
    say_load()
    refusals()
    with demonstration(wanted.keep) as place:
        tokens = asyncio.run(attackers_of(place))
        with ours_running(place, **dict(each.split("=", 1) for each in wanted.limits)) as (target, process):
            uvloop.run(measured(Victim(target), process, tokens, wanted))
    say_load()

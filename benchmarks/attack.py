"""Attacks by one organization on one worker, and what another organization notices of them.

    python -m benchmarks.attack [--seconds 4] [--only NAME …] [--keep FOLDER]

First, in process, how long the event loop is busy with refusing each hostile document. Then the table: for each attack a fresh
`relaties serve` with its limits as they are; another organization asks the nested query and a small one, again and again, idle and during
the attack. The goal of its 99th percentile is in the table, and whether it was held. Attackers are a process of their own on the same
machine, and come from another address. Everything stays on loopback. The exit status is 1 where a goal was missed.
"""

import argparse
import asyncio
import gc
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from benchmarks.attacks import checks, results
from benchmarks.attacks.data import Attackers, attackers
from benchmarks.attacks.registry import ATTACKS, attacking
from benchmarks.attacks.results import Goal, Outcome, Taken
from benchmarks.attacks.scene import Attack, Victim
from benchmarks.attacks.victim import Asking
from benchmarks.hostile import DOCUMENTS
from benchmarks.machine import processor_ms, say_load
from benchmarks.place import Place, demonstration
from benchmarks.servers import Server, ours_running
from schema.build import build
from server.documents.cache import DocumentCache
from server.settings import DocumentLimits

TIMES = 15
MIB = 2**20
WARM_S, BEGIN_S = 1.0, 0.5
GOALS = {Victim.COLLEAGUE: Goal(floor_ms=250, factor=10)}  # of one's own organization, with which the worker's share is shared


@dataclass
class Siege:
    """All that stays the same between attacks."""

    place: Place
    found: Attackers
    new_tokens: list[str]
    seconds: float
    settings: dict[str, str]
    orders: Connection
    idle: dict[Victim, Taken] = field(default_factory=dict)

    def asking(self, victim: Victim, port: int) -> Asking:
        tokens = {
            Victim.OTHER: [self.place.token],
            Victim.NEWCOMER: [self.place.token],
            Victim.NEIGHBOUR: self.new_tokens,
            Victim.COLLEAGUE: [self.found.tokens["OWNER"]],
        }
        return Asking(port, tokens[victim], reconnects=victim is Victim.NEWCOMER)

    def outcome(self, attack: Attack) -> Outcome:
        """The attack on a server of its own, so that no attack finds the buckets or caches of another."""
        with ours_running(self.place, RELATIES_SHUTDOWN_GRACE="0", **self.settings) as server:
            return uvloop.run(self._measured(attack, server))

    async def _measured(self, attack: Attack, server: Server) -> Outcome:
        asking, process = self.asking(attack.victim, server.target.port), server.process
        await asking.during(WARM_S)
        if attack.victim not in self.idle:
            self.idle[attack.victim] = await asking.during(self.seconds)
        grown = process.memory_info().rss
        self.orders.send((attack.name, server.target.port, self.seconds + 2 * BEGIN_S))
        await asyncio.to_thread(self.orders.recv)  # they begin
        await asyncio.sleep(BEGIN_S)
        before, start = processor_ms(process), time.perf_counter()
        under = await asking.during(self.seconds)
        worked = (processor_ms(process) - before) / 1000 / (time.perf_counter() - start)
        heard = await asyncio.to_thread(self.orders.recv)
        asking.close()
        mib = (process.memory_info().rss - grown) / MIB
        goal = GOALS.get(attack.victim, Goal())
        return Outcome(attack.name, goal, self.idle[attack.victim], under, heard, mib, worked, attack.max_growth_mib)


def refusals() -> None:
    """Each document is read anew every time, as one that nobody sent before."""
    gc.collect()
    gc.freeze()  # as the server does at its start
    documents = DocumentCache(build()._schema, DocumentLimits(), max_bytes=1, shows_schema=True)  # noqa: SLF001
    print("\nrefused in process: the event loop is busy for (median, most of the processor's time)")
    for name, made in DOCUMENTS.items():
        taken, code = list[float](), ""
        for _ in range(TIMES):
            text = made()
            start = time.thread_time()
            found = documents.get_or_parse(text)
            taken.append((time.thread_time() - start) * 1000)
            code = str(found.errors[0].extensions["code"]) if found.errors and found.errors[0].extensions else "answered"
        print(f"{name:32} {len(made()):8} characters {statistics.median(taken):7.1f} ms {max(taken):7.1f} ms   {code}")


@contextmanager
def attackers_waiting(found: Attackers) -> Iterator[Connection]:
    """A process that carries out attacks."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=attacking, args=(theirs, found.tokens, found.ids), daemon=True)
    process.start()
    try:
        yield mine
    finally:
        mine.send(None)
        process.join(10)
        process.terminate()


def besieged(place: Place, given: argparse.Namespace) -> bool:
    """Print the table and the checks; whether every goal was held."""
    found, new_tokens = asyncio.run(attackers(place.owner_url))
    wanted = [attack for attack in ATTACKS.values() if not given.only or attack.name in given.only]
    settings = dict(each.split("=", 1) for each in given.limits)
    missed = 0
    print("\n" + results.head())
    with attackers_waiting(found) as orders:
        siege = Siege(place, found, new_tokens, given.seconds, settings, orders)
        for attack in wanted:
            outcome = siege.outcome(attack)
            missed += bool(outcome.missed)
            print(results.line(outcome), flush=True)
    if not given.only:
        with ours_running(place, **settings) as server:
            digest = asyncio.run(checks.digest(server.target, found))
        for check in (digest, asyncio.run(checks.command_line(place, found)), checks.graphiql(place)):
            missed += not check.is_held
            print(check, flush=True)
    print(f"{missed} missed" if missed else "every goal was held")
    return not missed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="how long each attack is measured")
    parser.add_argument("--only", nargs="*", choices=list(ATTACKS))
    parser.add_argument("--keep", type=Path, help="a folder whose database is used again")
    parser.add_argument("--limits", nargs="*", default=[], metavar="RELATIES_…=…", help="settings other than by default")
    parser.add_argument("--tolerant", action="store_true", help="exit with 0 where a goal was missed")
    wanted = parser.parse_args()
    say_load()
    refusals()
    with demonstration(wanted.keep) as place:
        is_held = besieged(place, wanted)
    say_load()
    sys.exit(not is_held and not wanted.tolerant)

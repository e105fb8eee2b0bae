"""Measure how attacks by one organization on one worker affect another organization.

    python -m benchmarks.attack [--seconds 4] [--only NAME …] [--keep FOLDER]

First it measures in process how long the event loop is busy with rejecting each hostile document. Then it runs each attack on a new
`relaties serve` with default limits. Another organization repeats the nested query and a small one, without attack (idle) and during the
attack. The table has the goal for its 99th percentile and whether it was held. Attackers are a separate process on the same machine, with
another loopback address. The exit status is 1 if a goal was missed.
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
from benchmarks.attacks.data import Attackers, create_attackers
from benchmarks.attacks.registry import ATTACKS, run_attacker_process
from benchmarks.attacks.results import DurationsByQuery, Goal, Outcome
from benchmarks.attacks.scenario import Attack, Victim
from benchmarks.attacks.victim import VictimClient
from benchmarks.demo_database import DemoDatabase, run_demo_database
from benchmarks.hostile_documents import DOCUMENTS
from benchmarks.machine import print_load, read_processor_ms
from benchmarks.servers import Server, run_relaties
from schema.build import build
from server.documents.cache import DocumentCache
from server.limit_settings import DocumentLimits

TIMES = 15
MIB = 2**20
WARM_S, BEGIN_S = 1.0, 0.5
GOALS = {Victim.COLLEAGUE: Goal(floor_ms=250, factor=10)}  # the victim shares the limits of the attackers' organization


@dataclass
class AttackRun:
    """The state that all attacks share."""

    database: DemoDatabase
    attackers: Attackers
    new_tokens: list[str]
    seconds: float
    settings: dict[str, str]
    orders: Connection
    idle: dict[Victim, DurationsByQuery] = field(default_factory=dict)

    def create_victim_client(self, victim: Victim, port: int) -> VictimClient:
        tokens = {
            Victim.OTHER: [self.database.token],
            Victim.NEWCOMER: [self.database.token],
            Victim.NEIGHBOUR: self.new_tokens,
            Victim.COLLEAGUE: [self.attackers.tokens["OWNER"]],
        }
        return VictimClient(port, tokens[victim], reconnects=victim is Victim.NEWCOMER)

    def run_attack(self, attack: Attack) -> Outcome:
        """Run the attack on a new server, so that it does not find the token buckets or caches of another attack."""
        with run_relaties(self.database, RELATIES_SHUTDOWN_GRACE="0", **self.settings) as server:
            return uvloop.run(self._measure(attack, server))

    async def _measure(self, attack: Attack, server: Server) -> Outcome:
        asking, process = self.create_victim_client(attack.victim, server.target.port), server.process
        await asking.measure_for(WARM_S)
        if attack.victim not in self.idle:
            self.idle[attack.victim] = await asking.measure_for(self.seconds)
        memory_bytes = process.memory_info().rss
        self.orders.send((attack.name, server.target.port, self.seconds + 2 * BEGIN_S))
        await asyncio.to_thread(self.orders.recv)  # the attack has started
        await asyncio.sleep(BEGIN_S)
        before, start = read_processor_ms(process), time.perf_counter()
        under = await asking.measure_for(self.seconds)
        processor_seconds = (read_processor_ms(process) - before) / 1000 / (time.perf_counter() - start)
        attacker_answers = await asyncio.to_thread(self.orders.recv)
        asking.close()
        mib = (process.memory_info().rss - memory_bytes) / MIB
        goal = GOALS.get(attack.victim, Goal())
        return Outcome(attack.name, goal, self.idle[attack.victim], under, attacker_answers, mib, processor_seconds, attack.max_growth_mib)


def refusal_times() -> None:
    """Print how long rejecting each hostile document takes. The cache is too small to hold any document."""
    gc.collect()
    gc.freeze()  # as the server does when it starts
    documents = DocumentCache(build()._schema, DocumentLimits(), max_bytes=1, shows_schema=True)  # noqa: SLF001
    print("\nrejected in process: processor time during which the event loop is busy (median, maximum)")
    for name, document_text in DOCUMENTS.items():
        durations, code = list[float](), ""
        for _ in range(TIMES):
            text = document_text()
            start = time.thread_time()
            document = documents.get_or_parse(text)
            durations.append((time.thread_time() - start) * 1000)
            code = str(document.errors[0].extensions["code"]) if document.errors and document.errors[0].extensions else "answered"
        print(f"{name:32} {len(document_text()):8} characters {statistics.median(durations):7.1f} ms {max(durations):7.1f} ms   {code}")


@contextmanager
def run_attackers(attacker_data: Attackers) -> Iterator[Connection]:
    """Run a process that executes attacks, and yield the connection to it."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=run_attacker_process, args=(theirs, attacker_data.tokens, attacker_data.ids), daemon=True)
    process.start()
    try:
        yield mine
    finally:
        mine.send(None)
        process.join(10)
        process.terminate()


def run_attacks(demo_database: DemoDatabase, options: argparse.Namespace) -> bool:
    """Run the attacks and checks, print their results, and return whether every goal was held."""
    attacker_data, new_tokens = asyncio.run(create_attackers(demo_database.owner_url))
    chosen_attacks = [attack for attack in ATTACKS.values() if not options.only or attack.name in options.only]
    settings = dict(each.split("=", 1) for each in options.limits)
    missed_count = 0
    print("\n" + results.table_head())
    with run_attackers(attacker_data) as orders:
        attack_run = AttackRun(demo_database, attacker_data, new_tokens, options.seconds, settings, orders)
        for attack in chosen_attacks:
            outcome = attack_run.run_attack(attack)
            missed_count += bool(outcome.find_missed_goals)
            print(results.table_line(outcome), flush=True)
    if not options.only:
        with run_relaties(demo_database, **settings) as server:
            digest = asyncio.run(checks.check_digest(server.target, attacker_data))
        for check in (digest, asyncio.run(checks.check_command_line(demo_database, attacker_data)), checks.check_graphiql(demo_database)):
            missed_count += not check.is_held
            print(check, flush=True)
    print(f"{missed_count} missed" if missed_count else "every goal was held")
    return not missed_count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="duration of each attack")
    parser.add_argument("--only", nargs="*", choices=list(ATTACKS), help="run only these attacks")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    parser.add_argument("--limits", nargs="*", default=[], metavar="RELATIES_…=…", help="settings to change from their defaults")
    parser.add_argument("--tolerant", action="store_true", help="exit with 0 even if a goal was missed")
    options = parser.parse_args()
    print_load()
    refusal_times()
    with run_demo_database(options.keep) as database:
        is_held = run_attacks(database, options)
    print_load()
    sys.exit(not is_held and not options.tolerant)

"""Relaties and its peers side by side: the same data, the same queries, the same JSON, in one run and one report.

    python -m benchmarks.compare [--size small] [--peers usual] [--seconds 5] [--turns 6] [--only Q1] [--bodies different]
        [--also memory growth] [--keep FOLDER]

`make bench` installs what it needs and runs it with `SIZE` and `PEERS`. Every server is one worker. A turn asks each of them for a
window, A B C; the next turn C B A. A window of which others had too much of the processors is measured again. Where the machine is never
quiet there are small windows, of which the best tenth counts; the report says so. Ratios count; absolute figures are the machine's.

Each query is measured twice: with a body that differs with every request, and with one body that is repeated. The report begins with the
targets of the read path, as far as their figures were measured in this run.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import psutil

from benchmarks import statements
from benchmarks.bodies import Bodies
from benchmarks.cases import Case, cases_of
from benchmarks.figures import Row
from benchmarks.growth import measure, sizes_of
from benchmarks.machine import load_average, say_load
from benchmarks.memory import measure_alone
from benchmarks.place import SIZES, Place, demonstration, embedded
from benchmarks.queries import Asked, asked, comparable
from benchmarks.report import Report, now, printed, renew, save
from benchmarks.servers import MORE, OURS, USUAL, all_running
from benchmarks.windows import WARM_S, Trial, planned
from benchmarks.wrk import Wrk, fill_marker, new_run

PEERS: dict[str, tuple[str, ...]] = {"usual": USUAL, "all": USUAL + MORE, "none": (), **{name: (name,) for name in USUAL + MORE}}
DIFFERENT, REPEATED, BOTH = "different", "repeated", "both"
MEMORY, GROWTH = "memory", "growth"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="small", help="how much data")
    parser.add_argument("--peers", choices=PEERS, default="usual", help="beside whom")
    parser.add_argument("--seconds", type=int, default=5, help="how long a window is")
    parser.add_argument("--turns", type=int, default=6, help="how many windows a server has for each query")
    parser.add_argument("--only", help="one of Q1 to Q4; the report is printed alone")
    parser.add_argument(
        "--bodies", choices=(BOTH, DIFFERENT, REPEATED), default=BOTH, help="one of both alone; the report is printed alone"
    )
    parser.add_argument(
        "--also", nargs="*", choices=(MEMORY, GROWTH), default=[], help="what else the targets need; takes minutes, and an hour"
    )
    parser.add_argument("--keep", type=Path, help="a folder whose database is used again")
    parser.add_argument("--unsaved", action="store_true", help="print the report alone")
    return parser.parse_args()


async def find_postgres(url: str) -> psutil.Process:
    """Return the process of PostgreSQL itself, which started the one that answers here."""
    owner = await asyncpg.connect(url)
    try:
        parent = psutil.Process(await owner.fetchval("SELECT pg_backend_pid()")).parent()
    finally:
        await owner.close()
    if parent is None:
        raise RuntimeError("PostgreSQL runs where its processor time cannot be seen")
    return parent


@dataclass(frozen=True)
class Comparison:
    """One query, asked of all servers of a run."""

    place: Place
    trial: Trial
    bodies: Bodies
    name: str
    query: Asked

    @property
    def cases(self) -> list[Case]:
        return cases_of(self.name, len(self.bodies.clients))

    def measure(self, kinds: Sequence[str]) -> dict[str, list[Row]]:
        """Measure with bodies of these kinds, before and after which all servers must answer the same."""
        sizes = self.check_answers()
        found = {}
        for kind in kinds:
            loads = {server: self._load(kind, server, answers) for server, answers in sizes.items()}
            found[kind] = self.trial.measured(self.name, loads)
            print(self.name, kind, *(f"{row.server} {row.rps:.1f}/s" for row in found[kind]), sep="   ", flush=True)
        self.check_answers()
        return found

    def check_answers(self) -> dict[str, list[int]]:
        """Compare what each server answers to each case with what the first does, and return how many bytes each answer has.

        The first is ours. Its answers are those of the bound from then on.
        """
        expected: list[object] = []
        sizes = {}
        for server, (target, _) in self.trial.servers.items():
            run = new_run()
            texts = [fill_marker(body, run, place) for place, body in enumerate(self.bodies.different(server, self.query, self.cases))]
            answers = asyncio.run(target.asking(self.name).answers(texts))
            compact = [json.dumps(answer, separators=(",", ":"), ensure_ascii=False) for answer in answers]
            if server == OURS:
                expected = answers
                self._write_for_the_bound(compact)
            check_equal(f"{self.name}: {server}", server, answers, expected)
            sizes[server] = [len(answer.encode()) for answer in compact]
        return sizes

    def _write_for_the_bound(self, answers: Sequence[str]) -> None:
        stored = [{"values": self.bodies.arguments(case), "answer": answer} for case, answer in zip(self.cases, answers, strict=True)]
        (self.place.answers / f"{self.name}.json").write_text(json.dumps(stored))

    def _load(self, kind: str, server: str, sizes: Sequence[int]) -> Wrk:
        lines = self.bodies.different(server, self.query, self.cases)
        if kind == REPEATED:
            lines, sizes = [self.bodies.repeated(server, self.query, self.cases)], sizes[:1]
        file = self.place.bodies / f"{server}-{kind}.jsonl"
        file.write_text("".join(f"{line}\n" for line in lines))
        return Wrk(self.trial.servers[server].target.asking(self.name), file, WARM_S, sizes)


def check_equal(what: str, server: str, answers: Sequence[object], expected: Sequence[object]) -> None:
    """Raise `AssertionError` unless that server's answers are the expected ones, case by case."""
    for place, (answer, wanted) in enumerate(zip(answers, expected, strict=True)):
        if comparable(answer, server) != comparable(wanted, server):
            raise AssertionError(f"{what} answers something else in case {place}: {str(comparable(answer, server))[:1000]}")


def compared(place: Place, given: argparse.Namespace) -> Report:
    database = asyncio.run(find_postgres(place.owner_url))
    statements.written(place.statements)
    place.answers.mkdir(exist_ok=True)
    place.bodies.mkdir(exist_ok=True)
    kinds = (DIFFERENT, REPEATED) if given.bodies == BOTH else (given.bodies,)
    found: dict[str, list[Row]] = {DIFFERENT: [], REPEATED: []}
    plan, before = planned(given.seconds, given.turns, database), load_average()
    with all_running(place, PEERS[given.peers]) as servers:
        bodies = asyncio.run(Bodies.collect(place, {name: server.target for name, server in servers.items()}))
        trial = Trial(servers, dict.fromkeys(servers, database), plan)
        for name, query in asked("").items():
            if given.only in {None, name}:
                for kind, rows in Comparison(place, trial, bodies, name, query).measure(kinds).items():
                    found[kind] += rows
    return now(SIZES[given.size], plan.said, f"{before} before, {load_average()} after", found[DIFFERENT], found[REPEATED])


if __name__ == "__main__":
    wanted = arguments()
    say_load()
    with demonstration(wanted.keep, SIZES[wanted.size]) as place:
        report = compared(place, wanted)
        if MEMORY in wanted.also:
            report = replace(report, memory=measure_alone(place))
    if GROWTH in wanted.also:
        with embedded() as (server, _):
            report = replace(report, grown=asyncio.run(measure(server, sizes_of())))
    print(printed(report))
    if not (wanted.unsaved or wanted.only or wanted.bodies != BOTH):
        save(report)
        renew()
    say_load()

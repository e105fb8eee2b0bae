"""Compare relaties with its peers in one run and one report, with the same data, queries and JSON.

    python -m benchmarks.compare [--size small] [--peers usual] [--seconds 5] [--turns 6] [--only Q1] [--bodies different]
        [--also memory growth] [--keep FOLDER]

`make bench` installs the peers and runs this with `SIZE` and `PEERS`. Every server has one worker. A pass measures each server for one
window, in the order A B C; the next pass uses the order C B A. A window in which other programs used too much of the processors is measured
again. On a machine that is never idle there are many short windows, of which the fastest tenth counts; the report says so. Compare ratios:
absolute figures depend on the machine.

Each query is measured twice: with bodies that differ in every request, and with one repeated body. The report begins with the targets of
the read path for which this run has figures.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import psutil

from benchmarks import peer_statements
from benchmarks.bodies import RequestBodies
from benchmarks.cases import Case, build_cases
from benchmarks.demo_database import SIZES, DemoDatabase, run_demo_database, run_embedded
from benchmarks.figures import Row
from benchmarks.growth import build_sizes, measure_growth
from benchmarks.machine import load_average, print_load
from benchmarks.memory import measure_fresh_worker
from benchmarks.queries import BenchmarkQuery, build_queries, replace_cursors
from benchmarks.report import Report, build_report, format_report, save_report, update_files
from benchmarks.servers import MORE, RELATIES, USUAL, run_all
from benchmarks.windows import WARM_S, WindowTrial, plan_windows
from benchmarks.wrk import Wrk, fill_marker, new_run_number

PEERS: dict[str, tuple[str, ...]] = {"usual": USUAL, "all": USUAL + MORE, "none": (), **{name: (name,) for name in USUAL + MORE}}
DIFFERENT_BODIES, REPEATED_BODIES, BOTH_KINDS = "different", "repeated", "both"
MEMORY, GROWTH = "memory", "growth"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="small", help="amount of data")
    parser.add_argument("--peers", choices=PEERS, default="usual", help="peers to compare with")
    parser.add_argument("--seconds", type=int, default=5, help="length of a window")
    parser.add_argument("--turns", type=int, default=6, help="passes, which is the number of windows of a server for each query")
    parser.add_argument("--only", help="measure only this query of Q1 to Q4; the report is printed and not saved")
    parser.add_argument(
        "--bodies",
        choices=(BOTH_KINDS, DIFFERENT_BODIES, REPEATED_BODIES),
        default=BOTH_KINDS,
        help="measure only one kind of bodies; the report is printed and not saved",
    )
    parser.add_argument(
        "--also", nargs="*", choices=(MEMORY, GROWTH), default=[], help="also measure these targets; memory takes minutes, growth an hour"
    )
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    parser.add_argument("--unsaved", action="store_true", help="print the report and do not save it")
    return parser.parse_args()


async def find_postgres(url: str) -> psutil.Process:
    """Return the main process of PostgreSQL, which is the parent of the one that serves this connection."""
    owner = await asyncpg.connect(url)
    try:
        parent = psutil.Process(await owner.fetchval("SELECT pg_backend_pid()")).parent()
    finally:
        await owner.close()
    if parent is None:
        raise RuntimeError("The processor time of PostgreSQL cannot be read: it must run on this machine.")
    return parent


@dataclass(frozen=True)
class Comparison:
    """The measurement of one query on all servers of a run."""

    database: DemoDatabase
    trial: WindowTrial
    bodies: RequestBodies
    name: str
    query: BenchmarkQuery

    @property
    def cases(self) -> list[Case]:
        return build_cases(self.name, len(self.bodies.clients))

    def measure(self, kinds: Sequence[str]) -> dict[str, list[Row]]:
        """Measure with these kinds of bodies. Before and after, check that all servers give the same answers."""
        sizes = self.check_answers()
        results = {}
        for kind in kinds:
            loads = {server: self._load(kind, server, answers) for server, answers in sizes.items()}
            results[kind] = self.trial.measure(self.name, loads)
            print(self.name, kind, *(f"{row.server} {row.rps:.1f}/s" for row in results[kind]), sep="   ", flush=True)
        self.check_answers()
        return results

    def check_answers(self) -> dict[str, list[int]]:
        """Check that each server gives the same answers as relaties, and return the size of each answer in bytes.

        The answers of relaties are written for the baseline, which sends them from then on.
        """
        expected: list[object] = []
        sizes = {}
        for server, (target, _) in self.trial.servers.items():
            run = new_run_number()
            texts = [
                fill_marker(body, run, index) for index, body in enumerate(self.bodies.build_different(server, self.query, self.cases))
            ]
            answers = asyncio.run(target.for_query(self.name).post_all(texts))
            compact = [json.dumps(answer, separators=(",", ":"), ensure_ascii=False) for answer in answers]
            if server == RELATIES:
                expected = answers
                self._write_baseline_cases(compact)
            check_equal(f"{self.name}: {server}", server, answers, expected)
            sizes[server] = [len(answer.encode()) for answer in compact]
        return sizes

    def _write_baseline_cases(self, answers: Sequence[str]) -> None:
        stored_cases = [
            {"values": self.bodies.baseline_arguments(case), "answer": answer} for case, answer in zip(self.cases, answers, strict=True)
        ]
        (self.database.answers / f"{self.name}.json").write_text(json.dumps(stored_cases))

    def _load(self, kind: str, server: str, sizes: Sequence[int]) -> Wrk:
        lines = self.bodies.build_different(server, self.query, self.cases)
        if kind == REPEATED_BODIES:
            lines, sizes = [self.bodies.build_repeated(server, self.query, self.cases)], sizes[:1]
        file = self.database.bodies / f"{server}-{kind}.jsonl"
        file.write_text("".join(f"{line}\n" for line in lines))
        return Wrk(self.trial.servers[server].target.for_query(self.name), file, WARM_S, sizes)


def check_equal(description: str, server: str, answers: Sequence[object], expected: Sequence[object]) -> None:
    """Raise `AssertionError` unless the answers of this server are equal to the expected ones, case by case."""
    for index, (answer, expected_answer) in enumerate(zip(answers, expected, strict=True)):
        if replace_cursors(answer, server) != replace_cursors(expected_answer, server):
            raise AssertionError(f"{description} gives another answer in case {index}: {str(replace_cursors(answer, server))[:1000]}")


def compare_servers(demo_database: DemoDatabase, options: argparse.Namespace) -> Report:
    database = asyncio.run(find_postgres(demo_database.owner_url))
    peer_statements.write_statements(demo_database.statements)
    demo_database.answers.mkdir(exist_ok=True)
    demo_database.bodies.mkdir(exist_ok=True)
    kinds = (DIFFERENT_BODIES, REPEATED_BODIES) if options.bodies == BOTH_KINDS else (options.bodies,)
    rows_by_kind: dict[str, list[Row]] = {DIFFERENT_BODIES: [], REPEATED_BODIES: []}
    plan, before = plan_windows(options.seconds, options.turns, database), load_average()
    with run_all(demo_database, PEERS[options.peers]) as servers:
        bodies = asyncio.run(RequestBodies.collect(demo_database, {name: server.target for name, server in servers.items()}))
        trial = WindowTrial(servers, dict.fromkeys(servers, database), plan)
        for name, query in build_queries("").items():
            if options.only in {None, name}:
                for kind, rows in Comparison(demo_database, trial, bodies, name, query).measure(kinds).items():
                    rows_by_kind[kind] += rows
    return build_report(
        SIZES[options.size],
        plan.describe,
        f"{before} before, {load_average()} after",
        rows_by_kind[DIFFERENT_BODIES],
        rows_by_kind[REPEATED_BODIES],
    )


if __name__ == "__main__":
    options = parse_arguments()
    print_load()
    with run_demo_database(options.keep, SIZES[options.size]) as database:
        report = compare_servers(database, options)
        if MEMORY in options.also:
            report = replace(report, memory=measure_fresh_worker(database))
    if GROWTH in options.also:
        with run_embedded() as (server, _):
            report = replace(report, growth=asyncio.run(measure_growth(server, build_sizes())))
    print(format_report(report))
    if not (options.unsaved or options.only or options.bodies != BOTH_KINDS):
        save_report(report)
        update_files()
    print_load()

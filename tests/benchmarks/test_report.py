"""The report says what was measured, and the README says the same."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.figures import Row
from benchmarks.picture import drawn
from benchmarks.report import PICTURE, README, RESULTS, Report, newest, printed, read, renewed, save

HOW = {"data": "a little", "machine": "a machine", "software": "some 1.0", "load_average": "0 before, 0 after", "how": "one window"}


def row(server: str, query: str, rps: float) -> Row:
    return Row(server, query, rps, 10.5, 21, 1.25, 0.5, 64, ratio=100 / rps, ratio_least=1.5, ratio_most=2.5, disturbed=0, windows=6)


def report() -> Report:
    return Report(
        "2026-11-28T10:00+00:00", "S", **HOW, rows=[row("relaties", "Q1", 100), row("peer", "Q1", 50), row("relaties", "Q4", 1250)]
    )


def test_a_report_is_kept_as_it_is(tmp_path: Path) -> None:
    """As JSON, with a row for each server and query; and as a table."""
    save(report(), tmp_path)
    assert read(tmp_path / "2026-11-28-S.json") == report()
    told = json.loads((tmp_path / "2026-11-28-S.json").read_text())
    assert {"server", "query", "rps", "p50", "p99", "cpu", "memory"} <= set(told["rows"][0])
    assert (tmp_path / "2026-11-28-S.md").read_text() == printed(report())


def test_the_table_has_each_row_once() -> None:
    lines = printed(report()).splitlines()
    assert "| peer | 50.0 | 10.5 | 21.0 | 1.25 | 0.50 | 64 | 2.00 x (1.50 to 2.50) | 6, 0 |" in lines
    assert sum(line.startswith("| relaties |") for line in lines) == 2
    assert "load average 0 before, 0 after. One window." in printed(report())


def test_a_bar_is_as_long_as_its_server_is_fast() -> None:
    """The fastest of a panel has all the room there is. A server's name cannot break the picture."""
    bars = [bar for bar in ET.fromstring(drawn([*report().rows, row("<&>", "Q1", 25)])).iter() if bar.tag.endswith("rect")]  # noqa: S314 ours
    widths = [int(bar.attrib["width"]) for bar in bars]
    assert widths[0] == widths[3] == widths[1] * 2 == widths[2] * 4


def test_the_readme_has_the_newest_figures() -> None:
    """Both its table and its picture; `python -m benchmarks.report` writes them."""
    assert renewed(README.read_text(), newest()) == README.read_text()
    assert PICTURE.read_text() == drawn(newest().rows)


def test_every_result_is_kept_with_its_table() -> None:
    for path in RESULTS.glob("*.json"):
        assert path.stem == read(path).name
        assert path.with_suffix(".md").read_text() == printed(read(path))

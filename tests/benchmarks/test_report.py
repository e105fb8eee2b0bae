"""The report shows the measured figures, and the documentation shows the same."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.chart import draw_chart
from benchmarks.figures import Row
from benchmarks.growth import Growth
from benchmarks.report import (
    BODIES,
    HEAD,
    PERFORMANCE,
    PICTURE,
    README,
    REPEATED_NOTE,
    RESULTS,
    STATEMENTS,
    Report,
    format_headline,
    format_report,
    format_summary,
    read_newest,
    read_report,
    save_report,
    update_page,
)

REPORT_DETAILS = {
    "data": "a little",
    "machine": "a machine",
    "software": "some 1.0",
    "load_average": "0 before, 0 after",
    "how": "one window",
}


def build_row(server: str, query: str, rps: float) -> Row:
    return Row(server, query, rps, 10.5, 21, 1.25, 0.5, 64, ratio=100 / rps, ratio_least=1.5, ratio_most=2.5, disturbed=0, windows=6)


def build_report() -> Report:
    return Report(
        at="2026-11-28T10:00+00:00",
        size="S",
        data=REPORT_DETAILS["data"],
        machine=REPORT_DETAILS["machine"],
        software=REPORT_DETAILS["software"],
        load_average=REPORT_DETAILS["load_average"],
        how=REPORT_DETAILS["how"],
        rows=[build_row("relaties", "Q1", 100), build_row("peer", "Q1", 50), build_row("relaties", "Q4", 1250)],
        repeated=[build_row("relaties", "Q1", 400), build_row("peer", "Q1", 200)],
    )


def read_older_report(to: Path) -> Report:
    """Read a report that was saved by a version whose request bodies did not differ."""
    path = to / "older.json"
    path.write_text(
        json.dumps({"at": "2026-11-28T10:00+00:00", "size": "S", **REPORT_DETAILS, "rows": [asdict(build_row("relaties", "Q1", 100))]})
    )
    return read_report(path)


def test_report_round_trips(tmp_path: Path) -> None:
    """A report is saved as JSON, with a row for each server and query, and as a table."""
    save_report(build_report(), tmp_path)
    assert read_report(tmp_path / "2026-11-28-S.json") == build_report()
    saved_report = json.loads((tmp_path / "2026-11-28-S.json").read_text())
    assert (
        {"server", "query", "rps", "p50", "p99", "cpu", "cpu_database", "memory"}
        <= set(saved_report["rows"][0])
        == set(saved_report["repeated"][0])
    )
    assert (tmp_path / "2026-11-28-S.md").read_text() == format_report(build_report())


def test_memory_and_growth_are_saved_if_measured(tmp_path: Path) -> None:
    measured = replace(build_report(), memory=[120.5, 121.0], growth=[Growth("large", "page of 50", 1.25, ["client"])])
    save_report(measured, tmp_path)
    assert read_report(tmp_path / "2026-11-28-S.json") == measured


def test_report_begins_with_the_targets(tmp_path: Path) -> None:
    """Targets need different bodies, so an older report has none."""
    measured = replace(build_report(), rows=[build_row("relaties", "Q1", 100), build_row("mercurius-jit", "Q1", 50)], memory=[120.0, 121.0])
    first, second, *_ = format_report(measured).split("\n## ")[1:]
    assert first.startswith("Targets")
    assert "| Q1: answers per second as a multiple of mercurius-jit's | at least 1.1 | 2.00 | 1.50 to 2.50 | met |" in first
    assert "| MiB of a worker after many documents | at most 150 | 121.00 |  | met |" in first
    assert second.startswith("Q1")
    assert "Targets" not in format_report(read_older_report(tmp_path))


def test_table_has_each_row_once() -> None:
    lines = format_report(build_report()).splitlines()
    assert "| peer | 50.0 | 2.00 x (1.50 to 2.50) | 1.25 | 0.50 | 1.75 | 1.00 x | 10.5 | 21.0 | 64 | 6, 0 |" in lines
    assert sum(line.startswith("| relaties |") for line in lines) == 3
    assert "load average 0 before, 0 after. One window." in format_report(build_report())


def test_processor_time_stands_beside_answers_per_second() -> None:
    """The table has the processor time of the server, of PostgreSQL and of both, and its ratio to that of relaties."""
    assert HEAD.startswith("| | answers/s | speed of relaties | CPU ms, server | CPU ms, PostgreSQL | CPU ms, both | CPU of relaties |")
    costly = replace(build_row("relaties", "Q1", 100), cpu=3, cpu_database=0.5)
    short_window = replace(build_row("tiny", "Q1", 100), cpu=0, cpu_database=0)
    lines = format_report(replace(build_report(), rows=[costly, build_row("peer", "Q1", 50), short_window])).splitlines()
    assert "| peer | 50.0 | 2.00 x (1.50 to 2.50) | 1.25 | 0.50 | 1.75 | 2.00 x | 10.5 | 21.0 | 64 | 6, 0 |" in lines
    assert "| tiny | 100.0 | 1.00 x (1.50 to 2.50) | 0.00 | 0.00 | 0.00 |  | 10.5 | 21.0 | 64 | 6, 0 |" in lines


def test_repeated_body_has_a_second_table() -> None:
    """Only Q1 has one, since Q4 was not measured with a repeated body."""
    first, second = format_report(build_report()).split("## Q4")
    different, repeated = first.split("One body, repeated:")
    assert "Different bodies:\n\n" in different
    assert "| peer | 50.0 |" in different
    assert "| peer | 200.0 |" in repeated
    assert "One body" not in second


def test_report_describes_requests_and_statements() -> None:
    for text in (format_report(build_report()), format_summary(build_report())):
        assert BODIES in text
        assert STATEMENTS in text
    assert "list of 60 cases for each query, the same for all servers" in BODIES
    assert "Pages of 50 clients had 40 to 60 clients in fact, and pages of 100 had 96 to 100." in BODIES
    assert "every server gave the same JSON in each case" in BODIES
    assert "The peers ran the statements of the measured version of the product" in STATEMENTS


def test_readme_has_the_speed_and_the_processor_time_of_different_bodies() -> None:
    table = format_summary(build_report())
    assert "| relaties | 100<br>1.25 + 0.50 | 1,250<br>1.25 + 0.50 | 64 |" in table
    assert "| peer | 50 (2.00 x)<br>1.25 + 0.50 |  | 64 |" in table
    assert "200" not in table.replace("2026", "")


def test_older_report_states_that_its_body_was_repeated(tmp_path: Path) -> None:
    """An older report is shown until there is a newer one. It does not state the statements of the peers, which are unknown."""
    old_report = read_older_report(tmp_path)
    assert (old_report.rows, len(old_report.repeated), old_report.describe_requests) == ([], 1, REPEATED_NOTE)
    assert "measure again with `make bench`" in REPEATED_NOTE
    for text in (format_report(old_report), format_summary(old_report)):
        assert REPEATED_NOTE in text
        assert BODIES not in text
    assert "Different bodies:" not in format_report(old_report)
    assert "| relaties | 100<br>" in format_summary(old_report)
    save_report(old_report, tmp_path)
    assert read_report(tmp_path / "2026-11-28-S.json") == old_report


def test_bar_length_is_proportional_to_speed() -> None:
    """The fastest server of a panel takes the full width. Special characters in a server's name are escaped."""
    bars = [bar for bar in ET.fromstring(draw_chart([*build_report().rows, build_row("<&>", "Q1", 25)])).iter() if bar.tag.endswith("rect")]  # noqa: S314 ours
    widths = [int(bar.attrib["width"]) for bar in bars]
    assert widths[0] == widths[3] == widths[1] * 2 == widths[2] * 4


def test_documentation_has_the_newest_figures() -> None:
    """If this fails, run `python -m benchmarks.report`, which writes the tables and the chart."""
    report = read_newest()
    assert update_page(README.read_text(), format_headline(report)) == README.read_text()
    assert update_page(PERFORMANCE.read_text(), format_summary(report)) == PERFORMANCE.read_text()
    assert PICTURE.read_text() == draw_chart(report.documented_rows)


def test_headline_has_the_speed_of_servers_alone() -> None:
    constant_server = replace(build_row("bound", "Q1", 400), ratio=0.25)
    report = replace(build_report(), rows=[*build_report().rows, constant_server])
    assert format_headline(report).splitlines()[1:5] == [
        "| answers per second | Q1 | Q4 |",
        "|---|---|---|",
        "| relaties | 100 | 1,250 |",
        "| peer | 50 (2.00 x) |  |",
    ]


def test_every_result_is_saved_with_its_table() -> None:
    for path in RESULTS.glob("*.json"):
        assert path.stem == read_report(path).name
        assert path.with_suffix(".md").read_text() == format_report(read_report(path))

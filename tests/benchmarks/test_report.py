"""The report says what was measured, and the README says the same."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.figures import Row
from benchmarks.growth import Grown
from benchmarks.picture import drawn
from benchmarks.report import (
    BODIES,
    HEAD,
    PICTURE,
    README,
    REPEATED,
    RESULTS,
    STATEMENTS,
    Report,
    newest,
    printed,
    read,
    renewed,
    save,
    short,
)

HOW = {"data": "a little", "machine": "a machine", "software": "some 1.0", "load_average": "0 before, 0 after", "how": "one window"}


def row(server: str, query: str, rps: float) -> Row:
    return Row(server, query, rps, 10.5, 21, 1.25, 0.5, 64, ratio=100 / rps, ratio_least=1.5, ratio_most=2.5, disturbed=0, windows=6)


def report() -> Report:
    return Report(
        at="2026-11-28T10:00+00:00",
        size="S",
        data=HOW["data"],
        machine=HOW["machine"],
        software=HOW["software"],
        load_average=HOW["load_average"],
        how=HOW["how"],
        rows=[row("relaties", "Q1", 100), row("peer", "Q1", 50), row("relaties", "Q4", 1250)],
        repeated=[row("relaties", "Q1", 400), row("peer", "Q1", 200)],
    )


def older(to: Path) -> Report:
    """Read a report that was kept before the bodies differed."""
    kept = to / "older.json"
    kept.write_text(json.dumps({"at": "2026-11-28T10:00+00:00", "size": "S", **HOW, "rows": [asdict(row("relaties", "Q1", 100))]}))
    return read(kept)


def test_a_report_is_kept_as_it_is(tmp_path: Path) -> None:
    """As JSON, with a row for each server and query; and as a table."""
    save(report(), tmp_path)
    assert read(tmp_path / "2026-11-28-S.json") == report()
    told = json.loads((tmp_path / "2026-11-28-S.json").read_text())
    assert {"server", "query", "rps", "p50", "p99", "cpu", "cpu_database", "memory"} <= set(told["rows"][0]) == set(told["repeated"][0])
    assert (tmp_path / "2026-11-28-S.md").read_text() == printed(report())


def test_memory_and_growth_are_kept_where_they_were_measured(tmp_path: Path) -> None:
    measured = replace(report(), memory=[120.5, 121.0], grown=[Grown("large", "page of 50", 1.25, ["client"])])
    save(measured, tmp_path)
    assert read(tmp_path / "2026-11-28-S.json") == measured


def test_the_report_begins_with_the_targets(tmp_path: Path) -> None:
    """Where bodies differed, as the targets say."""
    measured = replace(report(), rows=[row("relaties", "Q1", 100), row("mercurius-jit", "Q1", 50)], memory=[120.0, 121.0])
    first, second, *_ = printed(measured).split("\n## ")[1:]
    assert first.startswith("Targets")
    assert "| Q1: answers per second as a multiple of mercurius-jit's | at least 1.1 | 2.00 | 1.50 to 2.50 | met |" in first
    assert "| MiB of a worker after many documents | at most 150 | 121.00 |  | met |" in first
    assert second.startswith("Q1")
    assert "Targets" not in printed(older(tmp_path))


def test_the_table_has_each_row_once() -> None:
    lines = printed(report()).splitlines()
    assert "| peer | 50.0 | 2.00 x (1.50 to 2.50) | 1.25 | 0.50 | 1.75 | 1.00 x | 10.5 | 21.0 | 64 | 6, 0 |" in lines
    assert sum(line.startswith("| relaties |") for line in lines) == 3
    assert "load average 0 before, 0 after. One window." in printed(report())


def test_processor_time_stands_beside_answers_per_second() -> None:
    """Of the server, of PostgreSQL and of both, which relaties takes so many times as much of."""
    assert HEAD.startswith("| | answers/s | relaties is | CPU ms, server | CPU ms, PostgreSQL | CPU ms, both | relaties takes |")
    costly = replace(row("relaties", "Q1", 100), cpu=3, cpu_database=0.5)
    unseen = replace(row("tiny", "Q1", 100), cpu=0, cpu_database=0)
    lines = printed(replace(report(), rows=[costly, row("peer", "Q1", 50), unseen])).splitlines()
    assert "| peer | 50.0 | 2.00 x (1.50 to 2.50) | 1.25 | 0.50 | 1.75 | 2.00 x | 10.5 | 21.0 | 64 | 6, 0 |" in lines
    assert "| tiny | 100.0 | 1.00 x (1.50 to 2.50) | 0.00 | 0.00 | 0.00 |  | 10.5 | 21.0 | 64 | 6, 0 |" in lines


def test_one_body_repeated_is_a_second_table_of_its_query() -> None:
    """Where it was measured: Q4 was not."""
    first, second = printed(report()).split("## Q4")
    different, repeated = first.split("One body, repeated:")
    assert "Different bodies:\n\n" in different
    assert "| peer | 50.0 |" in different
    assert "| peer | 200.0 |" in repeated
    assert "One body" not in second


def test_the_report_says_what_was_sent_and_what_the_peers_ran() -> None:
    for text in (printed(report()), short(report())):
        assert BODIES in text
        assert STATEMENTS in text
    assert "list of 60 cases for each query, the same for all servers" in BODIES
    assert "a page had 40 to 60, where 100 are said 96 to 100" in BODIES
    assert "every server gave the same JSON in each case" in BODIES
    assert "The peers ran the product's own statements as they were in this run" in STATEMENTS


def test_the_readme_has_the_speed_and_the_processor_time_of_different_bodies() -> None:
    table = short(report())
    assert "| relaties | 100<br>1.25 + 0.50 | 1,250<br>1.25 + 0.50 | 64 |" in table
    assert "| peer | 50 (2.00 x)<br>1.25 + 0.50 |  | 64 |" in table
    assert "200" not in table.replace("2026", "")


def test_an_older_report_says_that_its_body_was_repeated(tmp_path: Path) -> None:
    """It is read, and shown until there is a newer one; nobody knows what its peers ran."""
    found = older(tmp_path)
    assert (found.rows, len(found.repeated), found.how_asked) == ([], 1, REPEATED)
    assert "measure again with `make bench`" in REPEATED
    for text in (printed(found), short(found)):
        assert REPEATED in text
        assert BODIES not in text
    assert "Different bodies:" not in printed(found)
    assert "| relaties | 100<br>" in short(found)
    save(found, tmp_path)
    assert read(tmp_path / "2026-11-28-S.json") == found


def test_a_bar_is_as_long_as_its_server_is_fast() -> None:
    """The fastest of a panel has all the room there is. A server's name cannot break the picture."""
    bars = [bar for bar in ET.fromstring(drawn([*report().rows, row("<&>", "Q1", 25)])).iter() if bar.tag.endswith("rect")]  # noqa: S314 ours
    widths = [int(bar.attrib["width"]) for bar in bars]
    assert widths[0] == widths[3] == widths[1] * 2 == widths[2] * 4


def test_the_readme_has_the_newest_figures() -> None:
    """Both its table and its picture; `python -m benchmarks.report` writes them."""
    assert renewed(README.read_text(), newest()) == README.read_text()
    assert PICTURE.read_text() == drawn(newest().shown)


def test_every_result_is_kept_with_its_table() -> None:
    for path in RESULTS.glob("*.json"):
        assert path.stem == read(path).name
        assert path.with_suffix(".md").read_text() == printed(read(path))

"""Test the targets: the limits that a report must reach, and the targets that its data covers."""

from dataclasses import replace

import pytest

from benchmarks.figures import Row
from benchmarks.growth import LARGER, SMALLEST, Growth, build_sizes
from benchmarks.queries import build_queries
from benchmarks.servers import MORE, USUAL
from benchmarks.targets import FASTER, GROWING, Target, build_targets, format_table


def build_row(server: str, query: str, rps: float = 100, ratio: float = 1) -> Row:
    return Row(
        server, query, rps, 10, 15, 1.5, 0.5, 64, ratio=ratio, ratio_least=ratio - 0.1, ratio_most=ratio + 0.1, disturbed=0, windows=6
    )


def targets_by_figure(rows: list[Row], memory: list[float] | None = None, growth: list[Growth] | None = None) -> dict[str, Target]:
    targets = build_targets(rows, memory or [], growth or [])
    assert len({target.figure for target in targets}) == len(targets)
    return {target.figure: target for target in targets}


def test_targets_name_peers_and_queries_that_are_measured() -> None:
    assert FASTER.keys() <= {*USUAL, *MORE}
    assert {query for bounds in FASTER.values() for query in bounds} == build_queries("").keys()


@pytest.mark.parametrize(("ratio", "is_met"), [(1.1, True), (1.09, False)])
def test_answers_per_second_are_a_multiple_of_the_peers(ratio: float, *, is_met: bool) -> None:
    targets = targets_by_figure(
        [build_row("relaties", "Q1"), build_row("mercurius-jit", "Q1", ratio=ratio), build_row("graphene", "Q1", ratio=0.1)]
    )
    target = targets["Q1: answers per second as a multiple of mercurius-jit's"]
    assert (target.limit, target.is_met) == ("at least 1.1", is_met)
    assert target.spread == f"{ratio - 0.1:.2f} to {ratio + 0.1:.2f}"
    assert not any("graphene" in figure or "yoga" in figure for figure in targets)


@pytest.mark.parametrize(("worker", "is_met"), [(1.5, True), (1.6, False)])
def test_the_worker_and_postgresql_together_take_at_most_what_mercurius_takes(worker: float, *, is_met: bool) -> None:
    targets = targets_by_figure([replace(build_row("relaties", "Q4"), cpu=worker), build_row("mercurius-jit", "Q4")])
    assert targets["Q4: CPU of an answer as a multiple of mercurius-jit's"].is_met is is_met


@pytest.mark.parametrize(("p99", "is_met"), [(20, True), (21, False)])
def test_p99_is_at_most_twice_p50_for_relaties(p99: float, *, is_met: bool) -> None:
    targets = targets_by_figure([replace(build_row("relaties", "Q2"), p99=p99), replace(build_row("yoga", "Q2", ratio=2), p99=1_000)])
    assert targets["Q2: p99 as a multiple of p50"].is_met is is_met


@pytest.mark.parametrize(("rps", "is_met"), [(52, True), (50, False)])
def test_time_per_client_does_not_grow_with_page_length(rps: float, *, is_met: bool) -> None:
    """Pages of Q3 have 98 clients on average, and pages of Q1 have 50."""
    targets = targets_by_figure([build_row("relaties", "Q1", 100), build_row("relaties", "Q3", rps)])
    assert targets["Q3: time for a client as a multiple of Q1's"].is_met is is_met


def test_memory_is_bounded_and_flat() -> None:
    bounds = ["MiB of a worker after many documents", "MiB of drift after the first tenth"]
    for memory, are_met in (([130.0, 140.0, 134.9], [True, True]), ([100.0, 105.1], [True, False]), ([149.0, 151.0], [False, True])):
        targets = targets_by_figure([build_row("relaties", "Q1")], memory)
        assert [targets[figure].is_met for figure in bounds] == are_met


def test_growth_target_uses_the_worst_size() -> None:
    growth = [Growth("small", name, 1.0, []) for name in GROWING] + [Growth("large", name, 1.51, []) for name in GROWING[:1]]
    growth.append(Growth("large", "totalCount", 9.0, []))
    targets = targets_by_figure([build_row("relaties", "Q1")], growth=growth)
    assert not targets["page of 50: time as a multiple of the smallest data's, at large"].is_met
    assert targets["by number: time as a multiple of the smallest data's, at small"].is_met
    assert not any("totalCount" in figure for figure in targets)
    whole = "tables of more than 10,000 rows that are read whole"
    assert targets[whole].value == "none"
    assert targets_by_figure([build_row("relaties", "Q1")], growth=[*growth, Growth("x", "y", 1, ["client"])])[whole].value == "client"


def test_growth_is_measured_in_each_dimension() -> None:
    sizes = build_sizes()
    assert sizes[0] == SMALLEST
    assert len(sizes) == 1 + sum(map(len, LARGER.values()))
    assert build_sizes(["clients"]) == [SMALLEST, replace(SMALLEST, clients=10_000), replace(SMALLEST, clients=100_000)]


def test_unmeasured_targets_have_no_line() -> None:
    targets = targets_by_figure([build_row("relaties", "Q4")])
    assert [*targets] == ["Q4: p99 as a multiple of p50"]
    assert format_table([*targets.values()]).splitlines()[2] == "| Q4: p99 as a multiple of p50 | at most 2 | 1.50 |  | met |"

"""The targets: what a report must reach, and which of them it can tell."""

from dataclasses import replace

import pytest

from benchmarks.figures import Row
from benchmarks.growth import LARGER, SMALLEST, Grown, sizes_of
from benchmarks.queries import asked
from benchmarks.servers import MORE, USUAL
from benchmarks.targets import FASTER, GROWING, Target, table_of, targets_of


def row(server: str, query: str, rps: float = 100, ratio: float = 1) -> Row:
    return Row(
        server, query, rps, 10, 15, 1.5, 0.5, 64, ratio=ratio, ratio_least=ratio - 0.1, ratio_most=ratio + 0.1, disturbed=0, windows=6
    )


def by_figure(rows: list[Row], memory: list[float] | None = None, grown: list[Grown] | None = None) -> dict[str, Target]:
    found = targets_of(rows, memory or [], grown or [])
    assert len({target.figure for target in found}) == len(found)
    return {target.figure: target for target in found}


def test_targets_name_peers_and_queries_that_are_measured() -> None:
    assert FASTER.keys() <= {*USUAL, *MORE}
    assert {query for bounds in FASTER.values() for query in bounds} == asked("").keys()


@pytest.mark.parametrize(("ratio", "is_met"), [(1.1, True), (1.09, False)])
def test_answers_per_second_are_a_multiple_of_the_peers(ratio: float, *, is_met: bool) -> None:
    found = by_figure([row("relaties", "Q1"), row("mercurius-jit", "Q1", ratio=ratio), row("graphene", "Q1", ratio=0.1)])
    target = found["Q1: answers per second as a multiple of mercurius-jit's"]
    assert (target.bound, target.is_met) == ("at least 1.1", is_met)
    assert target.spread == f"{ratio - 0.1:.2f} to {ratio + 0.1:.2f}"
    assert not any("graphene" in figure or "yoga" in figure for figure in found)


@pytest.mark.parametrize(("worker", "is_met"), [(1.5, True), (1.6, False)])
def test_the_worker_and_postgresql_together_take_at_most_what_mercurius_takes(worker: float, *, is_met: bool) -> None:
    found = by_figure([replace(row("relaties", "Q4"), cpu=worker), row("mercurius-jit", "Q4")])
    assert found["Q4: CPU of an answer as a multiple of mercurius-jit's"].is_met is is_met


@pytest.mark.parametrize(("p99", "is_met"), [(20, True), (21, False)])
def test_p99_is_at_most_twice_p50_for_relaties(p99: float, *, is_met: bool) -> None:
    found = by_figure([replace(row("relaties", "Q2"), p99=p99), replace(row("yoga", "Q2", ratio=2), p99=1_000)])
    assert found["Q2: p99 as a multiple of p50"].is_met is is_met


@pytest.mark.parametrize(("rps", "is_met"), [(52, True), (50, False)])
def test_a_client_of_a_long_page_takes_no_longer_than_one_of_a_short_page(rps: float, *, is_met: bool) -> None:
    """Pages of Q3 have 98 clients on average, those of Q1 50."""
    found = by_figure([row("relaties", "Q1", 100), row("relaties", "Q3", rps)])
    assert found["Q3: time for a client as a multiple of Q1's"].is_met is is_met


def test_memory_is_bounded_and_flat() -> None:
    bounds = ["MiB of a worker after many documents", "MiB of drift after the first tenth"]
    for memory, are_met in (([130.0, 140.0, 134.9], [True, True]), ([100.0, 105.1], [True, False]), ([149.0, 151.0], [False, True])):
        found = by_figure([row("relaties", "Q1")], memory)
        assert [found[figure].is_met for figure in bounds] == are_met


def test_growth_is_that_of_the_worst_size() -> None:
    grown = [Grown("small", name, 1.0, []) for name in GROWING] + [Grown("large", name, 1.51, []) for name in GROWING[:1]]
    grown.append(Grown("large", "totalCount", 9.0, []))
    found = by_figure([row("relaties", "Q1")], grown=grown)
    assert not found["page of 50: time as a multiple of the smallest data's, at large"].is_met
    assert found["by number: time as a multiple of the smallest data's, at small"].is_met
    assert not any("totalCount" in figure for figure in found)
    whole = "tables of more than 10,000 rows that are read whole"
    assert found[whole].measured == "none"
    assert by_figure([row("relaties", "Q1")], grown=[*grown, Grown("x", "y", 1, ["client"])])[whole].measured == "client"


def test_growth_is_measured_in_each_dimension() -> None:
    sizes = sizes_of()
    assert sizes[0] == SMALLEST
    assert len(sizes) == 1 + sum(map(len, LARGER.values()))
    assert sizes_of(["clients"]) == [SMALLEST, replace(SMALLEST, clients=10_000), replace(SMALLEST, clients=100_000)]


def test_what_was_not_measured_has_no_line() -> None:
    found = by_figure([row("relaties", "Q4")])
    assert [*found] == ["Q4: p99 as a multiple of p50"]
    assert table_of([*found.values()]).splitlines()[2] == "| Q4: p99 as a multiple of p50 | at most 2 | 1.50 |  | met |"

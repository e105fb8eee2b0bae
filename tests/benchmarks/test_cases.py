"""Test the fixed list of cases that every server gets."""

from datetime import date

import pytest

from benchmarks.cases import COUNT, FIFTY, HUNDRED, PAGE_SIZES, PERIODS, Case, build_cases
from db.queries.revenue import partial_month_bounds

QUERIES = ["Q1", "Q2", "Q3", "Q4"]
CLIENTS = 188  # active clients of the smallest data


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("clients", [CLIENTS, 940, 9400])
def test_no_two_cases_start_at_the_same_client(query: str, clients: int) -> None:
    cases = build_cases(query, clients)
    assert len({case.position for case in cases}) == len(cases) == COUNT
    assert cases == build_cases(query, clients)


@pytest.mark.parametrize("query", QUERIES)
def test_pages_are_full_and_spread_over_all_clients(query: str) -> None:
    """A page with fewer entries than requested would make one list cheaper than another."""
    ends = [case.position + (case.page_size or 1) for case in build_cases(query, CLIENTS)]
    assert CLIENTS - (max(PAGE_SIZES.get(query, (1,))) - min(PAGE_SIZES.get(query, (1,)))) <= max(ends) <= CLIENTS
    assert build_cases(query, CLIENTS)[0].position == 0


def test_page_sizes_have_the_mean_of_the_query_name() -> None:
    """Each page size is requested equally often."""
    for query, mean in (("Q1", 50), ("Q3", 98), ("Q4", 50)):
        sizes = [case.page_size or 0 for case in build_cases(query, CLIENTS)]
        assert sum(sizes) == mean * COUNT
        assert {sizes.count(size) for size in PAGE_SIZES[query]} == {COUNT // len(PAGE_SIZES[query])}
    assert max(HUNDRED) == 100
    assert all(case.page_size is None for case in build_cases("Q2", CLIENTS))


def test_every_page_size_is_combined_with_every_period() -> None:
    combinations = {(case.page_size, case.period) for case in build_cases("Q1", CLIENTS)}
    assert len(combinations) == len(FIFTY) * len(PERIODS)
    assert {case.period for case in build_cases("Q4", CLIENTS)} == {None}


@pytest.mark.parametrize("period", PERIODS)
def test_periods_are_whole_months(period: tuple[str, str]) -> None:
    """The peers have the product's statement only for whole months."""
    start, end = map(date.fromisoformat, period)
    assert start < end
    assert partial_month_bounds(start, end) == {}


def test_too_few_clients_are_rejected() -> None:
    """Otherwise cases would repeat."""
    with pytest.raises(ValueError, match="Q3 needs 1 more active clients for 60 different cases"):
        build_cases("Q3", 158)
    assert len(build_cases("Q3", 159)) == COUNT


def test_page_continues_after_the_client_before_it() -> None:
    ids, cursors = ["a", "b", "c"], ["behind a", "behind b", "behind c"]
    period = {"since": "2026-01-01", "until": "2026-12-31"}
    assert Case(0, 50, PERIODS[0]).build_variables(ids, cursors) == {"first": 50, "after": None, "period": period}
    assert Case(2, 40, None).build_variables(ids, cursors) == {"first": 40, "after": "behind b"}
    assert Case(2, None, PERIODS[0]).build_variables(ids, cursors) == {"id": "c", "period": period}

"""Compare measured figures with the targets of the read path.

All targets apply to requests with different bodies. Most targets are ratios, which hold on other machines too.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.cases import PAGE_SIZES
from benchmarks.figures import Row
from benchmarks.growth import Growth

MERCURIUS = "mercurius-jit"
# The minimum of answers per second, as a multiple of the peer's.
FASTER: Mapping[str, Mapping[str, float]] = {
    MERCURIUS: {"Q1": 1.1, "Q2": 1.0, "Q3": 1.0, "Q4": 0.9},
    **{peer: {"Q1": 1.3, "Q2": 1.1, "Q3": 1.3, "Q4": 1.3} for peer in ("postgraphile", "yoga", "apollo")},
    "strawberry-orm": {"Q1": 25},
}
MOST_CPU = 1.0  # processor time of worker and PostgreSQL, as a multiple of Mercurius's
MOST_P99 = 2.0  # as a multiple of p50
MOST_MIB, MOST_DRIFT_MIB = 150, 5
MOST_PER_CLIENT = 1.0  # time per client of Q3, as a multiple of Q1's
MOST_GROWTH = 1.5  # time at a larger size, as a multiple of the time at the smallest size
GROWING = ("page of 50", "by number", "revenue of the page")
HEAD = "| figure | target | measured | spread | |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class Target:
    """A figure with its limit and its measured value, and the spread if there is one."""

    figure: str
    limit: str
    value: str
    is_met: bool
    spread: str = ""

    def __str__(self) -> str:
        return f"| {self.figure} | {self.limit} | {self.value} | {self.spread} | {'met' if self.is_met else '**missed**'} |"


def format_table(targets: Sequence[Target]) -> str:
    return "\n".join([HEAD, *map(str, targets)])


def build_targets(rows: Sequence[Row], memory: Sequence[float], growth: Sequence[Growth]) -> list[Target]:
    """Return the targets that these figures cover. The first row of a query is that of relaties."""
    rows_by_key = {(row.server, row.query): row for row in rows}
    ours = {row.query: row for row in rows if row.server == rows[0].server}
    targets = [*_speed_targets(rows_by_key), *_cpu_targets(ours, rows_by_key)]
    targets += [_limit_target(f"{query}: p99 as a multiple of p50", row.p99 / row.p50, MOST_P99) for query, row in ours.items()]
    if {"Q1", "Q3"} <= ours.keys():
        each = {query: 1 / ours[query].rps / statistics.mean(PAGE_SIZES[query]) for query in ("Q1", "Q3")}
        targets.append(_limit_target("Q3: time for a client as a multiple of Q1's", each["Q3"] / each["Q1"], MOST_PER_CLIENT))
    return [*targets, *_memory_targets(memory), *_growth_targets(growth)]


def _speed_targets(rows_by_key: Mapping[tuple[str, str], Row]) -> Iterator[Target]:
    for peer, bounds in FASTER.items():
        for query, least in bounds.items():
            if row := rows_by_key.get((peer, query)):
                spread = f"{row.ratio_least:.2f} to {row.ratio_most:.2f}"
                figure = f"{query}: answers per second as a multiple of {peer}'s"
                yield Target(figure, f"at least {least:g}", f"{row.ratio:.2f}", row.ratio >= least, spread)


def _cpu_targets(ours: Mapping[str, Row], rows_by_key: Mapping[tuple[str, str], Row]) -> Iterator[Target]:
    for query, row in ours.items():
        peer = rows_by_key.get((MERCURIUS, query))
        if peer and peer.cpu_of_both:
            yield _limit_target(f"{query}: CPU of an answer as a multiple of {MERCURIUS}'s", row.cpu_of_both / peer.cpu_of_both, MOST_CPU)


def _memory_targets(memory: Sequence[float]) -> Iterator[Target]:
    if memory:
        yield _limit_target("MiB of a worker after many documents", memory[-1], MOST_MIB)
        yield _limit_target("MiB of drift after the first tenth", memory[-1] - memory[0], MOST_DRIFT_MIB)


def _growth_targets(growth: Sequence[Growth]) -> Iterator[Target]:
    for query in GROWING:
        ratios = {each.ratio: each.size for each in growth if each.query == query}
        if ratios:
            yield _limit_target(f"{query}: time as a multiple of the smallest data's, at {ratios[max(ratios)]}", max(ratios), MOST_GROWTH)
    if growth:
        whole = sorted({table for each in growth for table in each.whole})
        yield Target("tables of more than 10,000 rows that are read whole", "none", ", ".join(whole) or "none", not whole)


def _limit_target(figure: str, value: float, most: float) -> Target:
    return Target(figure, f"at most {most:g}", f"{value:.2f}", value <= most)

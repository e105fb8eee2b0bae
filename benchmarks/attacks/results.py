"""Compare the results of attacks with their goals, and format them as a table."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FAULTS = ("500 ", "INTERNAL_SERVER_ERROR")
REFUSED_MS = 10_000.0  # duration that a rejected or missing answer counts as
DurationsByQuery = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Goal:
    """The limit of the victim's 99th percentile: the larger of `floor_ms` and `factor` times the 99th percentile without an attack."""

    floor_ms: float = 50
    factor: float = 5

    def limit_ms(self, idle_p99: float) -> float:
        return max(self.floor_ms, self.factor * idle_p99)


@dataclass(frozen=True)
class Outcome:
    """The result of an attack.

    `idle` and `under` are the durations of the victim's answers by query, without and with the attack. `answer_counts` are the answers to
    the attackers.
    """

    attack: str
    goal: Goal
    idle: DurationsByQuery
    under: DurationsByQuery
    answer_counts: Counter[str]
    growth_mib: float
    worker_share: float
    max_growth_mib: float | None = None

    @property
    def find_missed_goals(self) -> list[str]:
        """The reasons why the goal was missed, empty if it was met."""
        reasons = []
        for query, durations in self.under.items():
            p99, most = median_and_p99(durations)[1], self.goal.limit_ms(median_and_p99(self.idle[query])[1])
            if p99 >= most:
                reasons.append(f"{query} p99 {p99:.0f} of {most:.0f} ms")
        if self.max_growth_mib is not None and self.growth_mib > self.max_growth_mib:
            reasons.append(f"grew {self.growth_mib:.0f} of {self.max_growth_mib:.0f} MiB")
        if faults := sum(many for answer, many in self.answer_counts.items() if any(fault in answer for fault in FAULTS)):
            reasons.append(f"{faults} faults")
        return reasons


def median_and_p99(durations: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    if len(durations) == 1:
        return durations[0], durations[0]
    percentiles = statistics.quantiles(durations, n=100, method="inclusive")
    return percentiles[49], percentiles[98]


def table_head() -> str:
    return f"{'attack':34} {'victim idle p50/p99':>30} {'under attack p50/p99':>32} {'growth':>9} {'worker':>6}  {'goal p99':>20}  result"


def table_line(outcome: Outcome) -> str:
    """Format a line of the table: attack, idle, under attack, growth, worker share, goal, result, and the answers to the attackers."""
    idle, under = _format_times(outcome.idle), _format_times(outcome.under)
    goals = ", ".join(f"{query} {outcome.goal.limit_ms(median_and_p99(durations)[1]):.0f}" for query, durations in outcome.idle.items())
    growth_text = "" if outcome.max_growth_mib is None else f", {outcome.max_growth_mib:.0f} MiB"
    result = f"MISSED ({'; '.join(outcome.find_missed_goals)})" if outcome.find_missed_goals else "held"
    answers_text = ", ".join(f"{what} {many}" for what, many in outcome.answer_counts.most_common(4))
    share = f"{outcome.worker_share:5.0%}"
    figures = f"{idle:>30} {under:>32} {outcome.growth_mib:+5.0f} MiB {share:>6}"
    return f"{outcome.attack:34} {figures}  {goals + growth_text:>20}  {result}  [{answers_text}]"


def _format_times(durations: DurationsByQuery) -> str:
    return ", ".join(f"{query} {median_and_p99(each)[0]:.0f}/{median_and_p99(each)[1]:.0f}" for query, each in durations.items())

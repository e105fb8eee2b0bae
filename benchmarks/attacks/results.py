"""What an attack came to, the goal, and the table."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FAULTS = ("500 ", "INTERNAL_SERVER_ERROR")
REFUSED_MS = 10_000.0  # what an answer counts for that was refused, or did not come
Taken = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Goal:
    """The victim's 99th percentile is under so many milliseconds, or under so many times what it is without an attack."""

    floor_ms: float = 50
    factor: float = 5

    def ms(self, idle_p99: float) -> float:
        return max(self.floor_ms, self.factor * idle_p99)


@dataclass(frozen=True)
class Outcome:
    """Milliseconds of the victim's answers by query, idle and under attack; what the attackers heard; the worker's growth and work."""

    attack: str
    goal: Goal
    idle: Taken
    under: Taken
    heard: Counter[str]
    growth_mib: float
    worker_share: float
    max_growth_mib: float | None = None

    @property
    def missed(self) -> list[str]:
        """Why the goal was missed; empty where it was held."""
        found = []
        for query, taken in self.under.items():
            p99, most = cut(taken)[1], self.goal.ms(cut(self.idle[query])[1])
            if p99 >= most:
                found.append(f"{query} p99 {p99:.0f} of {most:.0f} ms")
        if self.max_growth_mib is not None and self.growth_mib > self.max_growth_mib:
            found.append(f"grew {self.growth_mib:.0f} of {self.max_growth_mib:.0f} MiB")
        if faults := sum(many for heard, many in self.heard.items() if any(fault in heard for fault in FAULTS)):
            found.append(f"{faults} faults")
        return found


def cut(taken: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    if len(taken) == 1:
        return taken[0], taken[0]
    found = statistics.quantiles(taken, n=100, method="inclusive")
    return found[49], found[98]


def head() -> str:
    return f"{'attack':34} {'victim idle p50/p99':>30} {'under attack p50/p99':>32} {'growth':>9} {'worker':>6}  {'goal p99':>20}  result"


def line(found: Outcome) -> str:
    """One line of the table: attack, idle, under attack, growth, work, goal, result, and what the attackers heard."""
    idle, under = _shown(found.idle), _shown(found.under)
    goals = ", ".join(f"{query} {found.goal.ms(cut(taken)[1]):.0f}" for query, taken in found.idle.items())
    grown = "" if found.max_growth_mib is None else f", {found.max_growth_mib:.0f} MiB"
    result = f"MISSED ({'; '.join(found.missed)})" if found.missed else "held"
    heard = ", ".join(f"{what} {many}" for what, many in found.heard.most_common(4))
    share = f"{found.worker_share:5.0%}"
    return f"{found.attack:34} {idle:>30} {under:>32} {found.growth_mib:+5.0f} MiB {share:>6}  {goals + grown:>20}  {result}  [{heard}]"


def _shown(taken: Taken) -> str:
    return ", ".join(f"{query} {cut(each)[0]:.0f}/{cut(each)[1]:.0f}" for query, each in taken.items())

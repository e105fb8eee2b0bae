"""Measure windows: each server under load with one query for some seconds, in alternating order.

A window that other programs disturbed too much is measured again.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import psutil

from benchmarks.figures import Row, Window, build_rows
from benchmarks.load import CONNECTIONS
from benchmarks.machine import ProcessorTimes, read_exact_processor_ms, read_memory_mib, read_tree_ms
from benchmarks.servers import Server
from benchmarks.wrk import Wrk

BEARABLE = 0.05  # share of all processors that other programs may use during a window
MAX_REPEATS = 3
SMALL_TURNS = 4  # short windows for each requested one, on a disturbed machine
PROBE_S = 3
WARM_S = 2
AT_LEAST = CONNECTIONS  # answers in a window; windows of slow servers are longer
LONGEST_S = 10


@dataclass(frozen=True)
class WindowPlan:
    """The length of a window, the number of windows per server and query, and whether only the best tenth counts."""

    seconds: int
    passes: int
    is_best: bool

    @property
    def describe(self) -> str:
        if self.is_best:
            return (
                f"{self.passes} windows of {self.seconds} s or more in alternating order, of which the fastest tenth counts, since other "
                "programs used the machine; the spread is between the quartiles of the passes"
            )
        return (
            f"{self.passes} windows of {self.seconds} s or more in alternating order, medians; a window in which other programs used more "
            f"than {BEARABLE:.0%} of the processors was measured again, at most {MAX_REPEATS} times; the spread is that of all passes"
        )


def plan_windows(seconds: int, turns: int, database: psutil.Process) -> WindowPlan:
    """Return the requested windows, or many short ones if other programs use too much of the machine before the measurement."""
    start = ProcessorTimes.read([database])
    time.sleep(PROBE_S)
    others = start.others_share_until(ProcessorTimes.read([database]))
    plan = WindowPlan(seconds, turns, is_best=False) if others <= BEARABLE else WindowPlan(1, turns * SMALL_TURNS, is_best=True)
    print(f"other programs use {others:.1%} of the processors: {plan.describe}")
    return plan


@dataclass(frozen=True)
class WindowTrial:
    """The servers of a run with their databases, and the plan of the run.

    `not_counted` has the database process of a background writer for each server. Its time does not belong to answers.
    """

    servers: Mapping[str, Server]
    databases: Mapping[str, psutil.Process]
    plan: WindowPlan
    not_counted: Mapping[str, psutil.Process] = field(default_factory=dict)

    def measure(self, query: str, loads: Mapping[str, Wrk]) -> list[Row]:
        """Measure and return a row for each server. `loads` has the requests; the length of the windows is decided here."""
        return build_rows(query, self.measure_windows(loads), is_best=self.plan.is_best, bearable=BEARABLE)

    def measure_windows(self, loads: Mapping[str, Wrk]) -> dict[str, list[Window]]:
        """Measure in the order A B C, then C B A, and so on. Return the windows of each server, one per pass."""
        windows_by_server: dict[str, list[Window]] = {name: [] for name in self.servers}
        loads_by_server = {name: self._warm_up(replace(loads[name], seconds=WARM_S)) for name in self.servers}
        for pass_number in range(self.plan.passes):
            for name in list(self.servers)[:: -1 if pass_number % 2 else 1]:
                windows_by_server[name].append(self._measure_undisturbed(name, loads_by_server[name]))
        return windows_by_server

    def _warm_up(self, warming: Wrk) -> Wrk:
        """Warm the server up, and return its load for a window that is long enough for some answers."""
        seconds = math.ceil(min(LONGEST_S, AT_LEAST / max(warming.execute().rps, 1)))
        return replace(warming, seconds=max(self.plan.seconds, seconds))

    def _measure_undisturbed(self, name: str, load: Wrk) -> Window:
        """Measure until a window is undisturbed or the attempts are used up. Return the least disturbed window."""
        attempts = [self._measure_window(name, load)]
        while not self.plan.is_best and attempts[-1].others > BEARABLE and len(attempts) <= MAX_REPEATS:
            attempts.append(self._measure_window(name, load))
        return min(attempts, key=lambda window: window.others)

    def _measure_window(self, name: str, load: Wrk) -> Window:
        process = self.servers[name].process
        before, processor_before, base = self._read_times(), read_tree_ms(process), self._database_ms(name)
        wrk_result = load.execute()
        while not wrk_result.requests:  # slower than during warm-up
            wrk_result = replace(load, seconds=LONGEST_S).execute()
        processor_spent, of_base = read_tree_ms(process) - processor_before, self._database_ms(name) - base
        return Window(
            rps=wrk_result.rps,
            p50_ms=wrk_result.p50_ms,
            p99_ms=wrk_result.p99_ms,
            cpu_ms=processor_spent / wrk_result.requests,
            database_ms=of_base / wrk_result.requests,
            memory_mib=read_memory_mib(process),
            others=before.others_share_until(self._read_times()),
        )

    def _database_ms(self, name: str) -> float:
        everything = read_tree_ms(self.databases[name])
        return everything - read_exact_processor_ms(self.not_counted[name]) if name in self.not_counted else everything

    def _read_times(self) -> ProcessorTimes:
        return ProcessorTimes.read([*set(self.databases.values()), *(server.process for server in self.servers.values())])

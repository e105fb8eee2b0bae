"""Windows: each server asked one query for a while, in turns, and again where others took too much of the machine meanwhile."""

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

BEARABLE = 0.05  # of all processors, had by others during a window
MAX_REPEATS = 3
SMALL_TURNS = 4  # for each that was asked for
PROBE_S = 3
WARM_S = 2
AT_LEAST = CONNECTIONS  # answers in a window; a slow server's are longer for it
LONGEST_S = 10


@dataclass(frozen=True)
class WindowPlan:
    """How long a window is, how many a server has for a query, and whether only the best tenth of them counts."""

    seconds: int
    passes: int
    is_best: bool

    @property
    def describe(self) -> str:
        if self.is_best:
            return (
                f"{self.passes} windows of {self.seconds} s or more in turns, of which the best tenth counts "
                "since others used the machine; the spread is that between the quartiles of the turns"
            )
        return (
            f"{self.passes} windows of {self.seconds} s or more in turns, medians; one of which others had more than {BEARABLE:.0%} of the "
            f"processors was measured again, {MAX_REPEATS} times at most; the spread is that of all turns"
        )


def plan_windows(seconds: int, turns: int, database: psutil.Process) -> WindowPlan:
    """Windows as asked for, unless others have more of the machine, where it should be idle, than a window bears."""
    start = ProcessorTimes.read([database])
    time.sleep(PROBE_S)
    others = start.others_share_until(ProcessorTimes.read([database]))
    plan = WindowPlan(seconds, turns, is_best=False) if others <= BEARABLE else WindowPlan(1, turns * SMALL_TURNS, is_best=True)
    print(f"others have {others:.1%} of the processors: {plan.describe}")
    return plan


@dataclass(frozen=True)
class WindowTrial:
    """The servers with the database of each, and the plan of a run.

    `not_counted` has processes of a database whose time is none of an answer: those of somebody who writes meanwhile.
    """

    servers: Mapping[str, Server]
    databases: Mapping[str, psutil.Process]
    plan: WindowPlan
    not_counted: Mapping[str, psutil.Process] = field(default_factory=dict)

    def measure(self, query: str, loads: Mapping[str, Wrk]) -> list[Row]:
        """Return a row for each server. `loads` has how each is asked; how long is decided here."""
        return build_rows(query, self.measure_windows(loads), is_best=self.plan.is_best, bearable=BEARABLE)

    def measure_windows(self, loads: Mapping[str, Wrk]) -> dict[str, list[Window]]:
        """Measure A B C, then C B A, and so on, and return the windows of each server, by turn."""
        windows_by_server: dict[str, list[Window]] = {name: [] for name in self.servers}
        loads_by_server = {name: self._warm_up(replace(loads[name], seconds=WARM_S)) for name in self.servers}
        for pass_number in range(self.plan.passes):
            for name in list(self.servers)[:: -1 if pass_number % 2 else 1]:
                windows_by_server[name].append(self._measure_undisturbed(name, loads_by_server[name]))
        return windows_by_server

    def _warm_up(self, warming: Wrk) -> Wrk:
        """How the server is asked for a window, now that it is warm: as long as it takes for some answers."""
        seconds = math.ceil(min(LONGEST_S, AT_LEAST / max(warming.execute().rps, 1)))
        return replace(warming, seconds=max(self.plan.seconds, seconds))

    def _measure_undisturbed(self, name: str, load: Wrk) -> Window:
        """The first that is, or else the least disturbed."""
        attempts = [self._measure_window(name, load)]
        while not self.plan.is_best and attempts[-1].others > BEARABLE and len(attempts) <= MAX_REPEATS:
            attempts.append(self._measure_window(name, load))
        return min(attempts, key=lambda window: window.others)

    def _measure_window(self, name: str, load: Wrk) -> Window:
        process = self.servers[name].process
        before, processor_before, base = self._read_times(), read_tree_ms(process), self._database_ms(name)
        wrk_result = load.execute()
        while not wrk_result.requests:  # slower than it was when it was warmed
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

"""Windows: each server asked one query for a while, in turns, and again where others took too much of the machine meanwhile."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import psutil

from benchmarks.figures import Row, Window, rows
from benchmarks.load import CONNECTIONS
from benchmarks.machine import Instant, exact_processor_ms, memory_mib, tree_ms
from benchmarks.servers import Server
from benchmarks.wrk import Wrk

BEARABLE = 0.05  # of all processors, had by others during a window
AGAIN = 3
SMALL_TURNS = 4  # for each that was asked for
PROBE_S = 3
WARM_S = 2
AT_LEAST = CONNECTIONS  # answers in a window; a slow server's are longer for it
LONGEST_S = 10


@dataclass(frozen=True)
class Plan:
    """How long a window is, how many a server has for a query, and whether only the best tenth of them counts."""

    seconds: int
    turns: int
    is_best: bool

    @property
    def said(self) -> str:
        if self.is_best:
            return (
                f"{self.turns} windows of {self.seconds} s or more in turns, of which the best tenth counts since others used the machine; "
                "the spread is that between the quartiles of the turns"
            )
        return (
            f"{self.turns} windows of {self.seconds} s or more in turns, medians; one of which others had more than {BEARABLE:.0%} of the "
            f"processors was measured again, {AGAIN} times at most; the spread is that of all turns"
        )


def planned(seconds: int, turns: int, database: psutil.Process) -> Plan:
    """Windows as asked for, unless others have more of the machine, where it should be idle, than a window bears."""
    start = Instant.now([database])
    time.sleep(PROBE_S)
    others = start.others_until(Instant.now([database]))
    plan = Plan(seconds, turns, is_best=False) if others <= BEARABLE else Plan(1, turns * SMALL_TURNS, is_best=True)
    print(f"others have {others:.1%} of the processors: {plan.said}")
    return plan


@dataclass(frozen=True)
class Trial:
    """The servers with the database of each, and the plan of a run.

    `not_counted` has processes of a database whose time is none of an answer: those of somebody who writes meanwhile.
    """

    servers: Mapping[str, Server]
    databases: Mapping[str, psutil.Process]
    plan: Plan
    not_counted: Mapping[str, psutil.Process] = field(default_factory=dict)

    def measured(self, query: str, loads: Mapping[str, Wrk]) -> list[Row]:
        """Return a row for each server. `loads` has how each is asked; how long is decided here."""
        return rows(query, self.windows(loads), is_best=self.plan.is_best, bearable=BEARABLE)

    def windows(self, loads: Mapping[str, Wrk]) -> dict[str, list[Window]]:
        """Measure A B C, then C B A, and so on, and return the windows of each server, by turn."""
        found: dict[str, list[Window]] = {name: [] for name in self.servers}
        asked = {name: self._warm(replace(loads[name], seconds=WARM_S)) for name in self.servers}
        for turn in range(self.plan.turns):
            for name in list(self.servers)[:: -1 if turn % 2 else 1]:
                found[name].append(self._undisturbed(name, asked[name]))
        return found

    def _warm(self, warming: Wrk) -> Wrk:
        """How the server is asked for a window, now that it is warm: as long as it takes for some answers."""
        seconds = math.ceil(min(LONGEST_S, AT_LEAST / max(warming.execute().rps, 1)))
        return replace(warming, seconds=max(self.plan.seconds, seconds))

    def _undisturbed(self, name: str, asked: Wrk) -> Window:
        """The first that is, or else the least disturbed."""
        tried = [self._window(name, asked)]
        while not self.plan.is_best and tried[-1].others > BEARABLE and len(tried) <= AGAIN:
            tried.append(self._window(name, asked))
        return min(tried, key=lambda window: window.others)

    def _window(self, name: str, asked: Wrk) -> Window:
        process = self.servers[name].process
        before, had, base = self._now(), tree_ms(process), self._database_ms(name)
        heard = asked.execute()
        while not heard.requests:  # slower than it was when it was warmed
            heard = replace(asked, seconds=LONGEST_S).execute()
        spent, of_base = tree_ms(process) - had, self._database_ms(name) - base
        return Window(
            rps=heard.rps,
            p50_ms=heard.p50_ms,
            p99_ms=heard.p99_ms,
            cpu_ms=spent / heard.requests,
            database_ms=of_base / heard.requests,
            memory_mib=memory_mib(process),
            others=before.others_until(self._now()),
        )

    def _database_ms(self, name: str) -> float:
        everything = tree_ms(self.databases[name])
        return everything - exact_processor_ms(self.not_counted[name]) if name in self.not_counted else everything

    def _now(self) -> Instant:
        return Instant.now([*set(self.databases.values()), *(server.process for server in self.servers.values())])

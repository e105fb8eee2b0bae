"""Windows: each server asked one query for a while, in turns, and again where others took too much of the machine meanwhile."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import psutil

from benchmarks.figures import Row, Window, rows
from benchmarks.load import CONNECTIONS
from benchmarks.machine import Instant, memory_mib, tree_ms
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
    """The servers, the database and the plan of a run."""

    servers: Mapping[str, Server]
    database: psutil.Process
    plan: Plan

    def measured(self, query: str, loads: Mapping[str, Wrk]) -> list[Row]:
        """A B C, then C B A, and so on. `loads` has how each server is asked; how long is decided here."""
        found: dict[str, list[Window]] = {name: [] for name in self.servers}
        asked = {name: self._warm(replace(loads[name], seconds=WARM_S)) for name in self.servers}
        for turn in range(self.plan.turns):
            for name in list(self.servers)[:: -1 if turn % 2 else 1]:
                found[name].append(self._undisturbed(self.servers[name], asked[name]))
        return rows(query, found, is_best=self.plan.is_best, bearable=BEARABLE)

    def _warm(self, warming: Wrk) -> Wrk:
        """How the server is asked for a window, now that it is warm: as long as it takes for some answers."""
        seconds = math.ceil(min(LONGEST_S, AT_LEAST / max(warming.run().rps, 1)))
        return replace(warming, seconds=max(self.plan.seconds, seconds))

    def _undisturbed(self, server: Server, asked: Wrk) -> Window:
        """The first that is, or else the least disturbed."""
        tried = [self._window(server.process, asked)]
        while not self.plan.is_best and tried[-1].others > BEARABLE and len(tried) <= AGAIN:
            tried.append(self._window(server.process, asked))
        return min(tried, key=lambda window: window.others)

    def _window(self, process: psutil.Process, asked: Wrk) -> Window:
        before, had, base = self._now(), tree_ms(process), tree_ms(self.database)
        heard = asked.run()
        while not heard.requests:  # slower than it was when it was warmed
            heard = replace(asked, seconds=LONGEST_S).run()
        spent, of_base = tree_ms(process) - had, tree_ms(self.database) - base
        return Window(
            rps=heard.rps,
            p50_ms=heard.p50_ms,
            p99_ms=heard.p99_ms,
            cpu_ms=spent / heard.requests,
            database_ms=of_base / heard.requests,
            memory_mib=memory_mib(process),
            others=before.others_until(self._now()),
        )

    def _now(self) -> Instant:
        return Instant.now([self.database, *(server.process for server in self.servers.values())])

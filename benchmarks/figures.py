"""Compute medians, the best tenth, ratios and their spread from measured windows, without measuring anything."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """One server under load with one query for some seconds.

    `cpu_ms` and `database_ms` are processor time per answer of the server and of PostgreSQL. `others` is the share of the processors
    that other programs used.
    """

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    database_ms: float
    memory_mib: float
    others: float = 0.0


@dataclass(frozen=True)
class Row:
    """The figures of a server for a query. `ratio` is the speed of the first server as a multiple of this server's speed."""

    server: str
    query: str
    rps: float
    p50: float
    p99: float
    cpu: float
    cpu_database: float
    memory: float
    ratio: float
    ratio_least: float
    ratio_most: float
    disturbed: int
    windows: int

    @property
    def cpu_of_both(self) -> float:
        """Processor time of the server and of PostgreSQL per answer, in milliseconds."""
        return self.cpu + self.cpu_database


def best_tenth(windows: Sequence[Window]) -> list[Window]:
    """Return the fastest tenth of the windows, at least one. On a machine with other load, these are the least disturbed."""
    return sorted(windows, key=lambda window: window.rps, reverse=True)[: max(1, round(len(windows) / 10))]


def build_rows(query: str, measured: Mapping[str, Sequence[Window]], *, is_best: bool, bearable: float) -> list[Row]:
    """Return a row per server, with medians of all windows or of the best tenth. Ratios compare the windows of the same pass."""
    first = next(iter(measured.values()))
    chosen_windows = {server: best_tenth(windows) if is_best else windows for server, windows in measured.items()}
    speed = {server: statistics.median(window.rps for window in windows) for server, windows in chosen_windows.items()}
    result = []
    for server, windows in measured.items():
        ratios = [ours.rps / theirs.rps for ours, theirs in zip(first, windows, strict=True)]
        ratio = speed[next(iter(measured))] / speed[server] if is_best else statistics.median(ratios)
        least, most = quartiles(ratios) if is_best else (min(ratios), max(ratios))
        server_windows = chosen_windows[server]
        result.append(
            Row(
                server,
                query,
                rps=speed[server],
                p50=statistics.median(window.p50_ms for window in server_windows),
                p99=statistics.median(window.p99_ms for window in server_windows),
                cpu=statistics.median(window.cpu_ms for window in server_windows),
                cpu_database=statistics.median(window.database_ms for window in server_windows),
                memory=max(window.memory_mib for window in windows),
                ratio=ratio,
                ratio_least=least,
                ratio_most=most,
                disturbed=sum(window.others > bearable for window in windows),
                windows=len(windows),
            )
        )
    return result


def quartiles(ratios: Sequence[float]) -> tuple[float, float]:
    """Return the lower and the upper quartile."""
    if len(ratios) == 1:
        return ratios[0], ratios[0]
    lower, _, upper = statistics.quantiles(ratios, n=4, method="inclusive")
    return lower, upper

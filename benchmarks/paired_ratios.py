"""Compare two servers that were measured in alternating order: medians of each, and medians of the ratios within a pass."""

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks.figures import Window, quartiles

FIGURES: dict[str, Callable[[Window], float]] = {
    "answers/s": lambda window: window.rps,
    "CPU ms, worker": lambda window: window.cpu_ms,
    "CPU ms, PostgreSQL": lambda window: window.database_ms,
    "CPU ms, both": lambda window: window.cpu_ms + window.database_ms,
    "p50 ms": lambda window: window.p50_ms,
    "p99 ms": lambda window: window.p99_ms,
    "p99 / p50": lambda window: window.p99_ms / window.p50_ms,
}


def ratios_by_pass(first: Sequence[Window], second: Sequence[Window], figure: Callable[[Window], float]) -> list[float]:
    """Return the figure of the first server as a multiple of the second's, for each pass."""
    return [figure(one) / figure(other) for one, other in zip(first, second, strict=True)]


def format_table(windows: Mapping[str, Sequence[Window]]) -> str:
    """Return a table with a line for each server. With two servers, a last line has their ratios with quartiles."""
    lines = [f"| | {' | '.join(FIGURES)} |", "|---" * (len(FIGURES) + 1) + "|"]
    for name, server_windows in windows.items():
        cells = [_format_figure(statistics.median(map(figure, server_windows))) for figure in FIGURES.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if len(windows) > 1:
        first, second = windows
        cells = [_format_ratio(ratios_by_pass(windows[first], windows[second], figure)) for figure in FIGURES.values()]
        lines.append(f"| {first} / {second} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _format_figure(figure: float) -> str:
    return f"{figure:.3f}" if figure < 100 else f"{figure:.1f}"  # noqa: PLR2004 more digits for milliseconds than for answers per second


def _format_ratio(ratio_list: Sequence[float]) -> str:
    lower, upper = quartiles(ratio_list)
    return f"{statistics.median(ratio_list):.3f} ({lower:.3f} to {upper:.3f})"

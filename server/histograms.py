"""Histograms for Prometheus that the event loop alone observes.

The library's take two locks and walk the bounds in Python for each number. Each request has four numbers: 7 µs of its 150 without its
statement.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString


class Series:
    """The numbers of one combination of labels, counted by the bounds that they are within."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.created = time.time()
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, number: float) -> None:
        self.counts[bisect_left(self._bounds, number)] += 1
        self.sum += number


class Histogram(Collector):
    """All series of one name. The thread that serves the metrics may see a number counted that is not in the sum yet."""

    def __init__(self, name: str, what: str, bounds: Sequence[float], registry: CollectorRegistry, labels: Sequence[str] = ()) -> None:
        self._name = name
        self._what = what
        self._bounds = bounds
        self._labels = labels
        self._series: dict[tuple[str, ...], Series] = {} if labels else {(): Series(bounds)}
        registry.register(self)

    def series(self, *labels: str) -> Series:
        """Return the series with these labels."""
        return self._series.setdefault(labels, Series(self._bounds))

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._what, labels=self._labels)
        names = [floatToGoString(bound) for bound in (*self._bounds, float("inf"))]  # type: ignore[no-untyped-call]
        for labels, series in tuple(self._series.items()):
            family.add_metric(labels, [*zip(names, accumulate(series.counts), strict=True)], series.sum)
            family.add_sample(f"{self._name}_created", dict(zip(self._labels, labels, strict=True)), series.created)
        yield family

"""Histograms show what the library's own would show."""

import re

import prometheus_client
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from server.histograms import Histogram
from server.metrics import SECONDS, STATEMENTS

CREATED = re.compile(r"^(.*_created.*) \S+$", re.MULTILINE)
NUMBERS = st.floats(0, 100) | st.integers(0, 100) | st.sampled_from([*SECONDS, *STATEMENTS])


def shown(registry: CollectorRegistry) -> list[str]:
    """Return the metrics in both formats, without the moments at which they were created."""
    return [CREATED.sub(r"\1", written(registry).decode()) for written in (generate_latest, generate_openmetrics)]


@given(st.lists(st.tuples(st.sampled_from(["a", "b c", 'd"\\\n']), NUMBERS)))
@example([("a", 0.001), ("a", 0.0011), ("a", 10), ("a", 10.1)])
def test_histogram_shows_what_the_library_shows(observed: list[tuple[str, float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    labelled = Histogram("x_seconds", "What.", SECONDS, ours, ["operation"])
    plain = Histogram("y", "How many.", STATEMENTS, ours).series()
    their_labelled = prometheus_client.Histogram("x_seconds", "What.", ["operation"], buckets=SECONDS, registry=theirs)
    their_plain = prometheus_client.Histogram("y", "How many.", buckets=STATEMENTS, registry=theirs)
    for label, number in observed:
        labelled.series(label).observe(number)
        plain.observe(number)
        their_labelled.labels(label).observe(number)
        their_plain.observe(number)
    assert shown(ours) == shown(theirs)

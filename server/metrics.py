"""Metrics for Prometheus: how many, how long, how full. Labels come from the schema and from codes, never from a caller."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from graphql import GraphQLSchema
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, start_http_server

from server.doctor import UnfitError
from server.lag import Lag
from server.refusals import ErrorCode
from server.reports import Report

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STATEMENTS = (0, 1, 2, 4, 6, 8, 12, 16, 32, 64)
NONE = "none"
INTROSPECTION = ("__schema", "__type", "__typename")
LIMITS = {
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.QUERY_TOO_COMPLEX,
    ErrorCode.RATE_LIMITED,
    ErrorCode.TIMEOUT,
    ErrorCode.UNAVAILABLE,
}


@dataclass(frozen=True)
class Watched:
    """A number that is asked for when the metrics are, by a thread of their own."""

    name: str
    what: str
    number: Callable[[], float]


class Metrics:
    """Everything that is counted, in a registry of its own."""

    def __init__(self, schema: GraphQLSchema, watched: Sequence[Watched] = ()) -> None:
        self.registry = registry = CollectorRegistry()
        self._operations = frozenset(operations(schema))
        self._children: dict[tuple[str, int, str], tuple[Counter, Histogram]] = {}  # no more than there are combinations of labels
        self._requests = Counter("relaties_requests", "Requests.", ["operation", "status", "code"], registry=registry)
        self._seconds = Histogram("relaties_request_seconds", "Time to answer.", ["operation"], buckets=SECONDS, registry=registry)
        self._statements = Histogram("relaties_sql_statements", "SQL statements of a request.", buckets=STATEMENTS, registry=registry)
        self._sql_seconds = Histogram("relaties_sql_seconds", "Time in SQL of a request.", buckets=SECONDS, registry=registry)
        self._waited = Histogram("relaties_queue_seconds", "Time in the queue.", buckets=SECONDS, registry=registry)
        self._refused = Counter("relaties_refused", "Requests refused by a limit.", ["code"], registry=registry)
        lag = Histogram("relaties_loop_lag_seconds", "How late the event loop woke.", buckets=SECONDS, registry=registry)
        self.lag = Lag(lag.observe)
        longest = Watched("loop_lag_longest_seconds", "How late the event loop woke at worst in the last minute.", self.lag.longest)
        for each in (*watched, longest):
            Gauge(f"relaties_{each.name}", each.what, registry=registry).set_function(each.number)
        ProcessCollector(registry=registry)
        Info("relaties_build", "What runs.", registry=registry).info({"version": version("relaties")})

    def count(self, report: Report) -> None:
        operation = f"{report.kind} {report.root_field}"
        operation = operation if operation in self._operations else NONE
        requests, seconds = self._children_of(operation, report.status, report.codes[0] if report.codes else NONE)
        requests.inc()
        seconds.observe(report.seconds)
        self._statements.observe(report.tally.statements)
        self._sql_seconds.observe(report.tally.seconds)
        self._waited.observe(report.waited)
        if report.codes:
            for code in LIMITS.intersection(report.codes):
                self._refused.labels(code).inc()

    def _children_of(self, operation: str, status: int, code: str) -> tuple[Counter, Histogram]:
        """Return what counts requests with these labels, which takes the library longer to find than to count."""
        key = (operation, status, code)
        if key not in self._children:
            self._children[key] = self._requests.labels(operation, str(status), code), self._seconds.labels(operation)
        return self._children[key]


def operations(schema: GraphQLSchema) -> Iterator[str]:
    """Every label that an operation can have: its kind, and a field at the root."""
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type), ("subscription", schema.subscription_type)):
        if root:
            yield from (f"{kind} {field}" for field in (*root.fields, *INTROSPECTION))


@contextmanager
def exposed(metrics: Metrics, host: str, port: int) -> Iterator[None]:
    """Served on an address of their own, by a thread of their own: they answer while the event loop does not."""
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as taken:
        advice = "Give RELATIES_METRICS_PORT another port, or RELATIES_METRICS_HOST an address of this machine."
        raise UnfitError(f"Cannot serve metrics on {host}:{port}: {taken.strerror}. {advice}") from taken
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

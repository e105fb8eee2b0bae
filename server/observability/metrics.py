"""Metrics for Prometheus. Labels come from the schema, statuses and error codes, never from a client."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from graphql import GraphQLSchema
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, start_http_server

from server.errors import ErrorCode
from server.observability.access_log import AccessRecord
from server.observability.event_loop_lag import EventLoopLag
from server.startup_errors import StartupError

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STATEMENT_BUCKETS = (0, 1, 2, 4, 6, 8, 12, 16, 32, 64)
NONE = "none"
INTROSPECTION = ("__schema", "__type", "__typename")
LIMIT_CODES = {
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.QUERY_TOO_COMPLEX,
    ErrorCode.RATE_LIMITED,
    ErrorCode.TIMEOUT,
    ErrorCode.UNAVAILABLE,
}


@dataclass(frozen=True)
class GaugeSource:
    """Gauge that another thread reads when the metrics are scraped."""

    name: str
    description: str
    read_value: Callable[[], float]


class Metrics:
    """All metrics of the server, in their own registry."""

    def __init__(self, schema: GraphQLSchema, gauge_sources: Sequence[GaugeSource] = ()) -> None:
        self.registry = registry = CollectorRegistry()
        self._operations = frozenset(operation_labels(schema))
        self._children: dict[tuple[str, int, str], tuple[Counter, Histogram]] = {}  # bounded by the combinations of labels
        seconds = partial(Histogram, buckets=SECONDS_BUCKETS, registry=registry)
        self._requests = Counter("relaties_requests", "Requests.", ["operation", "status", "code"], registry=registry)
        self._seconds = seconds("relaties_request_seconds", "Seconds from a request to its response.", ["operation"])
        self._statements = Histogram("relaties_sql_statements", "SQL statements per request.", buckets=STATEMENT_BUCKETS, registry=registry)
        self._sql_seconds = seconds("relaties_sql_seconds", "Seconds in SQL per request.")
        self._queue_seconds = seconds("relaties_queue_seconds", "Seconds in the concurrency queue per request.")
        self._rejections = Counter("relaties_requests_rejected", "Requests rejected by a limit.", ["code"], registry=registry)
        self.lag = EventLoopLag(seconds("relaties_event_loop_lag_seconds", "Delay of the event loop in seconds.").observe)
        max_lag = GaugeSource("event_loop_lag_max_seconds", "Longest delay of the event loop in the last minute.", self.lag.max_seconds)
        for each in (*gauge_sources, max_lag):
            Gauge(f"relaties_{each.name}", each.description, registry=registry).set_function(each.read_value)
        ProcessCollector(registry=registry)
        Info("relaties_build", "Version of the server.", registry=registry).info({"version": version("relaties")})

    def count(self, record: AccessRecord) -> None:
        operation = f"{record.operation_type} {record.root_field}"
        operation = operation if operation in self._operations else NONE
        requests, seconds = self._children_of(operation, record.status, record.error_codes[0] if record.error_codes else NONE)
        requests.inc()
        seconds.observe(record.seconds)
        self._statements.observe(record.query_stats.statements)
        self._sql_seconds.observe(record.query_stats.seconds)
        self._queue_seconds.observe(record.queue_seconds)
        if record.error_codes:
            for code in LIMIT_CODES.intersection(record.error_codes):
                self._rejections.labels(code).inc()

    def _children_of(self, operation: str, status: int, code: str) -> tuple[Counter, Histogram]:
        """Return the counter and histogram with these labels. Cached, since looking them up takes longer than counting."""
        key = (operation, status, code)
        if key not in self._children:
            self._children[key] = self._requests.labels(operation, str(status), code), self._seconds.labels(operation)
        return self._children[key]


def operation_labels(schema: GraphQLSchema) -> Iterator[str]:
    """Yield every operation label: an operation type and a root field."""
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type), ("subscription", schema.subscription_type)):
        if root:
            yield from (f"{kind} {field}" for field in (*root.fields, *INTROSPECTION))


@contextmanager
def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> Iterator[None]:
    """Serve the metrics in a thread at their own address, so that they are available while the event loop is blocked."""
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        advice = "Set RELATIES_METRICS_PORT to another port, or RELATIES_METRICS_HOST to an address of this machine."
        raise StartupError(f"Cannot serve metrics on {host}:{port}: {error.strerror}. {advice}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

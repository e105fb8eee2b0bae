"""Each request is recorded once in the access log and once in the metrics."""

import logging
from http import HTTPStatus
from uuid import UUID

import pytest
import strawberry
from prometheus_client import generate_latest

from db.engine.query_stats import QueryStats
from server.errors import ErrorCode
from server.observability.access_log import AccessLog, AccessRecord, log_fields, parse_trace_id
from server.observability.metrics import GaugeSource, Metrics

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ORGANIZATION, TOKEN = UUID(int=1), UUID(int=2)


@pytest.fixture
def metrics(schema: strawberry.Schema) -> Metrics:
    return Metrics(schema._schema, [GaugeSource("read_connections_in_use", "Readers.", lambda: 3)])  # noqa: SLF001


def metric_values(metrics: Metrics) -> dict[str, float]:
    """Return each value by its name and labels."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    return {name: float(number) for name, _, number in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


@pytest.mark.parametrize("header", [f"00-{TRACE}-00f067aa0ba902b7-01", f"cc-{TRACE}-00f067aa0ba902b7-00"])
def test_request_continues_the_given_trace(header: str) -> None:
    """The format is that of the W3C's Trace Context."""
    assert parse_trace_id(header) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None, "", TRACE, f"ff-{TRACE}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01", f"00-{TRACE}-00f067aa0ba902b7-01\n", f"00-{TRACE}-00f067aa0ba902b7-01-x",
        f"00-{TRACE}-00f067aa0ba902b7-01\r\nset-cookie: a=b", "x" * 100_000,
    ],
    ids=lambda header: str(header)[:20],
)  # fmt: skip
def test_invalid_trace_header_starts_a_new_trace(header: str | None) -> None:
    """No part of the header is used."""
    first, second = parse_trace_id(header), parse_trace_id(header)
    assert len(bytes.fromhex(first)) == 16
    assert TRACE not in {first, second}
    assert first != second


def test_request_is_one_log_line(metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    """Its level is WARNING if the server is at fault."""
    caplog.set_level(logging.INFO, "relaties")
    reports = AccessLog(metrics.count)
    for report in (AccessRecord(TRACE, status=200), AccessRecord(TRACE, status=503), AccessRecord(TRACE, status=200, incident_ids=("ab",))):
        reports.log(report)
    assert [(log_record.message, log_record.levelname) for log_record in caplog.records] == [
        ("operation", "INFO"), ("operation", "WARNING"), ("operation", "WARNING"),
    ]  # fmt: skip
    assert vars(caplog.records[2])["fields"]["incident_ids"] == ("ab",)


def test_codes_are_logged_without_the_names_of_enums() -> None:
    """In the text format, a value is written as `repr` shows it."""
    fields = log_fields(AccessRecord(TRACE, status=HTTPStatus.NOT_FOUND, error_codes=(ErrorCode.NOT_FOUND,)))
    assert (repr(fields["status"]), repr(fields["error_codes"])) == ("404", "('NOT_FOUND',)")


def test_a_request_is_counted(metrics: Metrics) -> None:
    """It is counted by operation, status and code, with its duration, statements and waiting time, and once more if a limit rejected it."""
    report = AccessRecord(
        TRACE,
        ORGANIZATION,
        TOKEN,
        "query",
        "clients",
        "Overview",
        "ab" * 32,
        200,
        seconds=0.02,
        queue_seconds=0.3,
        query_stats=QueryStats(statements=4),
    )
    metrics.count(report)
    metrics.count(AccessRecord(TRACE, operation_type="mutation", root_field="clientCreate", status=429, error_codes=("RATE_LIMITED",)))
    values = metric_values(metrics)
    assert values['relaties_requests_total{code="none",operation="query clients",status="200"}'] == 1
    assert values['relaties_requests_total{code="RATE_LIMITED",operation="mutation clientCreate",status="429"}'] == 1
    assert values['relaties_requests_rejected_total{code="RATE_LIMITED"}'] == 1
    assert values['relaties_request_seconds_bucket{le="0.025",operation="query clients"}'] == 1
    assert values['relaties_request_seconds_bucket{le="0.01",operation="query clients"}'] == 0
    assert (values["relaties_sql_statements_sum"], values["relaties_queue_seconds_sum"]) == (4, 0.3)
    assert values["relaties_read_connections_in_use"] == 3


def test_metric_labels_come_from_the_schema_alone(metrics: Metrics) -> None:
    """Unknown fields, operation names and documents create no new series."""
    metrics.count(AccessRecord(TRACE, operation_type="mutation", root_field="clients"))
    before = metric_values(metrics)
    for index in range(1000):
        metrics.count(
            AccessRecord(
                TRACE, operation_type="query", root_field=f"invented{index}", operation_name=f"Name{index}", document_hash=f"{index:064}"
            )
        )
    values = metric_values(metrics)
    assert values['relaties_requests_total{code="none",operation="none",status="0"}'] == 1001
    assert set(values) == set(before)


def test_metrics_contain_no_identities(metrics: Metrics) -> None:
    """Organizations, tokens, traces and operation names do not occur in them."""
    metrics.count(AccessRecord(TRACE, ORGANIZATION, TOKEN, "query", "clients", "Overview", "ab" * 32, 200))
    metrics_text = generate_latest(metrics.registry).decode()
    assert not [secret for secret in (TRACE, str(ORGANIZATION), str(TOKEN), "Overview", "abab") if secret in metrics_text]

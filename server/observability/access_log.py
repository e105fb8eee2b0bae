"""Log each request in one line and count it in the metrics. Never log its content."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Self
from uuid import UUID

from db.engine.query_stats import QueryStats
from server.observability.logging import write_event

SERVER_ERROR = 500
TRACE_BYTES = 16
MAX_NAME = 100  # characters of an operation's name
# https://www.w3.org/TR/trace-context/: version, trace, parent, flags. No version is ff, no trace and no parent is all zeros.
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass
class AccessRecord:
    """One request to the endpoint, filled in as it is processed: a refused one has little but its code.

    `operation_type` and `root_field`, the first field at the root, are labels of the metrics only where the schema has them.
    """

    trace_id: str
    organization_id: UUID | None = None
    token_id: UUID | None = None  # the token
    operation_type: str | None = None
    root_field: str | None = None
    operation_name: str | None = None
    document_hash: str | None = None  # its hash
    status: int = 0
    error_codes: tuple[str, ...] = ()
    incident_ids: tuple[str, ...] = ()
    seconds: float = 0
    queue_seconds: float = 0
    cost_requested: int | None = None
    cost_actual: int | None = None
    query_stats: QueryStats = field(default_factory=QueryStats)

    def with_errors(self, errors: Iterable[Mapping[str, Any]]) -> Self:
        """Add the codes of the errors, each once, and the incident ids that the log explains."""
        if not errors:
            return self
        extensions = [error.get("extensions", {}) for error in errors]
        self.error_codes = tuple(dict.fromkeys(str(each["code"]) for each in extensions if "code" in each))
        self.incident_ids = tuple(each["incident"] for each in extensions if "incident" in each)
        return self


class AccessLog:
    """Log each request once."""

    def __init__(self, count: Callable[[AccessRecord], None]) -> None:
        self._count = count

    def log(self, record: AccessRecord) -> None:
        self._count(record)
        is_server_error = record.status >= SERVER_ERROR or record.incident_ids
        write_event(logging.WARNING if is_server_error else logging.INFO, "operation", log_fields(record))


def log_fields(record: AccessRecord) -> dict[str, object]:
    """Return the fields of the request's line in the log: those that are known."""
    fields: dict[str, object] = {
        "trace_id": record.trace_id,
        "organization_id": record.organization_id,
        "token_id": record.token_id,
        "operation_type": record.operation_type,
        "root_field": record.root_field,
        "operation_name": record.operation_name and record.operation_name[:MAX_NAME],
        "document_hash": record.document_hash,
        "status": record.status,
        "error_codes": record.error_codes or None,
        "incident_ids": record.incident_ids or None,
        "duration_seconds": round(record.seconds, 6),
        "queue_seconds": round(record.queue_seconds, 6),
        "cost_requested": record.cost_requested,
        "cost_actual": record.cost_actual,
        "sql_statements": record.query_stats.statements,
        "sql_seconds": round(record.query_stats.seconds, 6),
    }
    return {name: value for name, value in fields.items() if value is not None}


def parse_trace_id(header: str | None) -> str:
    """Return the trace id of a `traceparent` header; without a valid one, a new trace id."""
    match = TRACEPARENT.fullmatch(header) if header else None
    return match[1] if match else token_hex(TRACE_BYTES)

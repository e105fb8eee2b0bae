"""Log each request in one line, and count it in the metrics. Never log the content of a request."""

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
MAX_NAME = 100  # characters of the operation's name
# https://www.w3.org/TR/trace-context/: version, trace, parent, flags. The version ff is invalid, as are zero traces and parents.
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass
class AccessRecord:
    """Log record of one request, filled in while it is processed. A rejected request has few fields besides its error code.

    `root_field` is the first root field. `operation_type` and `root_field` become labels of metrics only if the schema has them.
    """

    trace_id: str
    organization_id: UUID | None = None
    token_id: UUID | None = None
    operation_type: str | None = None
    root_field: str | None = None
    operation_name: str | None = None
    document_hash: str | None = None
    status: int = 0
    error_codes: tuple[str, ...] = ()
    incident_ids: tuple[str, ...] = ()
    seconds: float = 0
    queue_seconds: float = 0
    cost_requested: int | None = None
    cost_actual: int | None = None
    query_stats: QueryStats = field(default_factory=QueryStats)

    def with_errors(self, errors: Iterable[Mapping[str, Any]]) -> Self:
        """Add the distinct codes of the errors, and the incident ids whose tracebacks are in the log."""
        if not errors:
            return self
        extensions = [error.get("extensions", {}) for error in errors]
        self.error_codes = tuple(dict.fromkeys(str(each["code"]) for each in extensions if "code" in each))
        self.incident_ids = tuple(each["incident"] for each in extensions if "incident" in each)
        return self


class AccessLog:
    """Log and count each request once."""

    def __init__(self, count: Callable[[AccessRecord], None]) -> None:
        self._count = count

    def log(self, record: AccessRecord) -> None:
        self._count(record)
        is_server_error = record.status >= SERVER_ERROR or record.incident_ids
        write_event(logging.WARNING if is_server_error else logging.INFO, "operation", log_fields(record))


def log_fields(record: AccessRecord) -> dict[str, object]:
    """Return the known fields of the request for its line in the log."""
    fields: dict[str, object] = {
        "trace_id": record.trace_id,
        "organization_id": record.organization_id,
        "token_id": record.token_id,
        "operation_type": record.operation_type,
        "root_field": record.root_field,
        "operation_name": record.operation_name and record.operation_name[:MAX_NAME],
        "document_hash": record.document_hash,
        "status": int(record.status),  # an enum would be written with its name
        "error_codes": tuple(map(str, record.error_codes)) or None,
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
    """Return the trace id of a `traceparent` header, or a new trace id if the header is missing or invalid."""
    match = TRACEPARENT.fullmatch(header) if header else None
    return match[1] if match else token_hex(TRACE_BYTES)

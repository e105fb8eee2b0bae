"""What is told of a request once it is answered: one line in the log, and the numbers of the metrics. Never what was in it."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Self
from uuid import UUID

from db.tally import QueryStats
from server.logs import write_event

SERVER_ERROR = 500
TRACE_BYTES = 16
MAX_NAME = 100  # characters of an operation's name
# https://www.w3.org/TR/trace-context/: version, trace, parent, flags. No version is ff, no trace and no parent is all zeros.
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass
class Report:
    """One request to the endpoint, filled in as it becomes known: a refused one says little but why.

    `kind` and `root_field`, the operation's and the first at its root, are labels of the metrics only where the schema has them.
    """

    trace: str
    organization: UUID | None = None
    subject: UUID | None = None  # the token
    kind: str | None = None
    root_field: str | None = None
    name: str | None = None
    document: str | None = None  # its hash
    status: int = 0
    codes: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    seconds: float = 0
    waited: float = 0
    cost_requested: int | None = None
    cost_actual: int | None = None
    tally: QueryStats = field(default_factory=QueryStats)

    def with_errors(self, errors: Iterable[Mapping[str, Any]]) -> Self:
        """The codes of an answer's errors, each once, and the incidents that the log explains."""
        if not errors:
            return self
        extensions = [error.get("extensions", {}) for error in errors]
        self.codes = tuple(dict.fromkeys(str(each["code"]) for each in extensions if "code" in each))
        self.incidents = tuple(each["incident"] for each in extensions if "incident" in each)
        return self


class Reports:
    """Tells each request once."""

    def __init__(self, count: Callable[[Report], None]) -> None:
        self._count = count

    def tell(self, report: Report) -> None:
        self._count(report)
        is_ours = report.status >= SERVER_ERROR or report.incidents
        write_event(logging.WARNING if is_ours else logging.INFO, "operation", line(report))


def line(report: Report) -> dict[str, object]:
    """Return the fields of the request's line in the log: those that are known."""
    fields: dict[str, object] = {
        "trace": report.trace,
        "organization": report.organization,
        "subject": report.subject,
        "kind": report.kind,
        "root_field": report.root_field,
        "name": report.name and report.name[:MAX_NAME],
        "document": report.document,
        "status": report.status,
        "codes": report.codes or None,
        "incidents": report.incidents or None,
        "seconds": round(report.seconds, 6),
        "waited": round(report.waited, 6),
        "cost_requested": report.cost_requested,
        "cost_actual": report.cost_actual,
        "statements": report.tally.statements,
        "sql_seconds": round(report.tally.seconds, 6),
    }
    return {name: value for name, value in fields.items() if value is not None}


def trace_of(header: str | None) -> str:
    """The trace that a request belongs to, by its `traceparent`; without a valid one a trace of its own."""
    found = TRACEPARENT.fullmatch(header) if header else None
    return found[1] if found else token_hex(TRACE_BYTES)

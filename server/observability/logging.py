"""Log each event as one line on standard error, as JSON or as text. No line contains a value that a client sent."""

import asyncio
import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO
from uuid import UUID

import asyncpg
import orjson
from structlog.dev import ConsoleRenderer
from structlog.processors import ExceptionRenderer, JSONRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, ExcInfo, Processor

from server.observability.escaping import escape, escape_json, escape_lines
from server.settings import LogFormat

log = logging.getLogger("relaties")
MAX_FRAMES = 60  # innermost frames of one traceback: a stack overflow would fill a page otherwise
# Messages of these errors are about code, addresses and files. Those of other errors quote values, such as a key or a number.
SAFE_MESSAGE_ERRORS = (TypeError, AttributeError, NameError, ImportError, RuntimeError, OSError)
# Fields of the text format without quotes, and fields of several lines.
UNQUOTED_FIELDS, MULTILINE_FIELDS = ("event", "level", "logger", "time"), ("exception", "stack")
LEVELS = {level: name.lower() for name, level in logging.getLevelNamesMapping().items()}
DATA_EXCEPTION = "22"  # class of SQLSTATE codes whose messages quote a value


def configure_logging(form: LogFormat) -> None:
    """Configure logging for this process, libraries included."""
    handler = JsonHandler(sys.stderr) if form is LogFormat.JSON else logging.StreamHandler(sys.stderr)
    handler.setFormatter(build_formatter(form))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.INFO)
    # Skip the work for the source position, thread and process of a record, which no line shows.
    logging._srcfile = None  # noqa: SLF001 as Python's documentation recommends
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.captureWarnings(capture=True)


class JsonHandler(logging.StreamHandler[TextIO]):
    """Handler for JSON. Records go through the formatter; events of plain fields are written directly."""

    def write_event(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        line = _to_json({"event": event, "level": LEVELS[level], "logger": log.name, "time": datetime.now(UTC), **fields})
        try:
            self.stream.write(line + self.terminator)  # the line break flushes: standard error is line-buffered
        except (OSError, ValueError):
            return  # like Python's logging, never fail a request because its line cannot be written


def write_event(level: int, event: str, fields: Mapping[str, object]) -> None:
    """Log an event with its fields.

    JSON is written directly if the root logger has no other handler. With Python's record, formatter and locks, the line of each request
    took 20 of the 180 µs of a small query without its SQL statement.
    """
    match logging.root.handlers:
        case [JsonHandler() as handler]:
            handler.write_event(level, event, fields)
        case _:
            log.log(
                level, event, extra={"fields": {name: str(value) if isinstance(value, UUID) else value for name, value in fields.items()}}
            )


def build_formatter(form: LogFormat) -> ProcessorFormatter:
    as_json: list[Processor] = [JSONRenderer(_to_json)]
    as_text: list[Processor] = [_escape_event, ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="time", repr_native_str=True)]
    return ProcessorFormatter(
        processors=[
            add_log_level,
            add_logger_name,
            TimeStamper(fmt="iso", utc=True, key="time"),
            _add_fields,
            ExceptionRenderer(_render_trace),
            ProcessorFormatter.remove_processors_meta,
            *(as_json if form is LogFormat.JSON else as_text),
        ]
    )


def log_unhandled(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an unhandled error. The default handler of the event loop would show local values."""
    log.error(context["message"], exc_info=context.get("exception"))


def format_trace(error: BaseException) -> str:
    """Format a traceback, causes first, without local variables and without messages that may quote values."""
    return "\n".join(_trace_lines(error, {id(error)}))


def _trace_lines(error: BaseException, seen_ids: set[int]) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for each in (cause, *(error.exceptions if isinstance(error, BaseExceptionGroup) else ())):
        if each is not None and id(each) not in seen_ids:
            seen_ids.add(id(each))
            yield from _trace_lines(each, seen_ids)
    yield f"{''.join(traceback.format_tb(error.__traceback__, -MAX_FRAMES))}{type(error).__qualname__}{_safe_message(error)}"


def _safe_message(error: BaseException) -> str:
    """Return the error's message with line breaks escaped, or nothing if it may quote a value.

    Of PostgreSQL's errors, omit DETAIL, which shows the row.
    """
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return f": {state}" if state.startswith(DATA_EXCEPTION) else f": {state} {escape(str(error.args[0]))}"
    return f": {escape(str(error))}" if isinstance(error, SAFE_MESSAGE_ERRORS) else ""


def _render_trace(exc_info: ExcInfo) -> str:
    return format_trace(exc_info[1])


def _add_fields(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the fields of a line, passed as `extra={"fields": …}`."""
    return {**event, **getattr(event["_record"], "fields", {})}


class _PlainText(str):
    """A string whose `repr` is the text itself, so that the renderer adds no quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _escape_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape keys, values, event and traceback, so that a terminal acts only on the colours of the renderer."""
    return {escape(str(key)): _escape_value(key, value) for key, value in event.items()}


def _escape_value(key: str, value: object) -> object:
    if key in UNQUOTED_FIELDS:
        return escape(str(value))
    return escape_lines(str(value)) if key in MULTILINE_FIELDS else _PlainText(escape(repr(value)))


def _to_json(event: EventDict, **_: object) -> str:
    try:
        return escape_json(orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z).decode())
    except TypeError:  # a lone surrogate, which UTF-8 cannot encode
        return json.dumps(event, default=str)

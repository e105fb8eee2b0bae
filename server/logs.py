"""Logs: one line an event on the standard error, JSON for programs or text for a person. No line holds a value that a caller sent."""

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

from server.escapes import escape, escape_json, escape_lines
from server.settings import LogForm

log = logging.getLogger("relaties")
FRAMES = 60  # innermost, of one failure: running out of stack would fill a page otherwise
# Their messages are about code, addresses and files. Those of others quote what they could not take: a key, a number, a variable.
SPEAKING = (TypeError, AttributeError, NameError, ImportError, RuntimeError, OSError)
TEXTS, SEVERAL_LINES = ("event", "level", "logger", "time"), ("exception", "stack")  # fields that are shown without quotes
LEVELS = {level: name.lower() for name, level in logging.getLevelNamesMapping().items()}
DATA_EXCEPTION = "22"  # the class of PostgreSQL's errors that quote the value


def begin(form: LogForm) -> None:
    """From here on whatever this process logs, libraries too, goes this way."""
    handler = JsonHandler(sys.stderr) if form is LogForm.JSON else logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.INFO)
    # No line shows where in the code it was written, or which of the threads and processes wrote it.
    logging._srcfile = None  # noqa: SLF001 the way that Python's documentation gives
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.captureWarnings(capture=True)


class JsonHandler(logging.StreamHandler[TextIO]):
    """Write JSON: records by the formatter, and events that consist of fields without either."""

    def write_event(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        line = _json({"event": event, "level": LEVELS[level], "logger": log.name, "time": datetime.now(UTC), **fields})
        try:
            self.stream.write(line + self.terminator)  # this flushes: the standard error is buffered by lines
        except (OSError, ValueError):
            return  # as in Python's logging, no request fails because its line cannot be written


def write_event(level: int, event: str, fields: Mapping[str, object]) -> None:
    """Log an event with its fields.

    Each request does so. The record, the formatter and the locks of Python's logging took 20 of the 180 µs of a small query without its
    statement, so JSON is written directly where nothing else handles records.
    """
    match logging.root.handlers:
        case [JsonHandler() as handler]:
            handler.write_event(level, event, fields)
        case _:
            log.log(
                level, event, extra={"told": {name: str(value) if isinstance(value, UUID) else value for name, value in fields.items()}}
            )


def formatter(form: LogForm) -> ProcessorFormatter:
    as_json: list[Processor] = [JSONRenderer(_json)]
    as_text: list[Processor] = [_escaped, ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="time", repr_native_str=True)]
    return ProcessorFormatter(
        processors=[
            add_log_level,
            add_logger_name,
            TimeStamper(fmt="iso", utc=True, key="time"),
            _with_what_is_told,
            ExceptionRenderer(_trace),
            ProcessorFormatter.remove_processors_meta,
            *(as_json if form is LogForm.JSON else as_text),
        ]
    )


def unhandled(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The event loop's own line would show the failure as Python writes it, with the values it holds."""
    log.error(context["message"], exc_info=context.get("exception"))


def trace(failed: BaseException) -> str:
    """Where it failed and as what, causes first; without local variables, and without a message that may quote a value."""
    return "\n".join(_traced(failed, {id(failed)}))


def _traced(failed: BaseException, seen: set[int]) -> Iterator[str]:
    before = failed.__cause__ or (None if failed.__suppress_context__ else failed.__context__)
    for each in (before, *(failed.exceptions if isinstance(failed, BaseExceptionGroup) else ())):
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield from _traced(each, seen)
    yield f"{''.join(traceback.format_tb(failed.__traceback__, -FRAMES))}{type(failed).__qualname__}{_said(failed)}"


def _said(failed: BaseException) -> str:
    """PostgreSQL's main message without its DETAIL, which shows the row. A line break in a message would look like another failure."""
    if isinstance(failed, asyncpg.PostgresError):
        state = failed.sqlstate or ""
        return f": {state}" if state.startswith(DATA_EXCEPTION) else f": {state} {escape(str(failed.args[0]))}"
    return f": {escape(str(failed))}" if isinstance(failed, SPEAKING) else ""


def _trace(exc_info: ExcInfo) -> str:
    return trace(exc_info[1])


def _with_what_is_told(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The fields of a line, given as `extra={"told": …}`."""
    return {**event, **getattr(event["_record"], "told", {})}


class _Shown(str):
    """A text that the renderer shows as it is, instead of its `repr`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _escaped(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Nothing in a line acts on a terminal but the renderer's own colours: neither a key nor a value, the event or the trace."""
    return {escape(str(key)): _value(key, value) for key, value in event.items()}


def _value(key: str, value: object) -> object:
    if key in TEXTS:
        return escape(str(value))
    return escape_lines(str(value)) if key in SEVERAL_LINES else _Shown(escape(repr(value)))


def _json(event: EventDict, **_: object) -> str:
    try:
        return escape_json(orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z).decode())
    except TypeError:  # a lone surrogate, which no UTF-8 has
        return json.dumps(event, default=str)

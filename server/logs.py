"""Logs: one line an event on the standard error, JSON for programs or text for a person. No line holds a value that a caller sent."""

import asyncio
import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import asyncpg
import orjson
from structlog.dev import ConsoleRenderer
from structlog.processors import ExceptionRenderer, JSONRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, ExcInfo, Processor

from server.settings import LogForm

log = logging.getLogger("relaties")
FRAMES = 60  # innermost, of one failure: running out of stack would fill a page otherwise
# Their messages are about code, addresses and files. Those of others quote what they could not take: a key, a number, a variable.
SPEAKING = (TypeError, AttributeError, NameError, ImportError, RuntimeError, OSError)
DATA_EXCEPTION = "22"  # the class of PostgreSQL's errors that quote the value
CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), 127, 0x85, 0x2028, 0x2029)}


def begin(form: LogForm) -> None:
    """From here on whatever this process logs, libraries too, goes this way."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


def formatter(form: LogForm) -> ProcessorFormatter:
    as_json: list[Processor] = [JSONRenderer(_json)]
    as_text: list[Processor] = [_on_one_line, ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="time", repr_native_str=True)]
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
    """PostgreSQL's main message without its DETAIL, which shows the row."""
    if isinstance(failed, asyncpg.PostgresError):
        state = failed.sqlstate or ""
        return f": {state}" if state.startswith(DATA_EXCEPTION) else f": {state} {failed.args[0]}"
    return f": {failed}" if isinstance(failed, SPEAKING) else ""


def _trace(exc_info: ExcInfo) -> str:
    return trace(exc_info[1])


def _with_what_is_told(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The fields of a line, given as `extra={"told": …}`."""
    return {**event, **getattr(event["_record"], "told", {})}


def _on_one_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {**event, "event": str(event["event"]).translate(CONTROLS)}


def _json(event: EventDict, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()

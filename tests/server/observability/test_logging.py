"""Logs have one line for each event, as JSON or text, and contain no values of users."""

import asyncio
import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from server.observability.access_log import AccessRecord, log_fields
from server.observability.logging import JsonHandler, build_formatter, format_trace, log_unhandled, write_event
from server.settings import Environment, LogFormat, Settings

MARK = "marker-7f3a"


def create_record(message: str, *arguments: object, error: BaseException | None = None, **more: object) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    log_record = logging.LogRecord("relaties", logging.WARNING, __file__, 1, message, arguments, info)
    vars(log_record).update(more)
    return log_record


def format_as_json(log_record: logging.LogRecord) -> dict[str, object]:
    line = build_formatter(LogFormat.JSON).format(log_record)
    assert "\n" not in line
    read: dict[str, object] = json.loads(line)
    return read


def catch(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except BaseException as error:  # noqa: BLE001 whatever it is
        return error
    raise AssertionError


def test_an_event_is_one_json_object() -> None:
    """It has the time in UTC, the level and the logger. Line breaks are escaped."""
    read = format_as_json(create_record("message %s", "one\r\ntwo\u2028three", fields={"trace": "ab", "statements": 3}))
    moment = datetime.fromisoformat(str(read.pop("time")))
    assert moment.tzinfo == UTC
    assert read == {"event": "message one\r\ntwo\u2028three", "level": "warning", "logger": "relaties", "trace": "ab", "statements": 3}


def test_event_equals_the_formatted_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields have the same order, and the event is one line, whatever they contain."""
    stream, key = io.StringIO(), UUID(int=7)
    monkeypatch.setattr(logging.root, "handlers", [JsonHandler(stream)])
    fields = {"trace": "ab", "organization": key, "name": "x\u2028\n\x1b", "codes": ("A", "B"), "seconds": 7e-6}
    write_event(logging.WARNING, "operation", fields)
    line = stream.getvalue()
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    of_record = format_as_json(create_record("operation", fields={**fields, "organization": str(key)}))
    read = json.loads(line)
    moment = read.pop("time")
    assert moment.endswith("Z")
    assert datetime.fromisoformat(moment).tzinfo == UTC
    del of_record["time"]
    assert read == of_record
    assert list(read) == ["event", "level", "logger", *fields]


def test_event_is_a_log_record_if_other_handlers_exist(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "relaties")
    write_event(logging.INFO, "operation", {"organization": UUID(int=7), "statements": 3})
    (log_record,) = caplog.records
    assert (log_record.message, log_record.levelname, vars(log_record)["fields"]) == (
        "operation",
        "INFO",
        {"organization": str(UUID(int=7)), "statements": 3},
    )


def test_unwritable_event_causes_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(logging.root, "handlers", [JsonHandler(stream)])
    write_event(logging.INFO, "operation", {})


def test_event_is_one_line_of_text() -> None:
    line = build_formatter(LogFormat.TEXT).format(create_record("one\r\ntwo\x1b[31m\u2028", fields={"name": "x\ny"}))
    assert len(line.splitlines()) == 1
    assert "one\\r\\ntwo\\x1b[31m\\u2028" in line
    assert "name='x\\ny'" in line


def test_failure_has_its_traceback_in_one_field() -> None:
    """The traceback shows code but no values of variables. Messages that quote a value are omitted."""

    def fail() -> None:
        secret = MARK
        dict[str, str]()[secret]

    read = format_as_json(create_record("incident", error=catch(fail)))
    assert str(read["exception"]).endswith("KeyError")
    assert "()[secret]" in str(read["exception"])
    assert MARK not in str(read)
    assert format_trace(catch(lambda: None.x)).endswith("AttributeError: 'NoneType' object has no attribute 'x'")  # type: ignore[attr-defined]


def test_every_cause_of_a_failure_is_logged_once() -> None:
    """Causes come first, including those within groups, and a cycle of causes ends."""

    def raise_several() -> None:
        try:
            int(MARK)
        except ValueError as cause:
            raise ExceptionGroup(MARK, [RuntimeError("inner"), cause]) from cause

    error = catch(raise_several)
    assert error.__cause__ is not None
    error.__cause__.__cause__ = error
    trace_text = format_trace(error)
    assert [trace_text.count(name) for name in ("\nValueError", "RuntimeError: inner", "\nExceptionGroup")] == [1, 1, 1]
    assert trace_text.index("ValueError") < trace_text.rindex("ExceptionGroup")
    assert MARK not in trace_text


async def test_row_values_of_database_errors_are_omitted(owner: asyncpg.Connection) -> None:
    """PostgreSQL's DETAIL and messages with unreadable values are omitted. The SQLSTATE and the constraint stay."""
    await owner.execute("CREATE TEMPORARY TABLE kept (name text CONSTRAINT kept_short CHECK (length(name) < 3))")
    with pytest.raises(asyncpg.CheckViolationError) as check_error:
        await owner.execute(f"INSERT INTO kept VALUES ('{MARK}')")
    assert MARK in str(check_error.value)
    with pytest.raises(asyncpg.InvalidTextRepresentationError) as unread:
        await owner.execute(f"SELECT '{MARK}'::uuid")
    await owner.execute("DROP TABLE kept")
    trace_text = (
        format_trace(DBAPIError(MARK, {"name": MARK}, check_error.value)) + format_trace(check_error.value) + format_trace(unread.value)
    )
    assert 'CheckViolationError: 23514 new row for relation "kept" violates check constraint "kept_short"' in trace_text
    assert "InvalidTextRepresentationError: 22P02" in trace_text
    assert MARK not in trace_text


def test_stack_overflow_does_not_fill_the_log() -> None:
    """The innermost frames are enough."""

    def a(depth: int) -> int:
        return b(depth) + 1

    def b(depth: int) -> int:
        return a(depth) + 1

    assert len(format_trace(catch(lambda: a(0)))) < 20_000


async def test_unawaited_task_logs_no_value(caplog: pytest.LogCaptureFixture) -> None:
    """The message of Python itself would contain the exception with its values."""
    loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().get_exception_handler()
    loop.set_exception_handler(log_unhandled)
    loop.call_exception_handler({"message": "Task exception was never retrieved", "exception": KeyError(MARK), "future": MARK})
    loop.set_exception_handler(before)
    (log_record,) = caplog.records
    assert format_as_json(log_record)["exception"] == "KeyError"
    assert MARK not in str(format_as_json(log_record))


def test_log_format_depends_on_the_environment() -> None:
    """The default is text in development and JSON in production. The setting overrides it."""
    forms = [
        Settings(env=Environment(env), log_format=LogFormat(log) if log else None).effective_log_format
        for env in ("development", "production")
        for log in (None, "json", "text")
    ]
    assert forms == ["text", "json", "text", "json", "json", "text"]


def test_unknown_fields_of_an_operation_are_omitted() -> None:
    """The line of a rejected request is short, and a long operation name is cut."""
    assert log_fields(AccessRecord("ab", status=401, error_codes=("UNAUTHENTICATED",))) == {
        "trace_id": "ab", "status": 401, "error_codes": ("UNAUTHENTICATED",), "duration_seconds": 0, "queue_seconds": 0,
        "sql_statements": 0, "sql_seconds": 0,
    }  # fmt: skip
    assert log_fields(AccessRecord("ab", operation_name="N" * 1000))["operation_name"] == "N" * 100

"""Logs: one line an event, for programs or for a person, and no value in any."""

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


def record(message: str, *arguments: object, failed: BaseException | None = None, **more: object) -> logging.LogRecord:
    info = (type(failed), failed, failed.__traceback__) if failed else None
    made = logging.LogRecord("relaties", logging.WARNING, __file__, 1, message, arguments, info)
    vars(made).update(more)
    return made


def as_json(made: logging.LogRecord) -> dict[str, object]:
    written = build_formatter(LogFormat.JSON).format(made)
    assert "\n" not in written
    read: dict[str, object] = json.loads(written)
    return read


def caught(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except BaseException as failed:  # noqa: BLE001 whatever it is
        return failed
    raise AssertionError


def test_an_event_is_one_json_object() -> None:
    """With its time in UTC, its level and who tells it; a line break in it is two characters."""
    read = as_json(record("said %s", "one\r\ntwo\u2028three", fields={"trace": "ab", "statements": 3}))
    moment = datetime.fromisoformat(str(read.pop("time")))
    assert moment.tzinfo == UTC
    assert read == {"event": "said one\r\ntwo\u2028three", "level": "warning", "logger": "relaties", "trace": "ab", "statements": 3}


def test_event_is_written_as_the_formatter_writes_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all its fields in their order, and no more than one line, whatever they hold."""
    stream, key = io.StringIO(), UUID(int=7)
    monkeypatch.setattr(logging.root, "handlers", [JsonHandler(stream)])
    fields = {"trace": "ab", "organization": key, "name": "x\u2028\n\x1b", "codes": ("A", "B"), "seconds": 7e-6}
    write_event(logging.WARNING, "operation", fields)
    written = stream.getvalue()
    assert written.endswith("\n")
    assert len(written.splitlines()) == 1
    of_record = as_json(record("operation", fields={**fields, "organization": str(key)}))
    read = json.loads(written)
    moment = read.pop("time")
    assert moment.endswith("Z")
    assert datetime.fromisoformat(moment).tzinfo == UTC
    del of_record["time"]
    assert read == of_record
    assert list(read) == ["event", "level", "logger", *fields]


def test_event_is_a_record_where_others_handle_records(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "relaties")
    write_event(logging.INFO, "operation", {"organization": UUID(int=7), "statements": 3})
    (made,) = caplog.records
    assert (made.message, made.levelname, vars(made)["fields"]) == (
        "operation",
        "INFO",
        {"organization": str(UUID(int=7)), "statements": 3},
    )


def test_event_that_cannot_be_written_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(logging.root, "handlers", [JsonHandler(stream)])
    write_event(logging.INFO, "operation", {})


def test_an_event_is_one_line_for_a_person() -> None:
    """Whatever it holds."""
    written = build_formatter(LogFormat.TEXT).format(record("one\r\ntwo\x1b[31m\u2028", fields={"name": "x\ny"}))
    assert len(written.splitlines()) == 1
    assert "one\\r\\ntwo\\x1b[31m\\u2028" in written
    assert "name='x\\ny'" in written


def test_a_failure_has_its_trace_in_one_field() -> None:
    """Where it was, not what the variables were; a message that quotes a value is left out, one about the code is not."""

    def lost() -> None:
        secret = MARK
        dict[str, str]()[secret]

    read = as_json(record("incident", failed=caught(lost)))
    assert str(read["exception"]).endswith("KeyError")
    assert "()[secret]" in str(read["exception"])
    assert MARK not in str(read)
    assert format_trace(caught(lambda: None.x)).endswith("AttributeError: 'NoneType' object has no attribute 'x'")  # type: ignore[attr-defined]


def test_every_cause_of_a_failure_is_told_once() -> None:
    """The first cause first, those of a group too, and a ring of causes ends."""

    def several() -> None:
        try:
            int(MARK)
        except ValueError as cause:
            raise ExceptionGroup(MARK, [RuntimeError("inner"), cause]) from cause

    failed = caught(several)
    assert failed.__cause__ is not None
    failed.__cause__.__cause__ = failed
    told = format_trace(failed)
    assert [told.count(name) for name in ("\nValueError", "RuntimeError: inner", "\nExceptionGroup")] == [1, 1, 1]
    assert told.index("ValueError") < told.rindex("ExceptionGroup")
    assert MARK not in told


async def test_what_postgresql_says_of_a_row_is_left_out(owner: asyncpg.Connection) -> None:
    """Its DETAIL, and the message of a value that it cannot read; the state and the constraint stay."""
    await owner.execute("CREATE TEMPORARY TABLE kept (name text CONSTRAINT kept_short CHECK (length(name) < 3))")
    with pytest.raises(asyncpg.CheckViolationError) as unchecked:
        await owner.execute(f"INSERT INTO kept VALUES ('{MARK}')")
    assert MARK in str(unchecked.value)
    with pytest.raises(asyncpg.InvalidTextRepresentationError) as unread:
        await owner.execute(f"SELECT '{MARK}'::uuid")
    await owner.execute("DROP TABLE kept")
    told = format_trace(DBAPIError(MARK, {"name": MARK}, unchecked.value)) + format_trace(unchecked.value) + format_trace(unread.value)
    assert 'CheckViolationError: 23514 new row for relation "kept" violates check constraint "kept_short"' in told
    assert "InvalidTextRepresentationError: 22P02" in told
    assert MARK not in told


def test_running_out_of_stack_does_not_fill_the_log() -> None:
    """The innermost frames are enough."""

    def a(depth: int) -> int:
        return b(depth) + 1

    def b(depth: int) -> int:
        return a(depth) + 1

    assert len(format_trace(caught(lambda: a(0)))) < 20_000


async def test_a_task_that_nobody_awaits_tells_no_value(caplog: pytest.LogCaptureFixture) -> None:
    """Python's own line shows the exception with what it holds."""
    loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().get_exception_handler()
    loop.set_exception_handler(log_unhandled)
    loop.call_exception_handler({"message": "Task exception was never retrieved", "exception": KeyError(MARK), "future": MARK})
    loop.set_exception_handler(before)
    (made,) = caplog.records
    assert as_json(made)["exception"] == "KeyError"
    assert MARK not in str(as_json(made))


def test_the_form_of_the_log() -> None:
    """Text for who develops and JSON where it serves, unless one is asked for."""
    forms = [
        Settings(env=Environment(env), log_format=LogFormat(log) if log else None).effective_log_format
        for env in ("development", "production")
        for log in (None, "json", "text")
    ]
    assert forms == ["text", "json", "text", "json", "json", "text"]


def test_what_is_unknown_of_an_operation_is_left_out() -> None:
    """A refused one has a short line; a long name is cut."""
    assert log_fields(AccessRecord("ab", status=401, error_codes=("UNAUTHENTICATED",))) == {
        "trace_id": "ab", "status": 401, "error_codes": ("UNAUTHENTICATED",), "duration_seconds": 0, "queue_seconds": 0,
        "sql_statements": 0, "sql_seconds": 0,
    }  # fmt: skip
    assert log_fields(AccessRecord("ab", operation_name="N" * 1000))["operation_name"] == "N" * 100

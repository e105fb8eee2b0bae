"""Record which operations hold pool connections, and whether one requests another while it holds one: that can deadlock a pool."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool as Writers

from db.engine.read_pool import ReadConnection, ReadPool


@dataclass
class ConnectionHolder:
    """An operation with all its tasks: the connections it holds, all it acquired, and those it requested while it held one."""

    held_count: int = 0
    acquired: Counter[str] = field(default_factory=Counter)
    nested_acquisitions: list[str] = field(default_factory=list)

    def record_acquire(self, what: str) -> None:
        if self.held_count:
            self.nested_acquisitions.append(what)
        self.held_count += 1
        self.acquired[what] += 1

    def record_release(self) -> None:
        self.held_count -= 1


OPERATION: ContextVar[ConnectionHolder | None] = ContextVar("operation", default=None)  # inherited by all tasks that the operation starts


@contextmanager
def track_operation() -> Iterator[ConnectionHolder]:
    """Track the block as one operation."""
    holder = ConnectionHolder()
    token = OPERATION.set(holder)
    yield holder
    OPERATION.reset(token)


def _watch_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    take, give, give_up = ReadPool.acquire, ReadPool.release, ReadPool.discard

    async def acquire(self: ReadPool, tenant: UUID | None = None) -> ReadConnection:
        if holder := OPERATION.get():
            holder.record_acquire("reader")
        return await take(self, tenant)

    def release(self: ReadPool, reader: ReadConnection) -> None:
        if holder := OPERATION.get():
            holder.record_release()
        give(self, reader)

    async def discard(self: ReadPool, reader: ReadConnection, error: BaseException) -> None:
        if holder := OPERATION.get():
            holder.record_release()
        await give_up(self, reader, error)

    monkeypatch.setattr(ReadPool, "acquire", acquire)
    monkeypatch.setattr(ReadPool, "release", release)
    monkeypatch.setattr(ReadPool, "discard", discard)


@contextmanager
def monitor_pools() -> Iterator[None]:
    """Record what is acquired from and released to every pool during the block."""

    def on_checkout(*_: Any) -> None:  # noqa: ANN401 SQLAlchemy's own arguments
        if holder := OPERATION.get():
            holder.record_acquire("writer")

    def on_checkin(*_: Any) -> None:  # noqa: ANN401
        if holder := OPERATION.get():
            holder.record_release()

    with pytest.MonkeyPatch.context() as monkeypatch:
        _watch_readers(monkeypatch)
        event.listen(Writers, "checkout", on_checkout)
        event.listen(Writers, "checkin", on_checkin)
        yield
        event.remove(Writers, "checkout", on_checkout)
        event.remove(Writers, "checkin", on_checkin)

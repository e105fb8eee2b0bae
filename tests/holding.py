"""Who holds a connection of a pool, and whether anybody who does asks for another: that is how a pool comes to wait for itself."""

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
class Holder:
    """One operation with all its tasks: what it holds, what it took in all, and what it asked for while it held something."""

    now: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    nested: list[str] = field(default_factory=list)

    def takes(self, what: str) -> None:
        if self.now:
            self.nested.append(what)
        self.now += 1
        self.taken[what] += 1

    def gives(self) -> None:
        self.now -= 1


OPERATION: ContextVar[Holder | None] = ContextVar("operation", default=None)  # whatever it starts inherits it


@contextmanager
def operation() -> Iterator[Holder]:
    """What happens within is one."""
    holder = Holder()
    token = OPERATION.set(holder)
    yield holder
    OPERATION.reset(token)


def _watch_readers(patched: pytest.MonkeyPatch) -> None:
    take, give, give_up = ReadPool.acquire, ReadPool.release, ReadPool.discard

    async def taken(self: ReadPool, tenant: UUID | None = None) -> ReadConnection:
        if holder := OPERATION.get():
            holder.takes("reader")
        return await take(self, tenant)

    def given(self: ReadPool, reader: ReadConnection) -> None:
        if holder := OPERATION.get():
            holder.gives()
        give(self, reader)

    async def given_up(self: ReadPool, reader: ReadConnection, failed: BaseException) -> None:
        if holder := OPERATION.get():
            holder.gives()
        await give_up(self, reader, failed)

    patched.setattr(ReadPool, "acquire", taken)
    patched.setattr(ReadPool, "release", given)
    patched.setattr(ReadPool, "discard", given_up)


@contextmanager
def watched() -> Iterator[None]:
    """Every pool tells of what is taken from it and given back, from here on."""

    def checked_out(*_: Any) -> None:  # noqa: ANN401 SQLAlchemy's own arguments
        if holder := OPERATION.get():
            holder.takes("writer")

    def checked_in(*_: Any) -> None:  # noqa: ANN401
        if holder := OPERATION.get():
            holder.gives()

    with pytest.MonkeyPatch.context() as patched:
        _watch_readers(patched)
        event.listen(Writers, "checkout", checked_out)
        event.listen(Writers, "checkin", checked_in)
        yield
        event.remove(Writers, "checkout", checked_out)
        event.remove(Writers, "checkin", checked_in)

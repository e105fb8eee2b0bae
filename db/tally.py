"""What an operation costs the database: its statements and the time until each was answered."""

from collections.abc import Awaitable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
TALLY = "tally"  # of a connection's execution options, while a unit of work has it


@dataclass(slots=True)
class Tally:
    """What answers the operation counts, failed or not. What stands around it does not: BEGIN, COMMIT, savepoints and settings."""

    statements: int = 0
    seconds: float = 0.0
    _begun: float | None = None

    def begin(self) -> None:
        self.statements += 1
        self._begun = perf_counter()

    def end(self) -> None:
        # A statement whose parameters could not be bound failed before it began: it was not sent, and took no time.
        if self._begun is not None:
            self.seconds += perf_counter() - self._begun
            self._begun = None

    async def of(self, answer: Awaitable[T]) -> T:
        """The answer to a statement. A transaction has one at a time."""
        self.begin()
        try:
            return await answer
        finally:
            self.end()


def tallied(engine: AsyncEngine) -> AsyncEngine:
    """The engine, whose connections tell the tally in their options of each statement."""

    def begun(connection: Connection, *_: Any) -> None:  # noqa: ANN401 SQLAlchemy's own arguments
        if found := connection.get_execution_options().get(TALLY):
            found.begin()

    def ended(connection: Connection, *_: Any) -> None:  # noqa: ANN401
        if found := connection.get_execution_options().get(TALLY):
            found.end()

    def failed(context: ExceptionContext) -> None:
        if context.connection and context.statement:
            ended(context.connection)

    event.listen(engine.sync_engine, "before_cursor_execute", begun)
    event.listen(engine.sync_engine, "after_cursor_execute", ended)
    event.listen(engine.sync_engine, "handle_error", failed)
    return engine

"""Count the statements of an operation and measure their time."""

from collections.abc import Awaitable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
QUERY_STATS = "query_stats"  # the key of the statistics in the execution options of a unit of work's connection


@dataclass(slots=True)
class QueryStats:
    """The number of an operation's statements, including failed ones, and their total time in seconds.

    BEGIN, COMMIT, savepoints and settings are not counted.
    """

    statements: int = 0
    seconds: float = 0.0
    _started_at: float | None = None

    def begin(self) -> None:
        self.statements += 1
        self._started_at = perf_counter()

    def end(self) -> None:
        # SQLAlchemy reports the end without a beginning if parameters cannot be bound: that statement was not sent and took no time.
        if self._started_at is not None:
            self.seconds += perf_counter() - self._started_at
            self._started_at = None

    async def measure(self, answer: Awaitable[T]) -> T:
        """Await a statement and measure its time. A transaction runs one statement at a time."""
        self.begin()
        try:
            return await answer
        finally:
            self.end()


def count_statements(engine: AsyncEngine) -> AsyncEngine:
    """Make the engine's connections measure their statements, in the `QueryStats` of their execution options. Return the engine."""

    def on_begin(connection: Connection, *_: Any) -> None:  # noqa: ANN401 SQLAlchemy's own arguments
        if stats := connection.get_execution_options().get(QUERY_STATS):
            stats.begin()

    def on_end(connection: Connection, *_: Any) -> None:  # noqa: ANN401
        if stats := connection.get_execution_options().get(QUERY_STATS):
            stats.end()

    def on_error(context: ExceptionContext) -> None:
        if context.connection and context.statement:
            on_end(context.connection)

    event.listen(engine.sync_engine, "before_cursor_execute", on_begin)
    event.listen(engine.sync_engine, "after_cursor_execute", on_end)
    event.listen(engine.sync_engine, "handle_error", on_error)
    return engine

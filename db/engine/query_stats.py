"""Query statistics of an operation: the number of its statements and the time that they took."""

from collections.abc import Awaitable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
QUERY_STATS = "query_stats"  # key in a connection's execution options while a unit of work uses it


@dataclass(slots=True)
class QueryStats:
    """Statements of the operation, failed or not, without BEGIN, COMMIT, savepoints and settings."""

    statements: int = 0
    seconds: float = 0.0
    _started_at: float | None = None

    def begin(self) -> None:
        self.statements += 1
        self._started_at = perf_counter()

    def end(self) -> None:
        # A statement whose parameters could not be bound failed before it began: it was not sent, and took no time.
        if self._started_at is not None:
            self.seconds += perf_counter() - self._started_at
            self._started_at = None

    async def measure(self, answer: Awaitable[T]) -> T:
        """Await a statement and measure it. A transaction has one at a time."""
        self.begin()
        try:
            return await answer
        finally:
            self.end()


def count_statements(engine: AsyncEngine) -> AsyncEngine:
    """Make the engine's connections count their statements in the statistics of their execution options; return the engine."""

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

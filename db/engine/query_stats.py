"""Count the SQL statements of an operation and measure their total time."""

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

    BEGIN, COMMIT, SAVEPOINT and SET are not counted.
    """

    statements: int = 0
    seconds: float = 0.0
    _started_at: float | None = None

    def begin(self) -> None:
        self.statements += 1
        self._started_at = perf_counter()

    def end(self) -> None:
        # If SQLAlchemy cannot bind the parameters, it reports an error without a begin. That statement was not sent and took no time.
        if self._started_at is not None:
            self.seconds += perf_counter() - self._started_at
            self._started_at = None

    async def measure(self, statement: Awaitable[T]) -> T:
        """Await a statement and add its time. Calls never overlap, since a transaction runs one statement at a time."""
        self.begin()
        try:
            return await statement
        finally:
            self.end()


def count_statements(engine: AsyncEngine) -> AsyncEngine:
    """Return the engine after adding listeners, which update the `QueryStats` in the execution options of each connection."""

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

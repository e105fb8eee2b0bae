"""Running an operation: within its time, for as long as somebody waits for the answer, and once more where the database went away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from traceback import clear_frames
from typing import Any

import strawberry
from graphql import ExecutionResult, GraphQLError, OperationType, VariableValues

from db.engine import Database
from db.faults import is_connection_lost
from db.tally import QueryStats
from domain.scope import Actor
from resolvers.context import Context
from resolvers.core import MAX_OBJECTS, Execution, OperationExecutor
from server.documents import Document, Operation
from server.refusals import ClientGone, ErrorCode, Unanswerable

WATCHED_AFTER_S = 0.05
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Order:
    """What is to be run, for whom."""

    document: Document
    operation: Operation
    values: VariableValues
    actor: Actor
    idempotency_key: str | None
    tally: QueryStats


@dataclass(frozen=True)
class Runner:
    """Run operations as Strawberry would, on an executor of graphql-core's kind; all that Strawberry does before was done by others."""

    schema: strawberry.Schema
    executor: type[OperationExecutor]
    database: Database
    secrets: Sequence[bytes]
    is_open: bool
    max_objects: int = MAX_OBJECTS

    async def execute(self, order: Order) -> ExecutionResult:
        """Run an operation. A query may be asked again: it changed nothing, and what it read so far is thrown away.

        Raises `ResponseTooLargeError` if the response would have too many objects.
        """
        result = await self._once(order)
        if order.operation.kind is OperationType.QUERY and any(_is_lost(error) for error in result.errors or ()):
            result = await self._once(order)
        for error in result.errors or ():
            _clear_locals(error)
        return result

    async def _once(self, order: Order) -> ExecutionResult:
        context = Context(
            self.database, order.actor, self.secrets, order.idempotency_key, order.tally, order.operation.known.requested_columns
        )
        schema = self.schema._schema  # noqa: SLF001 what Strawberry made is graphql-core's
        execution = Execution(schema, order.operation.known, order.values, context, not self.is_open, self.max_objects)
        try:
            return await self.executor.execute(execution)
        finally:
            await context.end()


def _clear_locals(error: BaseException | None) -> None:
    """Clear the variables of all functions that an error went through.

    Some of them hold the error, and it holds them by its traceback: reference cycles, of which a failed field left 130 objects to the
    garbage collector.
    """
    while error is not None:
        clear_frames(error.__traceback__)
        error = (error.original_error if isinstance(error, GraphQLError) else None) or error.__cause__


def _is_lost(error: GraphQLError) -> bool:
    return error.original_error is not None and is_connection_lost(error.original_error)


class _End(Enum):
    """Why an operation is ended from outside."""

    GONE = "the client has gone away"
    LATE = "its time is over"


class Patience:
    """End what runs in the block after so many seconds, or when the client has gone away; its statement in PostgreSQL too.

    Whether the client is there is looked at only after `WATCHED_AFTER_S`: most operations end before, and cost a timer but no task.
    """

    __slots__ = ("_end", "_loop", "_receive", "_seconds", "_task", "_timer", "_watching")

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._end: _End | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._timer = self._loop.call_later(min(WATCHED_AFTER_S, self._seconds), self._begin_watching)

    def _begin_watching(self) -> None:
        self._watching = self._loop.create_task(self._watch())
        self._timer = self._loop.call_later(max(self._seconds - WATCHED_AFTER_S, 0), self._cancel, _End.LATE)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._cancel(_End.GONE)

    def _cancel(self, why: _End) -> None:
        if self._end is None and self._task is not None:
            self._end = why
            self._task.cancel()

    async def __aexit__(self, _kind: type[BaseException] | None, failed: BaseException | None, _trace: object) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if self._end is None or self._task is None:
            return
        if self._task.uncancel() > 0 or not isinstance(failed, asyncio.CancelledError):
            return  # others cancel it as well, or it ended in the same moment
        if self._end is _End.GONE:
            raise ClientGone from None
        message = f"The operation took longer than {self._seconds:g} seconds. Ask for less at once."
        raise Unanswerable(ErrorCode.TIMEOUT, message) from None

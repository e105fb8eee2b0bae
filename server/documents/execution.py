"""Run operations within a deadline while the client is connected. Retry a query if the database connection was lost."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from traceback import clear_frames
from typing import Any

import strawberry
from graphql import ExecutionResult, GraphQLError, OperationType, VariableValues

from db.engine.database import Database
from db.engine.errors import is_connection_lost
from db.engine.query_stats import QueryStats
from domain.core.scope import Actor
from resolvers.context import Context
from resolvers.execution.operation import MAX_OBJECTS, Execution
from server.documents.cache import Document, Operation
from server.errors import ClientDisconnected, ErrorCode, HttpError

DISCONNECT_CHECK_DELAY_S = 0.05
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class ExecutionRequest:
    """An operation to execute, with its variables and its actor."""

    document: Document
    operation: Operation
    values: VariableValues
    actor: Actor
    idempotency_key: str | None
    query_stats: QueryStats


@dataclass(frozen=True)
class Runner:
    """Execute operations, as the last step of Strawberry's request handling would. Other modules have done the steps before."""

    schema: strawberry.Schema
    executor: Callable[[Execution], Awaitable[ExecutionResult]]
    database: Database
    secrets: Sequence[bytes]
    shows_schema: bool
    max_objects: int = MAX_OBJECTS

    async def execute(self, request: ExecutionRequest) -> ExecutionResult:
        """Run an operation. After a lost connection, retry a query once: it changed nothing, and its partial result is discarded.

        Raises `ResponseTooLargeError` if the response would have too many objects.
        """
        result = await self._run_once(request)
        if request.operation.kind is OperationType.QUERY and any(_is_lost(error) for error in result.errors or ()):
            result = await self._run_once(request)
        for error in result.errors or ():
            _clear_locals(error)
        return result

    async def _run_once(self, request: ExecutionRequest) -> ExecutionResult:
        actor, prepared = request.actor, request.operation.prepared_operation
        context = Context(self.database, actor, self.secrets, request.idempotency_key, request.query_stats, prepared.requested_columns)
        schema = self.schema._schema  # noqa: SLF001 Strawberry has no public access to the graphql-core schema
        execution = Execution(schema, prepared, request.values, context, not self.shows_schema, self.max_objects)
        try:
            return await self.executor(execution)
        finally:
            await context.end()


def _clear_locals(error: BaseException | None) -> None:
    """Clear the local variables in the traceback of an error and of its causes.

    Some of these variables refer to the error, which is a reference cycle: each failed field left 130 objects to the garbage collector.
    """
    while error is not None:
        clear_frames(error.__traceback__)
        error = (error.original_error if isinstance(error, GraphQLError) else None) or error.__cause__


def _is_lost(error: GraphQLError) -> bool:
    return error.original_error is not None and is_connection_lost(error.original_error)


class _EndReason(Enum):
    """Reason for which an operation is cancelled."""

    DISCONNECT = "the client disconnected"
    TIMEOUT = "the operation took too long"


class OperationDeadline:
    """Cancel the `with` block, including its statement in PostgreSQL, at the deadline or when the client disconnects.

    Watch the client only after `DISCONNECT_CHECK_DELAY_S`. Most operations end before that, so they need a timer but no task.
    """

    __slots__ = ("_end_reason", "_loop", "_receive", "_task", "_timeout", "_timer", "_watch_task")

    def __init__(self, receive: Receive, timeout: float) -> None:
        self._receive = receive
        self._timeout = timeout
        self._end_reason: _EndReason | None = None
        self._watch_task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._timer = self._loop.call_later(min(DISCONNECT_CHECK_DELAY_S, self._timeout), self._start_watching)

    def _start_watching(self) -> None:
        self._watch_task = self._loop.create_task(self._watch())
        self._timer = self._loop.call_later(max(self._timeout - DISCONNECT_CHECK_DELAY_S, 0), self._cancel, _EndReason.TIMEOUT)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._cancel(_EndReason.DISCONNECT)

    def _cancel(self, reason: _EndReason) -> None:
        if self._end_reason is None and self._task is not None:
            self._end_reason = reason
            self._task.cancel()

    async def __aexit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._timer.cancel()
        if self._watch_task is not None:
            self._watch_task.cancel()
        if self._end_reason is None or self._task is None:
            return
        if self._task.uncancel() > 0 or not isinstance(error, asyncio.CancelledError):
            return  # something else cancels the task as well, or the block ended in the same moment
        if self._end_reason is _EndReason.DISCONNECT:
            raise ClientDisconnected from None
        message = f"The operation took longer than {self._timeout:g} seconds. Request less at once."
        raise HttpError(ErrorCode.TIMEOUT, message) from None

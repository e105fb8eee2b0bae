"""Running an operation: within its time, for as long as somebody waits for the answer, and once more where the database went away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import ExecutionResult, GraphQLError, OperationType, VariableValues
from graphql.pyutils import AwaitableOrValue

from db.engine import Database
from db.faults import is_lost
from db.tally import Tally
from domain.scope import Actor
from resolvers.context import Context
from resolvers.core import MOST_OBJECTS, CoreExecutor, ResponseTooLargeError
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
    tally: Tally


@dataclass(frozen=True)
class Runner:
    """Run operations as Strawberry would, on an executor of graphql-core's kind; all that Strawberry does before was done by others."""

    schema: strawberry.Schema
    executor: type[CoreExecutor]
    database: Database
    secrets: Sequence[bytes]
    is_open: bool
    max_objects: int = MOST_OBJECTS

    async def run(self, order: Order) -> ExecutionResult:
        """Run an operation. A query may be asked again: it changed nothing, and what it read so far is thrown away.

        Raises `ResponseTooLargeError` if the response would have too many objects.
        """
        result = await self._once(order)
        if order.operation.kind is OperationType.QUERY and any(_is_lost(error) for error in result.errors or ()):
            return await self._once(order)
        return result

    async def _once(self, order: Order) -> ExecutionResult:
        context = Context(self.database, order.actor, self.secrets, order.idempotency_key, order.tally, order.operation.known.reads)
        schema = self.schema._schema  # noqa: SLF001 what Strawberry made is graphql-core's
        executor = self.executor.of(schema, order.operation.known, order.values, context, hide_suggestions=not self.is_open)
        executor.max_objects = self.max_objects
        try:
            answer: AwaitableOrValue[Any] = executor.execute_operation()
            result: ExecutionResult = answer if isinstance(answer, ExecutionResult) else await answer
        finally:
            await context.end()
        if executor.objects > executor.max_objects:
            raise ResponseTooLargeError
        return result


def _is_lost(error: GraphQLError) -> bool:
    return error.original_error is not None and is_lost(error.original_error)


@asynccontextmanager
async def awaited(receive: Receive, seconds: float) -> AsyncIterator[None]:
    """End what runs in the block after so many seconds, or when the client has gone away; its statement in PostgreSQL too.

    Whether the client is there is looked at only after `WATCHED_AFTER_S`: most operations end before, and a task for each costs more than
    what a client that left so soon would save.
    """
    loop, is_gone, watching = asyncio.get_running_loop(), False, list[asyncio.Task[None]]()

    async def watch() -> None:
        nonlocal is_gone
        while (await receive())["type"] != "http.disconnect":
            pass
        is_gone = True
        deadline.reschedule(loop.time())

    try:
        async with asyncio.timeout(seconds) as deadline:
            later = loop.call_later(WATCHED_AFTER_S, lambda: watching.append(loop.create_task(watch())))
            try:
                yield
            finally:
                later.cancel()
                for task in watching:
                    task.cancel()
    except TimeoutError:
        if is_gone:
            raise ClientGone from None
        if not deadline.expired():
            raise  # of the database's, which did not answer
        message = f"The operation took longer than {seconds:g} seconds. Ask for less at once."
        raise Unanswerable(ErrorCode.TIMEOUT, message) from None

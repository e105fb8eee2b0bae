"""Context of an operation: the actor, a read transaction, the loaders, and a unit of work for each mutation."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import strawberry

from db.engine.batching import Follower
from db.engine.database import Database
from db.engine.query_stats import QueryStats
from domain.core.scope import Actor, OperationResources, ReadScope, WriteScope, open_write_scope
from resolvers.dataloader import is_current_task_cancelled
from resolvers.loaders import Loaders


class Context:
    """Context of one operation. It uses no connection before the first statement."""

    def __init__(
        self,
        database: Database,
        actor: Actor,
        secrets: Sequence[bytes],
        idempotency_key: str | None = None,
        stats: QueryStats | None = None,
        requested_columns: frozenset[str] | None = None,
    ) -> None:
        """Create a context. `requested_columns` are the columns of rows that the operation reads; None means all columns."""
        self.actor = actor
        self.idempotency_key = idempotency_key
        self.stats = stats or QueryStats()
        self._resources = OperationResources(self.stats, secrets)
        self._database = database
        self._requested_columns = requested_columns
        self._begin_reads()

    def _begin_reads(self) -> None:
        self._read_transaction = self._database.read(self.actor.tenant, self.stats, self._requested_columns)
        self._scope = ReadScope(self.actor, self._read_transaction, self._resources.secrets)
        self.loaders = Loaders(self._scope)

    def expect_one_statement(self) -> None:
        """Read without a transaction if possible. A second statement then raises `SecondStatementError`."""
        self._read_transaction.expect_one_statement()

    async def restart_reads(self) -> None:
        """End the read transaction, discard what was read, and continue in a new read transaction."""
        await self._read_transaction.end()
        self._begin_reads()

    def read_scope(self) -> ReadScope:
        return self._scope

    def batch_queries(self, followers: Sequence[Follower], *, has_only_followers: bool) -> None:
        """Send concurrent queries to the database as one statement. `followers` are relations of the rows of the first query."""
        self._read_transaction.batch_queries(followers, has_only_followers=has_only_followers)

    async def disable_batching(self) -> None:
        """Stop batching queries and expecting one statement."""
        if not self._read_transaction.disable_batching():
            await self.restart_reads()

    @asynccontextmanager
    async def open_write_scope(self, operation: str, *, is_long: bool = False) -> AsyncIterator[WriteScope]:
        """Open a unit of work, after the end of the reads.

        So the operation holds no connection while it waits for another, and its later reads see the changes.
        """
        await self.restart_reads()
        async with open_write_scope(self._database, self.actor, operation, self._resources, is_long=is_long) as scope:
            yield scope

    async def end(self) -> None:
        """End the read transaction and free what was read. After a cancellation, stop the loaders first."""
        if is_current_task_cancelled():
            self.loaders.stop()
        await self._read_transaction.end()
        self.loaders.forget()


Info: TypeAlias = strawberry.Info[Context, None]

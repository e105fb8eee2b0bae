"""What one operation has: who asks, its read transaction, its loaders, and a unit of work for each change."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import strawberry

from db.batching import Follower
from db.engine import Database
from db.tally import QueryStats
from domain.scope import Actor, OperationResources, ReadScope, WriteScope, open_write_scope
from resolvers.batches import is_given_up
from resolvers.loaders import Loaders


class Context:
    """Costs nothing until the first statement."""

    def __init__(
        self,
        database: Database,
        actor: Actor,
        secrets: Sequence[bytes],
        idempotency_key: str | None = None,
        tally: QueryStats | None = None,
        asked: frozenset[str] | None = None,
    ) -> None:
        """`asked` are the attributes that are read of rows, whichever; all may be with None."""
        self.actor = actor
        self.idempotency_key = idempotency_key
        self.tally = tally or QueryStats()
        self._means = OperationResources(self.tally, secrets)
        self._database = database
        self._asked = asked
        self._begin_reads()

    def _begin_reads(self) -> None:
        self._reads = self._database.read(self.actor.tenant, self.tally, self._asked)
        self._scope = ReadScope(self.actor, self._reads, self._means.secrets)
        self.loaders = Loaders(self._scope)

    def expect_one_statement(self) -> None:
        """Read without a transaction, if that can be. Raises `SecondStatementError` where a second statement is asked."""
        self._reads.expect_one_statement()

    async def restart_reads(self) -> None:
        """Forget what was read, and read from here on in a transaction of its own."""
        await self._reads.end()
        self._begin_reads()

    def read(self) -> ReadScope:
        return self._scope

    def gather(self, followers: Sequence[Follower], *, is_led: bool) -> None:
        """Ask the database as one what is asked at the same time. The first query leads the followers, which may be all that is asked."""
        self._reads.batch_queries(followers, has_only_followers=is_led)

    async def ask_one_by_one(self) -> None:
        """Neither gather nor expect one statement from here on."""
        if not self._reads.disable_batching():
            await self.restart_reads()

    @asynccontextmanager
    async def write(self, operation: str, *, is_long: bool = False) -> AsyncIterator[WriteScope]:
        """Ends the reads so far first: no connection is held while another is asked for, and later reads see what was written."""
        await self.restart_reads()
        async with open_write_scope(self._database, self.actor, operation, self._means, is_long=is_long) as scope:
            yield scope

    async def end(self) -> None:
        """Gives the read transaction back and forgets what was read, whatever happened. For who gave up, nothing is asked any more."""
        if is_given_up():
            self.loaders.stop()
        await self._reads.end()
        self.loaders.forget()


Info: TypeAlias = strawberry.Info[Context, None]

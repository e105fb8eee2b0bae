"""What one operation has: who asks, its read transaction, its loaders."""

from collections.abc import Sequence
from typing import TypeAlias

import strawberry

from db.engine import Database
from domain.cursors import Cursors
from domain.scope import Actor, ReadScope
from resolvers.loaders import Loaders


class Context:
    """Costs nothing until the first statement."""

    def __init__(self, database: Database, actor: Actor, secrets: Sequence[bytes]) -> None:
        self.actor = actor
        self._reads = database.read(actor.tenant)
        self._scope = ReadScope(actor, self._reads, Cursors(secrets, actor.tenant))
        self.loaders = Loaders(self._scope)

    def read(self) -> ReadScope:
        return self._scope

    async def end(self) -> None:
        """Gives the read transaction back, whatever happened."""
        await self._reads.end()


Info: TypeAlias = strawberry.Info[Context, None]

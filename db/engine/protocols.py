"""Protocols of the transactions that queries and rules need. `db.engine.database` opens the transactions themselves."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine.statement import Command, Query, R


class Transaction(Protocol):
    """The protocol that queries need. The tenant is a parameter of every statement and is added here."""

    async def fetch(self, query: Query[R], **values: object) -> list[R]: ...

    def is_requested(self, attribute: str) -> bool:
        """Return whether the operation requests the attribute of that name, of any row class."""
        ...


class UnitOfWork(Transaction, Protocol):
    """The protocol that changes need: a session of entities, and the tenant to set on them."""

    @property
    def tenant(self) -> UUID: ...

    @property
    def session(self) -> AsyncSession: ...

    def savepoint(self) -> AbstractAsyncContextManager[None]: ...

    async def execute(self, command: Command, **values: object) -> int: ...

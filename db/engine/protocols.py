"""Protocols of the transactions that queries and the domain's rules need. `db.engine.database` opens the transactions."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine.statement import Command, Query, R


class Transaction(Protocol):
    """A transaction that queries can read from. It adds the tenant to the parameters of every statement."""

    async def fetch(self, query: Query[R], **values: object) -> list[R]: ...

    def is_requested(self, attribute: str) -> bool:
        """Return whether the operation requests an attribute of this name, of any row class."""
        ...


class UnitOfWork(Transaction, Protocol):
    """A transaction that can change rows: it has a session for entities, and the tenant to set on them."""

    @property
    def tenant(self) -> UUID: ...

    @property
    def session(self) -> AsyncSession: ...

    @property
    def driver(self) -> asyncpg.Connection:
        """The driver's connection of the transaction, for a library that brings its own statements. Flush the session first."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]: ...

    async def execute(self, command: Command, **values: object) -> int: ...

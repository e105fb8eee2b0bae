"""Reads that the modules of queries declare: each is made of a statement, and is called with a transaction.

They compare by identity, since a loader is found by the read that it runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self
from uuid import UUID

from db.engine.database import Transaction
from db.engine.statement import Query, R
from db.rows import CountByIdRow
from db.sql.grouping import group_by_key, row_by_key
from db.sql.pagination import PageSlice, fetch_counts


@dataclass(frozen=True, eq=False)
class ByKey(Generic[R]):
    """A read of the row of each key, or None, in the order of the keys. The rows have the keys in a column."""

    query: Query[R]
    column: str = "id"

    async def __call__(self, tx: Transaction, ids: Sequence[UUID]) -> list[R | None]:
        return row_by_key(await tx.fetch(self.query, ids=ids), ids, self.column)


@dataclass(frozen=True, eq=False)
class GroupsByKey(Generic[R]):
    """A read of the rows of each key, in the order of the keys. The rows have the keys in a column."""

    query: Query[R]
    column: str
    count: int | None = None

    def first(self, count: int) -> Self:
        """Return the read of so many rows of each key, for a query that takes a count."""
        return replace(self, count=count)

    async def __call__(self, tx: Transaction, ids: Sequence[UUID]) -> list[list[R]]:
        values = {} if self.count is None else {"count": self.count}
        return group_by_key(await tx.fetch(self.query, ids=ids, **values), ids, self.column)


@dataclass(frozen=True, eq=False)
class Counts:
    """A read of how many rows each key has."""

    query: Query[CountByIdRow]

    async def __call__(self, tx: Transaction, ids: Sequence[UUID]) -> list[int]:
        return await fetch_counts(tx, self.query, ids)


@dataclass(frozen=True, eq=False)
class Pages(Generic[R]):
    """A read of a page of the organization's rows. `query` returns the statement of a direction, from the start or after a place."""

    query: Callable[..., Query[R]]

    async def __call__(self, tx: Transaction, part: PageSlice) -> list[R]:
        return await part.fetch(tx, self.query)


@dataclass(frozen=True, eq=False)
class PagesOfEach(Generic[R]):
    """A read of a page of the rows of each parent, which the rows have in a column. `query` is the same as in `Pages`."""

    query: Callable[..., Query[R]]
    column: str

    async def __call__(self, tx: Transaction, ids: Sequence[UUID], part: PageSlice) -> list[list[R]]:
        return await part.fetch_per_parent(tx, self.query, ids, self.column)

"""Callables that fetch the rows of a query: the modules of `db.queries` declare them, and rules call them with a transaction.

They compare by identity, since a data loader is found by the callable that it runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self
from uuid import UUID

from db.engine.protocols import Transaction
from db.engine.statement import Query, R
from db.rows import CountByIdRow
from db.sql.grouping import group_by_key, row_by_key
from db.sql.pagination import PageSlice, fetch_counts


@dataclass(frozen=True, eq=False)
class RowFetcher(Generic[R]):
    """Fetch the row of each key, or None, in the order of the keys. `column` is the column of the keys."""

    query: Query[R]
    column: str = "id"

    async def __call__(self, tx: Transaction, ids: Sequence[UUID]) -> list[R | None]:
        return row_by_key(await tx.fetch(self.query, ids=ids), ids, self.column)


@dataclass(frozen=True, eq=False)
class GroupFetcher(Generic[R]):
    """Fetch the rows of each key, in the order of the keys. `column` is the column of the keys, `count` the maximum number of rows."""

    query: Query[R]
    column: str
    count: int | None = None

    def limit(self, count: int) -> Self:
        """Return a fetcher of at most `count` rows of each key. The query must have the parameter `count`."""
        return replace(self, count=count)

    async def __call__(self, tx: Transaction, ids: Sequence[UUID]) -> list[list[R]]:
        values = {} if self.count is None else {"count": self.count}
        return group_by_key(await tx.fetch(self.query, ids=ids, **values), ids, self.column)


@dataclass(frozen=True, eq=False)
class CountFetcher:
    """Fetch the number of rows of each key, in the order of the keys."""

    query: Query[CountByIdRow]

    async def __call__(self, tx: Transaction, ids: Sequence[UUID]) -> list[int]:
        return await fetch_counts(tx, self.query, ids)


@dataclass(frozen=True, eq=False)
class PageFetcher(Generic[R]):
    """Fetch a page of the organization's rows. `build_query` takes `is_ascending` and `is_next`: whether the page follows a cursor."""

    build_query: Callable[..., Query[R]]

    async def __call__(self, tx: Transaction, page_slice: PageSlice) -> list[R]:
        return await page_slice.fetch(tx, self.build_query)


@dataclass(frozen=True, eq=False)
class PagePerParentFetcher(Generic[R]):
    """Fetch a page of the rows of each parent. `column` is the column of the parents' ids; `build_query` is as in `PageFetcher`."""

    build_query: Callable[..., Query[R]]
    column: str

    async def __call__(self, tx: Transaction, ids: Sequence[UUID], page_slice: PageSlice) -> list[list[R]]:
        return await page_slice.fetch_per_parent(tx, self.build_query, ids, self.column)

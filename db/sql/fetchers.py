"""Callables that fetch the rows of a query. The modules of `db.queries` declare them, and the domain calls them with a transaction.

They compare by identity, because the callable is the key of its data loader.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Generic, Self
from uuid import UUID

from sqlalchemy import Select

from db.engine.protocols import Transaction
from db.engine.statement import Query, R
from db.rows import CountByIdRow
from db.sql.expressions import TENANT, col, requested_ids
from db.sql.grouping import group_by_key, row_by_key
from db.sql.pagination import Listing, PageSlice, fetch_counts, in_order_of_ids, page_per_parent
from db.tables.base import Entity


@dataclass(frozen=True, eq=False)
class RowFetcher(Generic[R]):
    """Fetch the row of each key, or None, in the order of the keys. `column` is the row's column that holds the key."""

    query: Query[R]
    column: str = "id"

    async def __call__(self, tx: Transaction, ids: Sequence[UUID]) -> list[R | None]:
        return row_by_key(await tx.fetch(self.query, ids=ids), ids, self.column)


@dataclass(frozen=True, eq=False)
class GroupFetcher(Generic[R]):
    """Fetch the rows of each key, in the order of the keys. `column` is the row's column that holds the key."""

    query: Query[R]
    column: str
    count: int | None = None

    def limit(self, count: int) -> Self:
        """Return a fetcher of at most `count` rows per key. The query must have the parameter `count`."""
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
    """Fetch a page of the organization's rows. `build_query` takes `is_ascending` and `is_next` (whether the page follows a cursor)."""

    build_query: Callable[..., Query[R]]

    @classmethod
    def by_creation(cls, rows: Select[*tuple[Any, ...]], row: type[R], table: type[Entity]) -> Self:
        """Return a fetcher that sorts the rows of a table by creation."""
        listing = Listing(rows, row, in_order_of_ids(table))
        return cls(cache(partial(listing.page, [col(table.tenant_id) == TENANT])))

    async def __call__(self, tx: Transaction, page_slice: PageSlice) -> list[R]:
        return await page_slice.fetch(tx, self.build_query)


@dataclass(frozen=True, eq=False)
class PagePerParentFetcher(Generic[R]):
    """Fetch a page of the rows of each parent. `column` holds the parent's id; `build_query` is as in `PageFetcher`."""

    build_query: Callable[..., Query[R]]
    column: str

    @classmethod
    def by_creation(cls, rows: Select[*tuple[Any, ...]], row: type[R], table: type[Entity], column: str) -> Self:
        """Return a fetcher that sorts the rows of each parent by creation. `column` is also the table's foreign key to the parent."""
        rows_of_parent = rows.where(col(getattr(table, column)) == requested_ids.c.id)
        return cls(cache(partial(page_per_parent, rows_of_parent, row, in_order_of_ids(table))), column)

    async def __call__(self, tx: Transaction, ids: Sequence[UUID], page_slice: PageSlice) -> list[list[R]]:
        return await page_slice.fetch_per_parent(tx, self.build_query, ids, self.column)

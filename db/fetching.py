"""Reads that the modules of queries declare: each is made of a statement, and is called with a transaction.

They compare by identity, since a loader is found by the read that it runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic
from uuid import UUID

from db.engine import Tx
from db.paging import Slice, counts_of
from db.query import Query, R, by_key, grouped
from db.rows import CountOfRow


@dataclass(frozen=True, eq=False)
class ByKey(Generic[R]):
    """A read of the row of each key, or None, in the order of the keys. The rows have the keys in a column."""

    query: Query[R]
    column: str = "id"

    async def __call__(self, tx: Tx, ids: Sequence[UUID]) -> list[R | None]:
        return by_key(await tx.fetch(self.query, ids=ids), ids, self.column)


@dataclass(frozen=True, eq=False)
class Grouped(Generic[R]):
    """A read of the rows of each key, in the order of the keys. The rows have the keys in a column."""

    query: Query[R]
    column: str

    async def __call__(self, tx: Tx, ids: Sequence[UUID], **values: object) -> list[list[R]]:
        return grouped(await tx.fetch(self.query, ids=ids, **values), ids, self.column)


@dataclass(frozen=True, eq=False)
class Counts:
    """A read of how many rows each key has."""

    query: Query[CountOfRow]

    async def __call__(self, tx: Tx, ids: Sequence[UUID]) -> list[int]:
        return await counts_of(tx, self.query, ids)


@dataclass(frozen=True, eq=False)
class Pages(Generic[R]):
    """A read of a page of the organization's rows. `made` gives the query of a direction, the first time or after a place."""

    made: Callable[..., Query[R]]

    async def __call__(self, tx: Tx, part: Slice) -> list[R]:
        return await part.fetch(tx, self.made)


@dataclass(frozen=True, eq=False)
class PagesOfEach(Generic[R]):
    """A read of a page of the rows of each parent, which the rows have in a column. `made` is the same as that of `Pages`."""

    made: Callable[..., Query[R]]
    column: str

    async def __call__(self, tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[R]]:
        return await part.of_each(tx, self.made, ids, self.column)

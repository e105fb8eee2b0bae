"""Text that is looked for within keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Generic

from sqlalchemy import ColumnElement, Text, func, select

from db.engine import Tx
from db.keys import name_key
from db.paging import Listing, Slice
from db.query import TENANT, Query, R, col, parameter, table_of
from db.rows import CountRow
from db.tables.base import Table


def within(text: str) -> str:
    """A pattern that finds the text anywhere; what LIKE takes for more than itself is taken for itself."""
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return f"%{text}%"


@dataclass(frozen=True)
class Search:
    """A text within names; without one, every name."""

    text: str | None = None

    @property
    def pattern(self) -> str | None:
        return None if self.text is None else within(name_key(self.text))


@dataclass(frozen=True, eq=False)
class Named(Generic[R]):
    """Rows of a table that are listed by name, and found by a text within it."""

    table: type[Table]
    listing: Listing[R]

    def those(self, *, is_searched: bool) -> list[ColumnElement[bool]]:
        mine = col(self.table.tenant_id) == TENANT
        return [mine, self.listing.place.key.like(parameter("in_name", Text()))] if is_searched else [mine]

    async def page(self, tx: Tx, wanted: Search, part: Slice) -> list[R]:
        """By name, those with the text in it where one is given."""
        return await part.fetch(tx, partial(paged, self, is_searched=wanted.text is not None), in_name=wanted.pattern)

    async def counts(self, tx: Tx, wanted: Sequence[Search]) -> list[int]:
        """Return how many there are of each."""
        found = [await tx.fetch(counted(self, is_searched=each.text is not None), in_name=each.pattern) for each in wanted]
        return [row.count for (row,) in found]


@cache
def paged(named: Named[Any], *, is_searched: bool, is_ascending: bool, is_next: bool) -> Query[Any]:
    return named.listing.page(named.those(is_searched=is_searched), is_ascending=is_ascending, is_next=is_next)


@cache
def counted(named: Named[Any], *, is_searched: bool) -> Query[CountRow]:
    counting = select(func.count().label("count")).select_from(table_of(named.table)).where(*named.those(is_searched=is_searched))
    return Query(counting, CountRow)

"""List rows by name, and search for a text within their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Generic

from sqlalchemy import ColumnElement, Text

from db.engine.protocols import Transaction
from db.engine.statement import Query, R
from db.rows import CountRow
from db.sql.expressions import TENANT, col, parameter
from db.sql.pagination import Listing, PageSlice, count_rows
from db.tables.base import Table
from db.tables.keys import name_key


def contains_pattern(text: str) -> str:
    """Return a LIKE pattern that matches the text anywhere. Its special characters are escaped."""
    for character in ("\\", "%", "_"):
        text = text.replace(character, f"\\{character}")
    return f"%{text}%"


@dataclass(frozen=True)
class Search:
    """A text to find within names. None finds every name."""

    text: str | None = None

    @property
    def pattern(self) -> str | None:
        return None if self.text is None else contains_pattern(name_key(self.text))


@dataclass(frozen=True, eq=False)
class NameListing(Generic[R]):
    """Rows of a table that are listed by name and can be searched by a text within the name."""

    table: type[Table]
    listing: Listing[R]

    def conditions(self, *, is_searched: bool) -> list[ColumnElement[bool]]:
        in_tenant = col(self.table.tenant_id) == TENANT
        return [in_tenant, self.listing.sort_key.key.like(parameter("in_name", Text()))] if is_searched else [in_tenant]

    async def page(self, tx: Transaction, search: Search, page_slice: PageSlice) -> list[R]:
        """Return the rows of a page, by name, that match the search."""
        return await page_slice.fetch(tx, partial(build_page, self, is_searched=search.text is not None), in_name=search.pattern)

    async def counts(self, tx: Transaction, searches: Sequence[Search]) -> list[int]:
        """Return the number of rows that each search finds."""
        results = [await tx.fetch(build_count(self, is_searched=each.text is not None), in_name=each.pattern) for each in searches]
        return [row.count for (row,) in results]


@cache
def build_page(listing: NameListing[Any], *, is_searched: bool, is_ascending: bool, is_next: bool) -> Query[Any]:
    return listing.listing.page(listing.conditions(is_searched=is_searched), is_ascending=is_ascending, is_next=is_next)


@cache
def build_count(listing: NameListing[Any], *, is_searched: bool) -> Query[CountRow]:
    return count_rows(listing.table, listing.conditions(is_searched=is_searched))

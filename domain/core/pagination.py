"""Paginate rows in a sort order, forwards or backwards."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from db.sql.pagination import CursorPosition, PageSlice
from db.sql.search import Search
from domain.core.cursors import Cursors
from domain.core.errors import BadInput
from domain.core.lookups import normalize_search
from domain.core.money import new_tuple
from domain.core.scope import ReadScope

MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 25
P = TypeVar("P")


@dataclass(frozen=True)
class SortOrder(Generic[P]):
    """A sort order: its name, which is part of each cursor, and a function that returns the position of a row."""

    name: str
    position: Callable[[P], CursorPosition]
    is_ascending: bool = True


class Edge(NamedTuple, Generic[P]):
    """A row of a page."""

    node: P
    page: "Page[P]"

    @property
    def cursor(self) -> str:
        return self.page.cursor(self.node)


class Page(NamedTuple, Generic[P]):
    """A page of a list. `has_next` and `has_previous` tell whether the list has rows after and before it.

    `selector` identifies the list, for example to count it: the id of its parent, or its filter.
    """

    rows: Sequence[P]
    has_next: bool
    has_previous: bool
    order: SortOrder[P]
    cursors: Cursors
    selector: Hashable

    @property
    def edges(self) -> list[Edge[P]]:
        return [new_tuple(Edge, (row, self)) for row in self.rows]

    def cursor(self, row: P) -> str:
        return self.cursors.encode(self.order.name, self.order.position(row))

    @property
    def start_cursor(self) -> str | None:
        return self.cursor(self.rows[0]) if self.rows else None

    @property
    def end_cursor(self) -> str | None:
        return self.cursor(self.rows[-1]) if self.rows else None


@dataclass(frozen=True)
class PageRequest:
    """The requested page: the first rows after a cursor, or the last rows before a cursor."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        for name, size in (("first", self.first), ("last", self.last)):
            if size is not None and not 1 <= size <= MAX_PAGE_SIZE:
                raise BadInput(f"`{name}` must be between 1 and {MAX_PAGE_SIZE}.")
        if (self.first or self.after) and (self.last or self.before):
            raise BadInput("A page is read either forwards or backwards. Pass `first` and `after`, or `last` and `before`, not both.")

    @cached_property
    def is_forward(self) -> bool:
        return self.last is None and self.before is None

    @cached_property
    def size(self) -> int:
        return self.first or self.last or DEFAULT_PAGE_SIZE

    @property
    def cursor(self) -> str | None:
        return self.after if self.is_forward else self.before


@dataclass(frozen=True)
class PageReader(Generic[P]):
    """Compute the slice to fetch for a requested page, and build the page from the fetched rows."""

    order: SortOrder[P]
    cursors: Cursors
    page_request: PageRequest
    start: CursorPosition | None  # the position of the cursor, from which rows are read in either direction

    @classmethod
    def of(cls, order: SortOrder[P], cursors: Cursors, page_request: PageRequest) -> "PageReader[P]":
        return cls(order, cursors, page_request, cursors.decode(order.name, page_request.cursor))

    @property
    def page_slice(self) -> PageSlice:
        """The slice to fetch: ascending if an ascending order is read forwards, or a descending order backwards."""
        return PageSlice(self.page_request.is_forward == self.order.is_ascending, self.start, self.page_request.size)

    def page(self, fetched_rows: Sequence[P], selector: Hashable) -> Page[P]:
        """Build the page from the fetched rows, in the direction in which they were read.

        `fetched_rows` has one row more than the page if there are further rows. A cursor shows that there are rows on its other side.
        """
        size, has_earlier = self.page_request.size, self.start is not None
        has_more = len(fetched_rows) > size
        rows = fetched_rows[:size] if has_more else fetched_rows
        if self.page_request.is_forward:
            return new_tuple(Page, (rows, has_more, has_earlier, self.order, self.cursors, selector))
        return new_tuple(Page, (rows[::-1], has_earlier, has_more, self.order, self.cursors, selector))

    def pages(self, row_groups: Iterable[Sequence[P]], parents: Iterable[Hashable]) -> list[Page[P]]:
        """Build the page of each parent. A parent can be any selector."""
        return [self.page(rows, parent) for rows, parent in zip(row_groups, parents, strict=True)]


@dataclass(frozen=True, eq=False)
class PagePerParentReader(Generic[P]):
    """Read a page of rows for each parent."""

    order: SortOrder[P]
    fetch_rows: Callable[[ReadScope, Sequence[UUID], PageSlice], Awaitable[Sequence[Sequence[P]]]]

    async def __call__(self, scope: ReadScope, ids: Sequence[UUID], *, page_request: PageRequest) -> list[Page[P]]:
        reader = PageReader.of(self.order, scope.cursors, page_request)
        return reader.pages(await self.fetch_rows(scope, ids, reader.page_slice), ids)


@dataclass(frozen=True, eq=False)
class OrganizationPageReader(Generic[P]):
    """Read a page of the organization's rows. `ids` contains only the organization of the scope."""

    order: SortOrder[P]
    fetch_rows: Callable[[ReadScope, PageSlice], Awaitable[Sequence[P]]]

    async def __call__(self, scope: ReadScope, ids: Sequence[UUID], *, page_request: PageRequest) -> list[Page[P]]:
        reader = PageReader.of(self.order, scope.cursors, page_request)
        return reader.pages([await self.fetch_rows(scope, reader.page_slice)] * len(ids), ids)


@dataclass(frozen=True, eq=False)
class SearchPageReader(Generic[P]):
    """Read a page of the organization's rows that match a search text, or of all rows without one."""

    order: SortOrder[P]
    fetch_rows: Callable[[ReadScope, Search, PageSlice], Awaitable[Sequence[P]]]

    async def __call__(self, scope: ReadScope, search: str | None, page_request: PageRequest) -> Page[P]:
        reader = PageReader.of(self.order, scope.cursors, page_request)
        criteria = Search(normalize_search(search))
        return reader.page(await self.fetch_rows(scope, criteria, reader.page_slice), criteria)

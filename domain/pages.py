"""A page of rows in an order, read forwards or backwards."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from db.paging import CursorPosition, PageSlice
from domain.cursors import Cursors
from domain.errors import BadInput
from domain.scope import ReadScope
from domain.values import made

LARGEST = 100
USUAL = 25
P = TypeVar("P")


@dataclass(frozen=True)
class Order(Generic[P]):
    """An order of rows: its name, which cursors carry, and where a row stands in it."""

    name: str
    place: Callable[[P], CursorPosition]
    is_ascending: bool = True


class Edge(NamedTuple, Generic[P]):
    """A row in its page."""

    node: P
    page: "Page[P]"

    @property
    def cursor(self) -> str:
        return self.page.cursor(self.node)


class Page(NamedTuple, Generic[P]):
    """Rows, whether there are more on either side, and what they were chosen by: a filter, or the id of what has them."""

    rows: Sequence[P]
    has_next: bool
    has_previous: bool
    order: Order[P]
    cursors: Cursors
    chosen: Hashable

    @property
    def edges(self) -> list[Edge[P]]:
        return [made(Edge, (row, self)) for row in self.rows]

    def cursor(self, row: P) -> str:
        return self.cursors.write(self.order.name, self.order.place(row))

    @property
    def start_cursor(self) -> str | None:
        return self.cursor(self.rows[0]) if self.rows else None

    @property
    def end_cursor(self) -> str | None:
        return self.cursor(self.rows[-1]) if self.rows else None


@dataclass(frozen=True)
class Span:
    """The part of an order that is asked for: the first so many after a cursor, or the last so many before one."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        for name, size in (("first", self.first), ("last", self.last)):
            if size is not None and not 1 <= size <= LARGEST:
                raise BadInput(f"`{name}` is from 1 to {LARGEST}.")
        if (self.first or self.after) and (self.last or self.before):
            raise BadInput("Read forwards with `first` and `after`, or backwards with `last` and `before`, not both.")

    @cached_property
    def is_forward(self) -> bool:
        return self.last is None and self.before is None

    @cached_property
    def size(self) -> int:
        return self.first or self.last or USUAL

    @property
    def cursor(self) -> str | None:
        return self.after if self.is_forward else self.before


@dataclass(frozen=True)
class Reading(Generic[P]):
    """A span of an order as it is read: from a place on, in the order or against it."""

    order: Order[P]
    cursors: Cursors
    span: Span
    after: CursorPosition | None

    @classmethod
    def of(cls, order: Order[P], cursors: Cursors, span: Span) -> "Reading[P]":
        return cls(order, cursors, span, cursors.read(order.name, span.cursor))

    @property
    def part(self) -> PageSlice:
        """Forwards is up, unless the order itself goes down."""
        return PageSlice(self.span.is_forward == self.order.is_ascending, self.after, self.span.size)

    def page(self, found: Sequence[P], chosen: Hashable) -> Page[P]:
        """`found`, in the direction of reading, holds one row more than asked for when there are more."""
        size, has_passed = self.span.size, self.after is not None
        has_more = len(found) > size
        rows = found[:size] if has_more else found
        if self.span.is_forward:
            return made(Page, (rows, has_more, has_passed, self.order, self.cursors, chosen))
        return made(Page, (rows[::-1], has_passed, has_more, self.order, self.cursors, chosen))

    def pages(self, found: Iterable[Sequence[P]], parents: Iterable[Hashable]) -> list[Page[P]]:
        """A page for each parent, or for each and what was wanted of it."""
        return [self.page(rows, parent) for rows, parent in zip(found, parents, strict=True)]


@dataclass(frozen=True, eq=False)
class PagesOfEach(Generic[P]):
    """A read of a page of the rows of each parent, in an order."""

    order: Order[P]
    rows: Callable[[ReadScope, Sequence[UUID], PageSlice], Awaitable[Sequence[Sequence[P]]]]

    async def __call__(self, scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> list[Page[P]]:
        reading = Reading.of(self.order, scope.cursors, span)
        return reading.pages(await self.rows(scope, ids, reading.part), ids)


@dataclass(frozen=True, eq=False)
class PagesOfOrganization(Generic[P]):
    """A read of a page of the organization's rows, in an order. Only the organization of the scope is ever asked for."""

    order: Order[P]
    rows: Callable[[ReadScope, PageSlice], Awaitable[Sequence[P]]]

    async def __call__(self, scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> list[Page[P]]:
        reading = Reading.of(self.order, scope.cursors, span)
        return reading.pages([await self.rows(scope, reading.part)] * len(ids), ids)

"""A page of rows in an order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from db.paging import Key
from db.query import Row
from domain.cursors import Cursors
from domain.errors import BadInput

LARGEST = 100
P = TypeVar("P", bound=Row)


@dataclass(frozen=True)
class Order(Generic[P]):
    """An order of rows: its name, which cursors carry, and where a row stands in it."""

    name: str
    place: Callable[[P], Key]


@dataclass(frozen=True, slots=True)
class Edge(Generic[P]):
    """A row in its page."""

    node: P
    page: "Page[P]"

    @property
    def cursor(self) -> str:
        return self.page.cursor(self.node)


@dataclass(frozen=True, slots=True)
class Page(Generic[P]):
    """Rows, and whether there are more on either side."""

    rows: Sequence[P]
    has_next: bool
    has_previous: bool
    order: Order[P]
    cursors: Cursors

    @property
    def edges(self) -> list[Edge[P]]:
        return [Edge(row, self) for row in self.rows]

    def cursor(self, row: P) -> str:
        return self.cursors.write(self.order.name, self.order.place(row))

    @property
    def start_cursor(self) -> str | None:
        return self.cursor(self.rows[0]) if self.rows else None

    @property
    def end_cursor(self) -> str | None:
        return self.cursor(self.rows[-1]) if self.rows else None


@dataclass(frozen=True)
class Wanted(Generic[P]):
    """The page asked for: so many rows, from a place in an order."""

    order: Order[P]
    cursors: Cursors
    size: int
    after: Key | None

    @classmethod
    def of(cls, order: Order[P], cursors: Cursors, *, first: int, after: str | None) -> "Wanted[P]":
        if not 1 <= first <= LARGEST:
            raise BadInput(f"`first` is from 1 to {LARGEST}.")
        return cls(order, cursors, first, cursors.read(order.name, after))

    def page(self, found: Sequence[P]) -> Page[P]:
        """`found` holds one row more than asked for when there is a next page."""
        return Page(found[: self.size], len(found) > self.size, self.after is not None, self.order, self.cursors)

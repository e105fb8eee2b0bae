"""Connections over pages of rows: the row is the node, read off as it is."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import strawberry

from resolvers.inlined import Entries
from schema.fields import Terms
from schema.lens import itself, read

N = TypeVar("N")


@strawberry.type(description="Where a page lies in its order.")
class PageInfo:
    has_next_page: bool = read(attrgetter("has_next"), description="Whether more follows.")
    has_previous_page: bool = read(attrgetter("has_previous"), description="Whether something comes before.")
    start_cursor: str | None = read(attrgetter("start_cursor"), description="Cursor of the first entry.")
    end_cursor: str | None = read(attrgetter("end_cursor"), description="Cursor of the last entry: give it as `after` to read on.")


@strawberry.type(description="An entry of a page.")
class Edge(Generic[N]):
    cursor: str = strawberry.field(description="Where the entry lies in its order.")
    node: N = strawberry.field(description="The entry itself.")


TOTAL = "How many there are in all, whatever the page."
# A count of what one object has is read for all objects of a level by one statement. A count of the whole organization reads all of it: its
# weight is what `benchmarks.points` measured with the dearest filter. So connections of the two kinds are types of their own.
COUNTED = Terms(cost=2)


def edges(description: str) -> Any:  # noqa: ANN401 the annotation stands
    """Declare the edges of a page, which the compiled executor reads off its rows."""
    inlined = Entries("rows", lambda page, row: {"node": row, "cursor": f"{page}.cursor({row})"})
    return strawberry.field(description=description, metadata={"inlined": inlined})


@strawberry.type(description="A page.")
class Connection(Generic[N]):
    edges: Sequence[Edge[N]] = edges("The entries with their cursors.")
    nodes: Sequence[N] = read(attrgetter("rows"), description="The entries without their cursors.")
    page_info: PageInfo = read(itself, description="Where the page lies.", reads=())

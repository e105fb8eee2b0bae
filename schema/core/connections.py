"""Connections over pages of rows: the row is the node."""

from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import strawberry

from resolvers.execution.expressions import ListExpression
from schema.core.fields import FieldOptions, relation
from schema.core.row_type import computed_field, identity

N = TypeVar("N")


@strawberry.type(description="Where a page lies in its order.")
class PageInfo:
    has_next_page: bool = computed_field(attrgetter("has_next"), description="Whether more follows.")
    has_previous_page: bool = computed_field(attrgetter("has_previous"), description="Whether something comes before.")
    start_cursor: str | None = computed_field(attrgetter("start_cursor"), description="Cursor of the first entry.")
    end_cursor: str | None = computed_field(
        attrgetter("end_cursor"), description="Cursor of the last entry: give it as `after` to read on."
    )


@strawberry.type(description="An entry of a page.")
class Edge(Generic[N]):
    cursor: str = strawberry.field(description="Where the entry lies in its order.")
    node: N = strawberry.field(description="The entry itself.")


# One statement counts the children of all objects of a level. A count of the whole organization reads all of it: its
# weight is what `benchmarks.points` measured with the most expensive filter. So the two kinds of connections have separate types.
CHILDREN_COUNT_COST = 2


def declare_total_count(counts: Callable[..., Awaitable[Sequence[int]]], cost: int = CHILDREN_COUNT_COST) -> Any:  # noqa: ANN401 the annotation stands
    """Declare the total count of a connection, which the batch function counts by the page's selector."""
    return relation(counts, key="selector", description="How many there are in all, whatever the page.", options=FieldOptions(cost=cost))


def declare_edges(description: str) -> Any:  # noqa: ANN401 the annotation stands
    """Declare the edges of a page, which the compiled executor reads off its rows."""
    expression = ListExpression("rows", lambda page, row: {"node": row, "cursor": f"{page}.cursor({row})"})
    return strawberry.field(description=description, metadata={"expression": expression})


@strawberry.type(description="A page.")
class Connection(Generic[N]):
    edges: Sequence[Edge[N]] = declare_edges("The entries with their cursors.")
    nodes: Sequence[N] = computed_field(attrgetter("rows"), description="The entries without their cursors.")
    page_info: PageInfo = computed_field(identity, description="Where the page lies.", columns=())

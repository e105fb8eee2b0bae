"""Connections over pages of rows, in which each row is a node."""

from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import strawberry

from resolvers.execution.expressions import ListExpression
from schema.core.fields import FieldOptions, relation
from schema.core.row_type import attribute, computed_field, identity

N = TypeVar("N")


@strawberry.type(description="Position of a page in its list.")
class PageInfo:
    has_next_page: bool = computed_field(attrgetter("has_next"), "Whether more entries follow.")
    has_previous_page: bool = computed_field(attrgetter("has_previous"), "Whether entries precede the page.")
    start_cursor: str | None = computed_field(
        attrgetter("start_cursor"), "Cursor of the first entry; pass it as `before` to read the previous page. Null if the page is empty."
    )
    end_cursor: str | None = computed_field(
        attrgetter("end_cursor"), "Cursor of the last entry; pass it as `after` to read the next page. Null if the page is empty."
    )


@strawberry.type(description="An entry of a page, with its cursor.")
class Edge(Generic[N]):
    cursor: str = attribute("Opaque position of the entry in the list.")
    node: N = attribute("The entry.")


# One statement counts the children of all parents on a level, so this count is cheap. A count of the whole organization reads all of its
# rows and costs what `benchmarks.points` measured with the most expensive filter. Therefore the two kinds of lists have separate types.
CHILDREN_COUNT_COST = 2


def declare_total_count(counts: Callable[..., Awaitable[Sequence[int]]], cost: int = CHILDREN_COUNT_COST) -> Any:  # noqa: ANN401 the field is annotated where it is declared
    """Declare the total count of a connection. The batch function counts by the `selector` of each page."""
    return relation(counts, "Number of entries on all pages.", key="selector", options=FieldOptions(cost=cost))


def declare_edges(description: str) -> Any:  # noqa: ANN401 the field is annotated where it is declared
    """Declare the edges of a page. The compiled executor builds them from the rows."""
    expression = ListExpression("rows", lambda page, row: {"node": row, "cursor": f"{page}.cursor({row})"})
    return strawberry.field(description=description, metadata={"expression": expression})


@strawberry.type(description="A page of a list.")
class Connection(Generic[N]):
    edges: Sequence[Edge[N]] = declare_edges("Entries with their cursors.")
    nodes: Sequence[N] = computed_field(attrgetter("rows"), "Entries without their cursors.")
    page_info: PageInfo = computed_field(identity, "Whether there are more pages, and the cursors to read them.", columns=())

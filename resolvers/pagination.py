"""Arguments that several subjects share, and what converts those of a relation for its batch function."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeAlias

import strawberry

from domain.core.pagination import PageRequest
from resolvers.enums import describe_enum

First: TypeAlias = Annotated[int | None, strawberry.argument(description="The first so many, 1 to 100; 25 unless given.")]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="The cursor to read on after: `endCursor` of the page before.")]
Last: TypeAlias = Annotated[int | None, strawberry.argument(description="The last so many, 1 to 100, reading backwards.")]
Before: TypeAlias = Annotated[str | None, strawberry.argument(description="The cursor to read back from: `startCursor` of the page after.")]


def paginate(first: First = None, after: After = None, last: Last = None, before: Before = None) -> Mapping[str, object]:
    """Convert the arguments of a relation that is a page."""
    return {"page_request": PageRequest(first, after, last, before)}


SEARCH_DESCRIPTION = "Found within the name, without regard to capitals and accents."
NameSearch: TypeAlias = Annotated[str | None, strawberry.argument(description=SEARCH_DESCRIPTION)]


class OrderDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


describe_enum(OrderDirection, "Which way an order goes.", ASC="From A to Z, from old to new.", DESC="From Z to A, from new to old.")

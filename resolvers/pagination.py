"""Arguments that several subjects share, and the conversion of the page arguments of a relation."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeAlias

import strawberry

from domain.core.pagination import PageRequest
from resolvers.enums import describe_enum

First: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Number of entries, 1 to 100, from the start or after the cursor `after`. Defaults to 25.")
]
After: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Cursor after which the page starts: `endCursor` of the previous page.")
]
Last: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="Number of entries, 1 to 100, from the end or before the cursor `before`. Not allowed with `first` or `after`."
    ),
]
Before: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="Cursor after the page: `startCursor` of the next page. Not allowed with `first` or `after`."),
]


def paginate(first: First = None, after: After = None, last: Last = None, before: Before = None) -> Mapping[str, object]:
    """Convert the arguments of a page of a relation to those of its batch function."""
    return {"page_request": PageRequest(first, after, last, before)}


SEARCH_DESCRIPTION = "Text within the name, at most 200 characters. Case and accents are ignored."
NameSearch: TypeAlias = Annotated[str | None, strawberry.argument(description=SEARCH_DESCRIPTION)]


class OrderDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


describe_enum(OrderDirection, "Sort direction.", ASC="From A to Z, from old to new.", DESC="From Z to A, from new to old.")

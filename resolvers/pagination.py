"""Arguments that several subjects share, and the conversion of the page arguments of a relation."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeAlias

import strawberry

from domain.core.lookups import MAX_SEARCH_LENGTH
from domain.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageRequest
from resolvers.enums import describe_enum

DEFAULT_SIZE_HINT = f"If both `first` and `last` are omitted, {DEFAULT_PAGE_SIZE}."
FORWARD_HINT = "Not allowed with `first` or `after`."
First: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description=f"Number of entries, 1 to {MAX_PAGE_SIZE}, from the start or after the cursor `after`. {DEFAULT_SIZE_HINT}"
    ),
]
After: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description="Cursor after which the page starts: `endCursor` of the previous page. If omitted, the page starts with the first "
        "entry."
    ),
]
Last: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description=f"Number of entries, 1 to {MAX_PAGE_SIZE}, from the end or before the cursor `before`. {FORWARD_HINT} "
        f"{DEFAULT_SIZE_HINT}"
    ),
]
Before: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description=f"Cursor after the page: `startCursor` of the next page. {FORWARD_HINT} If omitted, `last` counts from the end."
    ),
]


def paginate(first: First = None, after: After = None, last: Last = None, before: Before = None) -> Mapping[str, object]:
    """Convert the arguments of a page of a relation to those of its batch function."""
    return {"page_request": PageRequest(first, after, last, before)}


SEARCH_DESCRIPTION = (
    f"Text within the name, at most {MAX_SEARCH_LENGTH} characters. Case and accents are ignored. If omitted, every entry matches."
)
NameSearch: TypeAlias = Annotated[str | None, strawberry.argument(description=SEARCH_DESCRIPTION)]


class OrderDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


describe_enum(OrderDirection, "Sort direction.", ASC="From A to Z, from old to new.", DESC="From Z to A, from new to old.")

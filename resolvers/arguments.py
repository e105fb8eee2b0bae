"""Arguments that several subjects share."""

from datetime import date
from typing import Annotated, TypeAlias

import strawberry

from domain.values import Period

First: TypeAlias = Annotated[int, strawberry.argument(description="How many, 1 to 100.")]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="The cursor to read on after: `endCursor` of the page before.")]


@strawberry.input(description="A closed interval of days; without a start or an end it is open on that side.")
class PeriodInput:
    since: date | None = strawberry.field(default=None, description="First day.")
    until: date | None = strawberry.field(default=None, description="Last day.")


def period_of(given: PeriodInput | None) -> Period:
    return Period(given.since, given.until) if given else Period()

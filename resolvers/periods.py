"""Periods of days as arguments."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import strawberry

from domain.core.periods import Period


@strawberry.input(description="A period of whole days, including the first and the last. If one is omitted, it is open on that side.")
class PeriodInput:
    since: date | None = strawberry.field(default=None, description="First day of the period.")
    until: date | None = strawberry.field(default=None, description="Last day of the period.")


def to_period(period: PeriodInput | None) -> Period:
    return Period(period.since, period.until) if period else Period()


def select_period(
    period: Annotated[PeriodInput | None, strawberry.argument(description="Period of the revenue; all time if omitted.")] = None,
) -> Mapping[str, object]:
    """Convert the argument of a relation to that of its batch function."""
    return {"period": to_period(period)}

"""Amounts of money."""

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter

import strawberry

from domain import values
from schema.lens import lens
from schema.scalars import CurrencyCode


@lens(values.Money, description="An amount in a currency.")
class Money:
    amount: Decimal = strawberry.field(description="How much.")
    currency: CurrencyCode = strawberry.field(description="In which currency.")


def money(of: str) -> Callable[[object], values.Money | None]:
    """Reads an amount, and the currency beside it, off a row; `total.net` has its currency at `total.currency`."""
    amount, currency = attrgetter(of), attrgetter(f"{of.rpartition('.')[0]}.currency".lstrip("."))
    return lambda row: None if amount(row) is None else values.Money(amount(row), currency(row))

"""Amounts of money."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
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
    return partial(_money, attrgetter(of), attrgetter(f"{of.rpartition('.')[0]}.currency".lstrip(".")))


def _money(amount: Callable[[object], str | None], currency: Callable[[object], str], row: object) -> values.Money | None:
    found = amount(row)
    return None if found is None else values.made(values.Money, (found, currency(row)))

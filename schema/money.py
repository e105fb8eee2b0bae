"""Amounts of money."""

from decimal import Decimal
from functools import partial

import strawberry

from domain import values
from resolvers.inlined import Parts
from schema.lens import lens
from schema.scalars import CurrencyCode


@lens(values.Money, description="An amount in a currency.")
class Money:
    amount: Decimal = strawberry.field(description="How much.")
    currency: CurrencyCode = strawberry.field(description="In which currency.")


def money(of: str) -> Parts:
    """Read an amount, and the currency beside it, off a row; `total.net` has its currency at `total.currency`."""
    beside, dot, _ = of.rpartition(".")
    return Parts(partial(values.new_tuple, values.Money), amount=of, currency=f"{beside}{dot}currency")

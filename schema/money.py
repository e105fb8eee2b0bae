"""Amounts of money."""

from decimal import Decimal
from functools import partial

import strawberry

from domain import values
from resolvers.inlined import ObjectExpression
from schema.lens import row_type
from schema.scalars import CurrencyCode


@row_type(values.Money, description="An amount in a currency.")
class Money:
    amount: Decimal = strawberry.field(description="How much.")
    currency: CurrencyCode = strawberry.field(description="In which currency.")


def read_money(attribute: str) -> ObjectExpression:
    """Read an amount, and the currency beside it, off a row; `total.net` has its currency at `total.currency`."""
    parent, dot, _ = attribute.rpartition(".")
    return ObjectExpression(partial(values.new_tuple, values.Money), amount=attribute, currency=f"{parent}{dot}currency")

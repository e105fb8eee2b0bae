"""Amounts of money."""

from decimal import Decimal
from functools import partial

import strawberry

from domain.core import money
from resolvers.execution.expressions import ObjectExpression
from schema.core.row_type import row_type
from schema.core.scalars import CurrencyCode


@row_type(money.Money, description="An amount in a currency.")
class Money:
    amount: Decimal = strawberry.field(description="How much.")
    currency: CurrencyCode = strawberry.field(description="In which currency.")


def read_money(attribute: str) -> ObjectExpression:
    """Read an amount, and the currency beside it, off a row; `total.net` has its currency at `total.currency`."""
    parent, dot, _ = attribute.rpartition(".")
    return ObjectExpression(partial(money.new_tuple, money.Money), amount=attribute, currency=f"{parent}{dot}currency")

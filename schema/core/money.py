"""GraphQL type of amounts of money."""

from decimal import Decimal
from functools import partial

from domain.core import money
from resolvers.execution.expressions import ObjectExpression
from schema.core.row_type import attribute, row_type
from schema.core.scalars import CurrencyCode


@row_type(money.Money, description="An amount of money.")
class Money:
    amount: Decimal = attribute("Amount in units of the currency, for example `12.50`.")
    currency: CurrencyCode = attribute("Currency of the amount.")


def read_money(attribute: str) -> ObjectExpression:
    """Read an amount and its currency off a row. The currency is beside the amount: `total.net` goes with `total.currency`."""
    parent, dot, _ = attribute.rpartition(".")
    return ObjectExpression(partial(money.new_tuple, money.Money), amount=attribute, currency=f"{parent}{dot}currency")

"""Amounts in a currency."""

from typing import NamedTuple

new_tuple = tuple.__new__
"""Create a named tuple in half the time of its constructor: an answer has hundreds of them."""


class Money(NamedTuple):
    """An amount, exact and as text, in a currency of ISO 4217."""

    amount: str
    currency: str

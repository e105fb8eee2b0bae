"""Represent amounts in a currency."""

from typing import NamedTuple

new_tuple = tuple.__new__
"""Create a named tuple in half the time of its constructor. A response has hundreds of them."""


class Money(NamedTuple):
    """An exact amount as text, and its currency (ISO 4217)."""

    amount: str
    currency: str

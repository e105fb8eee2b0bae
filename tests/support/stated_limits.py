"""Read the limits that descriptions of arguments and input fields state, and build values at and beyond them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from graphql import GraphQLList, GraphQLNamedType, get_named_type

from tests.support.ids import global_id, type_of

TEXT = re.compile(r"\bat most (\d+) characters", re.IGNORECASE)
RANGE = re.compile(r"\b(\d+) to (\d+)\b")
COUNT = re.compile(r"\bat most (\d+)\b", re.IGNORECASE)
DIGITS = re.compile(r"(0 or more|More than 0), with at most (\d+) digits before and (\d+) after the decimal point")
DECIMAL_RANGE = re.compile(r"From (\d+) to (\d+), with at most (\d+) digits after the decimal point")


@dataclass(frozen=True)
class LimitValues:
    """Values at the limits, and values just beyond them."""

    accepted: Sequence[Any]
    rejected: Sequence[Any]


def limit_values(kind: GraphQLNamedType | GraphQLList[Any], description: str, sample: Any = None) -> LimitValues | None:  # noqa: ANN401 JSON
    """Return the values for a type without its non-null. Return None if the description states no limit.

    A list is built from `sample`, an entry of it. Ids in it are all different.
    """
    if isinstance(kind, GraphQLList):
        return _list_values(description, sample)
    match get_named_type(kind).name:
        case "String":
            return _text_values(description)
        case "Int":
            return _int_values(description)
        case "Decimal":
            return _decimal_values(description)
        case _:
            return None


def _list_values(description: str, sample: Any) -> LimitValues | None:  # noqa: ANN401 JSON
    if match := RANGE.search(description):
        low, high = int(match[1]), int(match[2])
        return LimitValues([_entries(sample, low), _entries(sample, high)], [_entries(sample, low - 1), _entries(sample, high + 1)])
    match = COUNT.search(description)
    return match and LimitValues([_entries(sample, int(match[1]))], [_entries(sample, int(match[1]) + 1)])


def _entries(sample: Any, count: int) -> list[Any]:  # noqa: ANN401 JSON
    is_id = isinstance(sample, str) and re.fullmatch("[a-z]{3}_.{22}", sample)
    return [global_id(type_of(sample), UUID(int=index + 1)) for index in range(count)] if is_id else [sample] * count


def _text_values(description: str) -> LimitValues | None:
    match = TEXT.search(description)
    return match and LimitValues(["x" * int(match[1])], ["x" * (int(match[1]) + 1)])


def _int_values(description: str) -> LimitValues | None:
    match = RANGE.search(description)
    return match and LimitValues([int(match[1]), int(match[2])], [int(match[1]) - 1, int(match[2]) + 1])


def _decimal_values(description: str) -> LimitValues | None:
    if match := DECIMAL_RANGE.search(description):
        low, high, places = int(match[1]), int(match[2]), int(match[3])
        step = Decimal(1).scaleb(-places)
        too_fine = f"{low}.{'0' * places}1"
        return LimitValues([f"{low}", f"{high}", str(low + step)], [str(low - step), str(high + step), too_fine])
    if match := DIGITS.search(description):
        whole, places = int(match[2]), int(match[3])
        least = "0" if match[1] == "0 or more" else f"0.{'0' * (places - 1)}1"
        below = f"-0.{'0' * (places - 1)}1" if least == "0" else "0"
        return LimitValues([least, f"{'9' * whole}.{'9' * places}"], [below, f"1{'0' * whole}", f"1.{'0' * places}1"])
    return None

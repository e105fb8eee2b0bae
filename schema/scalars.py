"""Scalars, strict in what they take."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

CurrencyCode = NewType("CurrencyCode", str)
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(value: object) -> date:
    try:
        if isinstance(value, str) and DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise GraphQLError(f"{value!r} is not a day. A day is written as 2026-01-31.")


def _moment(value: object) -> datetime:
    try:
        if isinstance(value, str) and MOMENT.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise GraphQLError(f"{value!r} is not a moment. A moment is written with its offset, as 2026-01-31T09:30:00+01:00 or …Z.")


NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,15})?")


def _number(value: object) -> Decimal:
    """As text, since a JSON number is a float to many; whole numbers are exact anyway. Neither NaN nor powers of ten."""
    if (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and NUMBER.fullmatch(value)):
        return Decimal(value)
    raise GraphQLError(f'{value!r} is not an exact number. A number is written as text, as "1234.50".')


def _is_output_only(value: object) -> object:
    raise GraphQLError(f"{value!r} cannot be given here.")


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        serialize=str,
        parse_value=_number,
        description='An exact decimal number, as text: `"1234.50"`.',
        specified_by_url="https://scalars.graphql.org/chillicream/decimal",
    ),
    date: strawberry.scalar(
        name="Date",
        serialize=date.isoformat,
        parse_value=_day,
        description="A day: `2026-01-31`.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        serialize=datetime.isoformat,
        parse_value=_moment,
        description="A moment, with its offset from UTC: `2026-01-31T09:30:00+00:00`.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        serialize=str,
        parse_value=_is_output_only,
        description="A currency of ISO 4217: `EUR`.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
    ),
}

"""Scalars, strict in what they take."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType, Self, TypeVar

import strawberry
from graphql import GraphQLError, GraphQLID, GraphQLScalarType, ValueNode, value_from_ast_untyped
from graphql.pyutils import inspect
from strawberry.types.scalar import ScalarDefinition

from db.moments import format_timestamp, truncate
from resolvers.ids import GlobalId, parse_id

T = TypeVar("T")
CurrencyCode = NewType("CurrencyCode", str)
# Beyond these years a moment with an offset may have no date in UTC or in an organization's time zone.
FIRST_YEAR, LAST_YEAR = 1900, 9998
YEARS = f"{FIRST_YEAR} to {LAST_YEAR}"
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,15})?", re.ASCII)


def _day(value: object) -> date:
    try:
        if isinstance(value, str) and DAY.fullmatch(value) and _is_within(day := date.fromisoformat(value)):
            return day
    except ValueError:
        pass
    raise GraphQLError(f"{inspect(value)} is not a day of the years {YEARS}. A day is written as 2026-01-31.")


def _moment(value: object) -> datetime:
    try:
        if isinstance(value, str) and MOMENT.fullmatch(value):
            moment = datetime.fromisoformat(value)
            if _is_within(moment.astimezone(UTC)):
                return truncate(moment)
    except (ValueError, OverflowError):
        pass
    how = "A moment is written with its offset, as 2026-01-31T09:30:00+01:00 or …Z."
    raise GraphQLError(f"{inspect(value)} is not a moment of the years {YEARS} in UTC. {how}")


def _is_within(day: date) -> bool:
    return FIRST_YEAR <= day.year <= LAST_YEAR


def _number(value: object) -> Decimal:
    """As text, since a JSON number is a float to many; whole numbers are exact anyway. Neither NaN nor powers of ten."""
    if (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and NUMBER.fullmatch(value)):
        return Decimal(value)
    raise GraphQLError(f'{inspect(value)} is not an exact number. A number is written as text, as "1234.50".')


def _is_output_only(value: object) -> object:
    raise GraphQLError(f"{inspect(value)} cannot be given here.")


def _literal(parse: Callable[[object], T]) -> Callable[[ValueNode, dict[str, Any] | None], T]:
    """Make the function that reads a literal. graphql-core's own would not say where in the document a wrong one stands."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> T:
        try:
            return parse(value_from_ast_untyped(node, variables))
        except GraphQLError as wrong:
            raise GraphQLError(wrong.message, node) from None

    return parse_literal


def _scalar(
    name: str, *, parse: Callable[[object], Any], serialize: Callable[[Any], str], description: str, specified_by_url: str | None
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        serialize=serialize,
        parse_value=parse,
        parse_literal=_literal(parse),
        description=description,
        specified_by_url=specified_by_url,
    )


class _Id(GraphQLScalarType):
    """The built-in type `ID`, whose values are read as ids of ours. graphql-core keeps the name for its own."""

    def __new__(cls, *_: object, **__: object) -> Self:
        return object.__new__(cls)


SCALARS: dict[object, ScalarDefinition] = {
    GlobalId: ScalarDefinition(
        name="ID",
        description=None,
        specified_by_url=None,
        serialize=str,
        parse_value=parse_id,
        parse_literal=_literal(parse_id),
        implementation=_Id("ID", serialize=str, parse_value=parse_id, parse_literal=_literal(parse_id), description=GraphQLID.description),
    ),
    Decimal: _scalar(
        "Decimal",
        serialize=str,
        parse=_number,
        description='An exact decimal number, as text: `"1234.50"`.',
        specified_by_url=None,
    ),
    date: _scalar(
        "Date",
        serialize=date.isoformat,
        parse=_day,
        description=f"A day: `2026-01-31`. One that is given is of the years {YEARS}.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
    ),
    datetime: _scalar(
        "DateTime",
        serialize=format_timestamp,
        parse=_moment,
        description=f"A moment in UTC, to the millisecond: `2026-01-31T09:30:00.000Z`. One that is given has any offset, is of the "
        f"years {YEARS} in UTC, and is cut off after milliseconds.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
    ),
    CurrencyCode: _scalar(
        "CurrencyCode",
        serialize=str,
        parse=_is_output_only,
        description="A currency of ISO 4217: `EUR`.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
    ),
}

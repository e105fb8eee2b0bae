"""Scalars that accept only exact and unambiguous input."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType, Self, TypeVar

import strawberry
from graphql import GraphQLError, GraphQLID, GraphQLScalarType, ValueNode, value_from_ast_untyped
from graphql.pyutils import inspect
from strawberry.types.scalar import ScalarDefinition

from db.tables.timestamps import format_timestamp, truncate
from resolvers.ids import GlobalId, parse_id

T = TypeVar("T")
CurrencyCode = NewType("CurrencyCode", str)
# Outside these years a time with an offset may have no date in UTC or in an organization's time zone.
FIRST_YEAR, LAST_YEAR = 1900, 9998
YEARS = f"{FIRST_YEAR} to {LAST_YEAR}"
DATE_TIME_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
DATE_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
DECIMAL_PATTERN = re.compile(r"-?\d{1,30}(\.\d{1,15})?", re.ASCII)


def _parse_date(value: object) -> date:
    try:
        if isinstance(value, str) and DATE_PATTERN.fullmatch(value) and _is_within(day := date.fromisoformat(value)):
            return day
    except ValueError:
        pass
    raise GraphQLError(f"{inspect(value)} is not a date in the years {YEARS}. Write a date as 2026-01-31.")


def _parse_date_time(value: object) -> datetime:
    try:
        if isinstance(value, str) and DATE_TIME_PATTERN.fullmatch(value):
            date_time = datetime.fromisoformat(value)
            if _is_within(date_time.astimezone(UTC)):
                return truncate(date_time)
    except (ValueError, OverflowError):
        pass
    hint = "Write a time with its UTC offset, as 2026-01-31T09:30:00+01:00 or 2026-01-31T08:30:00Z."
    raise GraphQLError(f"{inspect(value)} is not a time in the years {YEARS} in UTC. {hint}")


def _is_within(day: date) -> bool:
    return FIRST_YEAR <= day.year <= LAST_YEAR


def _parse_decimal(value: object) -> Decimal:
    """Parse a string or an integer, which are exact. Reject floats, NaN and exponents.

    Numbers with a fraction are strings, since many clients read a JSON number as a float.
    """
    if (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and DECIMAL_PATTERN.fullmatch(value)):
        return Decimal(value)
    raise GraphQLError(f'{inspect(value)} is not an exact decimal number. Write a number as a string, as "1234.50".')


def _reject_input(value: object) -> object:
    raise GraphQLError(f"{inspect(value)} is not accepted: this scalar is for output only.")


def _make_literal_parser(parse: Callable[[object], T]) -> Callable[[ValueNode, dict[str, Any] | None], T]:
    """Make a function that parses a literal. Unlike that of graphql-core, its errors have the position in the document."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> T:
        try:
            return parse(value_from_ast_untyped(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return parse_literal


def _make_scalar(
    name: str, *, parse: Callable[[object], Any], serialize: Callable[[Any], str], description: str, specified_by_url: str | None
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        serialize=serialize,
        parse_value=parse,
        parse_literal=_make_literal_parser(parse),
        description=description,
        specified_by_url=specified_by_url,
    )


class _Id(GraphQLScalarType):
    """The built-in type `ID` with values that are parsed as `GlobalId`.

    graphql-core reserves the name for its own type: `__new__` avoids the check.
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        return object.__new__(cls)


SCALARS: dict[object, ScalarDefinition] = {
    GlobalId: ScalarDefinition(
        name="ID",
        description=None,
        specified_by_url=None,
        serialize=str,
        parse_value=parse_id,
        parse_literal=_make_literal_parser(parse_id),
        implementation=_Id(
            "ID", serialize=str, parse_value=parse_id, parse_literal=_make_literal_parser(parse_id), description=GraphQLID.description
        ),
    ),
    Decimal: _make_scalar(
        "Decimal",
        serialize=str,
        parse=_parse_decimal,
        description='Exact decimal number as a string, for example `"1234.50"`. Input may also be an integer, but not a float.',
        specified_by_url=None,
    ),
    date: _make_scalar(
        "Date",
        serialize=date.isoformat,
        parse=_parse_date,
        description=f"Calendar date, for example `2026-01-31`. Input must be in the years {YEARS}.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
    ),
    datetime: _make_scalar(
        "DateTime",
        serialize=format_timestamp,
        parse=_parse_date_time,
        description="Time in UTC with milliseconds, for example `2026-01-31T09:30:00.000Z`. Input must have a UTC offset or `Z`, must be "
        f"in the years {YEARS} in UTC, and is truncated to milliseconds.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
    ),
    CurrencyCode: _make_scalar(
        "CurrencyCode",
        serialize=str,
        parse=_reject_input,
        description="Currency code (ISO 4217), for example `EUR`.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
    ),
}

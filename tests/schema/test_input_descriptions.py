"""Every argument and input field states its limits and what happens if it is omitted. Tests in tests/api/ try the stated limits."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    get_nullable_type,
)

from schema.build import build
from tests.support.stated_limits import LimitValues, limit_values

SCHEMA = build()._schema  # noqa: SLF001
Place = tuple[str, GraphQLArgument | GraphQLInputField, str]
# The length of these texts follows from their form, or is nothing that a caller chooses.
FORM = re.compile(r"\(ISO \d+|`#RRGGBB`|\b\d+ digits|^Cursor |^`token` ")
OMITTED = re.compile(r"\bomitted\b", re.IGNORECASE)


def places() -> Iterator[Place]:
    """Yield each argument and input field with its name, and with the description of the input that has it."""
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", field, kind.description or "") for name, field in kind.fields.items())
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                yield from ((f"{kind.name}.{name}({each})", argument, "") for each, argument in field.args.items())


PLACES = [*places()]


def states_limit(place: Place) -> bool:
    _, value, _ = place
    description = value.description or ""
    return limit_values(get_nullable_type(value.type), description) is not None or FORM.search(description) is not None


def find_unlimited(kind: str) -> list[str]:
    """Return the values of this type, or the lists, that state no limit. A version is only compared, so it has none."""
    bare_types = [(place, get_nullable_type(place[1].type)) for place in PLACES]
    of_kind = [
        place for place, bare in bare_types if (isinstance(bare, GraphQLList) if kind == "list" else get_named_type(bare).name == kind)
    ]
    assert len(of_kind) > 5
    return [place[0] for place in of_kind if not states_limit(place) and not place[0].endswith("Version")]


@pytest.mark.parametrize("kind", ["list", "String", "Int", "Decimal"])
def test_every_value_with_a_limit_states_it(kind: str) -> None:
    assert find_unlimited(kind) == []


def is_optional(value: GraphQLArgument | GraphQLInputField) -> bool:
    """Return whether the value may be omitted and the schema shows no default."""
    return not isinstance(value.type, GraphQLNonNull) and value.default_value is Undefined


def test_every_optional_value_says_what_omitting_it_means() -> None:
    """Its own description says so, or that of its input does for all of its fields. Of a one-of input, exactly one field is given."""
    one_of = tuple(f"{kind.name}." for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLInputObjectType) and kind.is_one_of)
    optional = [place for place in PLACES if is_optional(place[1]) and not place[0].startswith(one_of)]
    assert len(optional) > 150
    assert [name for name, value, rule in optional if not OMITTED.search(f"{value.description} {rule}")] == []


ONE_PLACE = "with at most 2 digits before and 1 after the decimal point."
DESCRIPTIONS: list[tuple[Any, str, LimitValues | None]] = [
    ("String", "Name. At most 3 characters.", LimitValues(["xxx"], ["xxxx"])),
    ("String", "Key; 1 to 5 things.", None),
    ("Int", "Minutes. From 1 to 1440.", LimitValues([1, 1440], [0, 1441])),
    ("Int", "Minutes.", None),
    ("Decimal", f"Price. 0 or more, {ONE_PLACE}", LimitValues(["0", "99.9"], ["-0.1", "100", "1.01"])),
    ("Decimal", f"Price. More than 0, {ONE_PLACE}", LimitValues(["0.1", "99.9"], ["0", "100", "1.01"])),
    (
        "Decimal",
        "Rate. From 0 to 100, with at most 2 digits after the decimal point.",
        LimitValues(["0", "100", "0.01"], ["-0.01", "100.01", "0.001"]),
    ),
    ("[Int]", "Numbers, at most 2.", LimitValues([[7, 7]], [[7, 7, 7]])),
    ("[Int]", "Numbers, 1 to 2.", LimitValues([[7], [7, 7]], [[], [7, 7, 7]])),
    ("[Int]", "Numbers.", None),
]


@pytest.mark.parametrize(("kind", "description", "expected"), DESCRIPTIONS)
def test_limits_are_read_from_a_description(kind: str, description: str, expected: LimitValues | None) -> None:
    """Otherwise the tests that use them would try the wrong values."""
    named = SCHEMA.type_map[kind.strip("[]")]
    graphql_type: Any = GraphQLList(named) if kind.startswith("[") else named
    assert limit_values(graphql_type, description, 7) == expected

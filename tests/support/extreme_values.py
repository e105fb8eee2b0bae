"""Send values at and beyond the limits of every scalar to every place of the schema that accepts one.

The places come from the schema itself, so new arguments and input fields are covered without a change here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from zlib import crc32

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from tests.support.mutation_inputs import (
    NODES,
    SCHEMA,
    AnyIds,
    InputFiller,
    InputLocation,
    World,
    input_type,
    payload_selection,
    replace_at,
    scalar_locations,
    valid_input,
    write_literal,
)

FORMS = ("variable", "literal", "default")
PLACEHOLDER = "\ue000"  # replaced by the value when the document is written
MANY_DIGITS = "9" * 5000
KEY = "AYcPNXmxeTOtA6jp4XV3Fw"
ID_GARBAGE = [
    "", "_", "cli", "cli_", "cli_x", f"cli_{MANY_DIGITS}", "cli_-1", "cli_é", f"cli_{KEY}=", f"cli_{KEY[:-1]}", f"cli_{KEY[:-1]}x",
    f"CLI_{KEY}", f"{KEY}", f"_{KEY}", f"xyz_{KEY}", f"cli_{KEY}\n", f" cli_{KEY}", f"cli_{KEY[:-2]}+/", "Q2xpZW50OjE=",
]  # fmt: skip


EXTREMES: dict[str, list[str]] = {  # each is valid as JSON and as a GraphQL literal, and no field accepts any of them
    "Int": [
        str(2**31),
        str(-(2**31) - 1),
        str(2**63),
        str(-(2**63) - 1),
        "1" + "0" * 20,
        MANY_DIGITS,
        f"-{MANY_DIGITS}",
        f"{MANY_DIGITS}.0",
        "1e30",
        f"1e{MANY_DIGITS}",
    ],
    "Date": [
        json.dumps(day)
        for day in (
            "0000-01-01",
            "0001-01-01",
            "1899-12-31",
            "9999-01-01",
            "9999-12-31",
            "10000-01-01",
            f"{MANY_DIGITS}-01-01",
            "२०२६-०१-०१",
        )
    ],
    "DateTime": [
        json.dumps(moment)
        for moment in (
            *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59.999999Z"),
            *("1900-01-01T00:00:00+00:01", "9998-12-31T23:59:59-00:01", "9999-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"),
            *("2026-01-31T09:00:00+24:00", "2026-01-31T09:00:00+99:99", f"{MANY_DIGITS}-01-01T00:00:00Z"),
        )
    ],
    "Decimal": [
        *("9" * 21, MANY_DIGITS, f"-{MANY_DIGITS}", f"{MANY_DIGITS}.5", f"1e{MANY_DIGITS}", "1e308"),
        *(json.dumps(number) for number in ("9" * 31, f"-{MANY_DIGITS}", f"0.{MANY_DIGITS}", "1e400", "१२", "-Infinity", "sNaN")),
    ],
    "ID": [
        *('""', '"x"', json.dumps("x" * 9000), json.dumps("=" * 9000), json.dumps("é"), MANY_DIGITS, str(2**63), f"-{MANY_DIGITS}"),
        *(json.dumps(text) for text in ID_GARBAGE),
    ],
}


@dataclass(frozen=True)
class ExtremeRequest:
    """A request with one extreme value, and the place of that value."""

    location: str
    query: str
    variables: str  # JSON

    @property
    def body(self) -> bytes:
        return f'{{"query": {json.dumps(self.query)}, "variables": {self.variables}}}'.encode()


def write_document(
    kind: GraphQLInputType,
    input_value: Any,  # noqa: ANN401 JSON
    wrong: str,
    form: str,
    around: tuple[str, str],
    field: str,
    rest: str,
) -> tuple[str, str]:
    """Return a document that has the wrong value instead of the placeholder, and its variables as JSON."""
    as_literal = write_literal(kind, input_value).replace(json.dumps(PLACEHOLDER), wrong)
    head, tail = around
    if form == "literal":
        return f"{head.replace('()', '')}{field.replace('$value', as_literal)}{rest}{tail}", "{}"
    default = f" = {as_literal}" if form == "default" else ""
    query = f"{head.replace('()', f'($value: {kind}{default})')}{field}{rest}{tail}"
    return query, f'{{"value": {json.dumps(input_value).replace(json.dumps(PLACEHOLDER), wrong)}}}' if form == "variable" else "{}"


def choose_pairs(scalar_name: str, where: str, count: int | None) -> list[tuple[str, str]]:
    """Return pairs of an extreme value and a form: all of them, or `count` of them. The place decides which, so places differ."""
    every = [*product(EXTREMES[scalar_name], FORMS)]
    first = crc32(where.encode())
    return every if count is None else [every[(first + index * len(FORMS) + index) % len(every)] for index in range(count)]


def mutation_requests(
    world: World, name: str, alternative: int, count: int | None = None
) -> Iterator[tuple[ExtremeRequest, InputLocation]]:
    """Yield requests with extreme values for every scalar in the mutation's input."""
    kind, input_values = input_type(name), valid_input(world, name, alternative)
    for location in scalar_locations(kind, input_values, *EXTREMES):
        where = f"{name}.{'.'.join(location.error_path)}"
        with_hole = replace_at(input_values, location.path, PLACEHOLDER)
        for wrong, form in choose_pairs(location.type_name, where, count):
            query, variables = write_document(
                kind, with_hole, wrong, form, ("mutation () { ", " }"), f"{name}(input: $value) ", payload_selection(name)
            )
            yield ExtremeRequest(f"{where} = {wrong[:40]} as {form}", query, variables), location


def query_requests(world: World, count: int | None = None) -> Iterator[ExtremeRequest]:
    """Yield requests with extreme values for every scalar in the arguments of every field."""
    for (head, tail, field_name), field, name, argument in _find_arguments(world):
        call = f"{field_name}({', '.join([*_other_arguments(world, field, name), f'{name}: $value'])}) "
        for path, input_value, scalar_name in _minimal_inputs(argument.type):
            where = f"{head}{call}{'.'.join(path)}"
            for wrong, form in choose_pairs(scalar_name, where, count):
                query, variables = write_document(
                    argument.type, input_value, wrong, form, (head, tail), call, _minimal_selection(field.type)
                )
                yield ExtremeRequest(f"{where} = {wrong[:40]} as {form}", query, variables)


FieldContext = tuple[str, str, str]  # the text before and after a field, and the field's name


def _find_arguments(world: World) -> Iterator[tuple[FieldContext, GraphQLField, str, GraphQLArgument]]:
    """Yield every argument of every type with a path to it: from the root, or from an object by its id."""
    for kind, (head, tail) in _paths_to_types(world).items():
        for field_name, field in kind.fields.items():
            for name, argument in field.args.items():
                yield (head, tail, field_name), field, name, argument


def _paths_to_types(world: World) -> dict[GraphQLObjectType, tuple[str, str]]:
    assert SCHEMA.query_type
    paths = {SCHEMA.query_type: ("query () { ", " }")}
    for name in NODES:
        if name in world.ids:
            paths[SCHEMA.type_map[name]] = (f"query () {{ node(id: {json.dumps(world.ids[name])}) {{ ... on {name} {{ ", " } } }")  # type: ignore[index]
    ahead = [*paths]
    while ahead:
        kind = ahead.pop(0)
        head, tail = paths[kind]
        for name, field in kind.fields.items():
            below = get_named_type(field.type)
            if isinstance(below, GraphQLObjectType) and below not in paths and not any(map(is_required_argument, field.args.values())):
                paths[below] = (f"{head}{name} {{ ", f" }}{tail}")
                ahead.append(below)
    return paths


def _other_arguments(world: World, field: GraphQLField, name: str) -> list[str]:
    """Return the other required arguments of the field."""
    filling = InputFiller(AnyIds(world.ids))
    required_types = {other: each.type for other, each in field.args.items() if other != name and is_required_argument(each)}
    return [f"{other}: {write_literal(kind, filling.fill(kind, '', other))}" for other, kind in required_types.items()]


def _minimal_inputs(kind: GraphQLInputType) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Yield the path, the smallest value and the type of each scalar that can be extreme.

    The value contains `PLACEHOLDER` instead of the scalar.
    """
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        yield from ((path, [value], scalar_name) for path, value, scalar_name in _minimal_inputs(bare.of_type))
    elif isinstance(bare, GraphQLInputObjectType):
        for name, field in bare.fields.items():
            for path, value, scalar_name in _minimal_inputs(field.type):
                required_types = {
                    other: each.type for other, each in bare.fields.items() if other != name and is_required_input_field(each)
                }
                rest = {other: InputFiller(AnyIds()).fill(each, bare.name, other) for other, each in required_types.items()}
                yield (name, *path), {**rest, name: value}, scalar_name
    elif is_leaf_type(bare) and bare.name in EXTREMES:
        yield (), PLACEHOLDER, bare.name


def _minimal_selection(kind: GraphQLOutputType) -> str:
    named_type = get_named_type(kind)
    if is_leaf_type(named_type):
        return ""
    is_page = isinstance(named_type, GraphQLObjectType) and "totalCount" in named_type.fields
    return "{ totalCount nodes { __typename } }" if is_page else "{ __typename }"

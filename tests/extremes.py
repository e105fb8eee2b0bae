"""Values at and beyond the limits of every scalar, and every place of the schema where one can be given.

Made from the schema itself, so that an argument or an input field that is added later joins by itself.
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

from tests.inputs import CORE, NODES, Filling, Ids, Place, World, answer, input_type, leaves, literal, replaced, right

WAYS = ("variable", "literal", "default")
HERE = "\ue000"  # stands for the value until it is written
MANY = "9" * 5000
KEY = "AYcPNXmxeTOtA6jp4XV3Fw"
ID_GARBAGE = [
    "", "_", "cli", "cli_", "cli_x", f"cli_{MANY}", "cli_-1", "cli_é", f"cli_{KEY}=", f"cli_{KEY[:-1]}", f"cli_{KEY[:-1]}x", f"CLI_{KEY}",
    f"{KEY}", f"_{KEY}", f"xyz_{KEY}", f"cli_{KEY}\n", f" cli_{KEY}", f"cli_{KEY[:-2]}+/", "Q2xpZW50OjE=",
]  # fmt: skip


EXTREMES: dict[str, list[str]] = {  # as JSON, which is a literal of GraphQL too; none of them is right anywhere
    "Int": [
        str(2**31),
        str(-(2**31) - 1),
        str(2**63),
        str(-(2**63) - 1),
        "1" + "0" * 20,
        MANY,
        f"-{MANY}",
        f"{MANY}.0",
        "1e30",
        f"1e{MANY}",
    ],
    "Date": [
        json.dumps(day)
        for day in ("0000-01-01", "0001-01-01", "1899-12-31", "9999-01-01", "9999-12-31", "10000-01-01", f"{MANY}-01-01", "२०२६-०१-०१")
    ],
    "DateTime": [
        json.dumps(moment)
        for moment in (
            *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59.999999Z"),
            *("1900-01-01T00:00:00+00:01", "9998-12-31T23:59:59-00:01", "9999-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"),
            *("2026-01-31T09:00:00+24:00", "2026-01-31T09:00:00+99:99", f"{MANY}-01-01T00:00:00Z"),
        )
    ],
    "Decimal": [
        *("9" * 21, MANY, f"-{MANY}", f"{MANY}.5", f"1e{MANY}", "1e308"),
        *(json.dumps(number) for number in ("9" * 31, f"-{MANY}", f"0.{MANY}", "1e400", "१२", "-Infinity", "sNaN")),
    ],
    "ID": [
        *('""', '"x"', json.dumps("x" * 9000), json.dumps("=" * 9000), json.dumps("é"), MANY, str(2**63), f"-{MANY}"),
        *(json.dumps(text) for text in ID_GARBAGE),
    ],
}


@dataclass(frozen=True)
class Request:
    """A request with one extreme value in it, and what it was asked about."""

    where: str
    query: str
    variables: str  # JSON

    @property
    def body(self) -> bytes:
        return f'{{"query": {json.dumps(self.query)}, "variables": {self.variables}}}'.encode()


def written(kind: GraphQLInputType, given: Any, wrong: str, way: str, around: tuple[str, str], field: str, rest: str) -> tuple[str, str]:  # noqa: ANN401 JSON
    """A document with the wrong value in place of `HERE`, and its variables."""
    as_literal = literal(kind, given).replace(json.dumps(HERE), wrong)
    head, tail = around
    if way == "literal":
        return f"{head.replace('()', '')}{field.replace('$value', as_literal)}{rest}{tail}", "{}"
    default = f" = {as_literal}" if way == "default" else ""
    query = f"{head.replace('()', f'($value: {kind}{default})')}{field}{rest}{tail}"
    return query, f'{{"value": {json.dumps(given).replace(json.dumps(HERE), wrong)}}}' if way == "variable" else "{}"


def pairs(of: str, where: str, count: int | None) -> list[tuple[str, str]]:
    """Return extreme values of the scalar, each with a way: all of them, or so many, other ones in each place."""
    every = [*product(EXTREMES[of], WAYS)]
    first = crc32(where.encode())
    return every if count is None else [every[(first + place * len(WAYS) + place) % len(every)] for place in range(count)]


def of_mutation(world: World, name: str, turn: int, count: int | None = None) -> Iterator[tuple[Request, Place]]:
    """Yield requests with extreme values for every scalar of the mutation's input."""
    kind, given = input_type(name), right(world, name, turn)
    for place in leaves(kind, given, *EXTREMES):
        where = f"{name}.{'.'.join(place.shown_path)}"
        with_hole = replaced(given, place.path, HERE)
        for wrong, way in pairs(place.of, where, count):
            query, variables = written(kind, with_hole, wrong, way, ("mutation () { ", " }"), f"{name}(input: $value) ", answer(name))
            yield Request(f"{where} = {wrong[:40]} as {way}", query, variables), place


def of_query(world: World, count: int | None = None) -> Iterator[Request]:
    """Yield requests with extreme values for every scalar within every argument of every field below the root."""
    for (head, tail, field_name), field, name, argument in _arguments(world):
        called = f"{field_name}({', '.join([*_others(world, field, name), f'{name}: $value'])}) "
        for path, given, of in _minimal(argument.type):
            where = f"{head}{called}{'.'.join(path)}"
            for wrong, way in pairs(of, where, count):
                query, variables = written(argument.type, given, wrong, way, (head, tail), called, _selected(field.type))
                yield Request(f"{where} = {wrong[:40]} as {way}", query, variables)


Around = tuple[str, str, str]  # what stands before and behind a field, and the field's name


def _arguments(world: World) -> Iterator[tuple[Around, GraphQLField, str, GraphQLArgument]]:
    """Every argument of every type, with the way to it: from the root, or from an object by its id."""
    for kind, (head, tail) in _ways_to(world).items():
        for field_name, field in kind.fields.items():
            for name, argument in field.args.items():
                yield (head, tail, field_name), field, name, argument


def _ways_to(world: World) -> dict[GraphQLObjectType, tuple[str, str]]:
    assert CORE.query_type
    found = {CORE.query_type: ("query () { ", " }")}
    for name in NODES:
        if name in world.ids:
            found[CORE.type_map[name]] = (f"query () {{ node(id: {json.dumps(world.ids[name])}) {{ ... on {name} {{ ", " } } }")  # type: ignore[index]
    ahead = [*found]
    while ahead:
        kind = ahead.pop(0)
        head, tail = found[kind]
        for name, field in kind.fields.items():
            below = get_named_type(field.type)
            if isinstance(below, GraphQLObjectType) and below not in found and not any(map(is_required_argument, field.args.values())):
                found[below] = (f"{head}{name} {{ ", f" }}{tail}")
                ahead.append(below)
    return found


def _others(world: World, field: GraphQLField, name: str) -> list[str]:
    """The arguments that the field needs beside this one."""
    filling = Filling(Ids(world.ids))
    needed = {other: each.type for other, each in field.args.items() if other != name and is_required_argument(each)}
    return [f"{other}: {literal(kind, filling.of(kind, '', other))}" for other, kind in needed.items()]


def _minimal(kind: GraphQLInputType) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """For each scalar that can be extreme: its path, the least value that holds it, with `HERE` in its place, and its type."""
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        yield from ((path, [value], of) for path, value, of in _minimal(bare.of_type))
    elif isinstance(bare, GraphQLInputObjectType):
        for name, field in bare.fields.items():
            for path, value, of in _minimal(field.type):
                needed = {other: each.type for other, each in bare.fields.items() if other != name and is_required_input_field(each)}
                rest = {other: Filling(Ids()).of(each, bare.name, other) for other, each in needed.items()}
                yield (name, *path), {**rest, name: value}, of
    elif is_leaf_type(bare) and bare.name in EXTREMES:
        yield (), HERE, bare.name


def _selected(kind: GraphQLOutputType) -> str:
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    is_page = isinstance(named, GraphQLObjectType) and "totalCount" in named.fields
    return "{ totalCount nodes { __typename } }" if is_page else "{ __typename }"

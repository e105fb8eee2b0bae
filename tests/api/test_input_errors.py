"""Errors about a value point at it: a violation of `@oneOf` names the alternatives, and each wrong literal has its position and its path.

The tests are generated from the schema and therefore include inputs and arguments that are added later.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from resolvers.execution.operation import MAX_VARIABLE_ERRORS
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.literals import replace_literals
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    MUTATIONS,
    SCHEMA,
    SHAPE_ONLY_WORLD,
    InputFiller,
    InputLocation,
    Value,
    World,
    count_alternatives,
    input_type,
    is_one_of,
    iterate_locations,
    mutation_document,
    replace_at,
    valid_input,
    write_literal,
)
from tests.support.snapshots import assert_unchanged


@dataclass(frozen=True)
class Argument:
    """An argument of a root query field that is an object, and a valid value of it for each alternative."""

    field: str
    name: str
    kind: GraphQLInputType
    values: list[Value]

    def write_query(self, value: Value = None) -> str:
        """Return a query with the value as a literal or, if there is none, with the variable `$input`."""
        head, literal = (f"query ($input: {self.kind})", "$input") if value is None else ("query", write_literal(self.kind, value))
        return f"{head} {{ {self.field}({self.name}: {literal}) {{ __typename }} }}"


def query_arguments() -> Iterator[Argument]:
    query_type = SCHEMA.query_type
    assert isinstance(query_type, GraphQLObjectType)
    for field_name, field in query_type.fields.items():
        for name, argument in field.args.items():
            if isinstance(get_nullable_type(argument.type), GraphQLInputObjectType) and not is_leaf_type(get_named_type(field.type)):
                alternatives = range(count_alternatives(argument.type))
                yield Argument(field_name, name, argument.type, [fill(argument.type, name, alternative) for alternative in alternatives])


def fill(kind: GraphQLInputType, name: str, alternative: int) -> Value:
    """Fill in every field of an argument, with an id of any type."""
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        return [fill(bare.of_type, name, alternative)]
    if isinstance(bare, GraphQLInputObjectType):
        names = [[*bare.fields][alternative]] if is_one_of(bare) else bare.fields
        return {each: fill(bare.fields[each].type, each, alternative) for each in names}
    return InputFiller(SHAPE_ONLY_WORLD.ids).fill(kind, "Label", "id" if bare.name == "ID" else name)


QUERY_ARGUMENTS = [*query_arguments()]
ONE_OF_ARGUMENTS = [each for each in QUERY_ARGUMENTS if is_one_of(get_nullable_type(each.kind))]  # type: ignore[arg-type]


def one_of_locations(mutation: str, alternative: int) -> list[InputLocation]:
    locations = iterate_locations(input_type(mutation), valid_input(SHAPE_ONLY_WORLD, mutation, alternative))
    return [each for each in locations if isinstance(each.kind, GraphQLInputObjectType) and is_one_of(each.kind)]


WRONG_VALUES: dict[str, Value] = {
    "Boolean": "true",
    "Date": "2026-02-30",
    "DateTime": "2026-01-31",
    "Decimal": "NaN",
    "ID": 5,
    "Int": "7",
    "String": 5,
}


def places_by_mutation() -> dict[str, dict[int, list[InputLocation]]]:
    """Return the location of each field of each input type once, by mutation and by the alternative of its input."""
    places: dict[str, dict[int, list[InputLocation]]] = {name: {} for name in MUTATIONS}
    fields = set[tuple[str, str]]()
    for mutation, alternative in MUTATION_CASES:
        for location in value_locations(input_type(mutation), valid_input(SHAPE_ONLY_WORLD, mutation, alternative)):
            if (location.owner, location.name) not in fields:
                fields.add((location.owner, location.name))
                places[mutation].setdefault(alternative, []).append(location)
    return places


def value_locations(kind: GraphQLInputType, value: Value) -> list[InputLocation]:
    """Return the locations of all scalars, enums and objects. Of a list, those are its entries."""
    return [each for each in iterate_locations(kind, value) if not isinstance(each.kind, GraphQLList)]


PLACES = places_by_mutation()


def wrong_value(location: InputLocation) -> tuple[Value, str]:
    """Return a value of another type as JSON and as a literal."""
    if isinstance(location.kind, GraphQLEnumType):
        return "NO_SUCH_VALUE", "NO_SUCH_VALUE"
    value = WRONG_VALUES.get(location.type_name, 5)
    return value, json.dumps(value)


ONE_OF_CASES = [(name, turn) for name, turn in MUTATION_CASES if one_of_locations(name, turn)]


def violations(kind: GraphQLInputObjectType) -> Iterator[tuple[dict[str, Value], list[list[str]]]]:
    """Yield wrong values of an input with `@oneOf`, each with the paths of its errors within the value."""
    filler = InputFiller(SHAPE_ONLY_WORLD.ids)
    every = {name: filler.fill(field.type, kind.name, name) for name, field in kind.fields.items()}
    first, second, *_ = every
    yield {}, [[]]
    yield {first: every[first], second: every[second]}, [[]]
    yield every, [[]]
    yield {first: None}, [[first]]


def expected_message(kind: GraphQLInputObjectType) -> str:
    return f"Give exactly one of {', '.join(f'`{name}`' for name in kind.fields)}."


def error_of(body: dict[str, Any]) -> tuple[str, str, list[str]]:
    assert set(body) == {"errors"}
    (error,) = body["errors"]
    assert error["locations"]
    return error["message"], error["extensions"]["code"], error["extensions"]["path"]


def test_cases_include_nested_inputs_and_queries() -> None:
    names = {f"{name}.{each.name}" for name, turn in ONE_OF_CASES for each in one_of_locations(name, turn)}
    assert names >= {"clientCreate.labels", "clientCreate.contact", "clientBulkUpsert.labelsAdd", "registrationCreate.work"}
    assert [(each.field, each.name) for each in ONE_OF_ARGUMENTS] == [("client", "by")]


@pytest.mark.parametrize(("name", "alternative"), ONE_OF_CASES)
async def test_one_of_violation_names_the_alternatives(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """The path is that of the input, or of its field that is null. Nothing changes."""
    api, input_values = api_for(own_world.tenant), valid_input(own_world, name, alternative)
    async with assert_unchanged(owner, own_world.id):
        for location in one_of_locations(name, alternative):
            assert isinstance(location.kind, GraphQLInputObjectType)
            for wrong, (path,) in violations(location.kind):
                values = replace_at(input_values, location.path, wrong)
                expected = expected_message(location.kind), ["input", *location.error_path, *path]
                message, code, error_path = error_of(await api.execute(mutation_document(name), input=values))
                assert ((message, error_path), code) == (expected, "BAD_USER_INPUT")
                message, code, error_path = error_of(await api.execute(mutation_document(name, input=values)))
                assert ((message, error_path), code) == (expected, "GRAPHQL_VALIDATION_FAILED")


@pytest.mark.parametrize(("name", "alternative"), ONE_OF_CASES)
async def test_unknown_field_of_a_one_of_input_is_named(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """If no other field is given, the alternatives are named as well."""
    api, input_values = api_for(own_world.tenant), valid_input(own_world, name, alternative)
    async with assert_unchanged(owner, own_world.id):
        for location in one_of_locations(name, alternative):
            assert isinstance(location.kind, GraphQLInputObjectType)
            first, *_ = location.kind.fields
            valid = InputFiller(SHAPE_ONLY_WORLD.ids).fill(location.kind.fields[first].type, location.kind.name, first)
            for wrong, others in ({"nothing": 1}, [expected_message(location.kind)]), ({first: valid, "nothing": 1}, []):
                body = await api.execute(mutation_document(name), input=replace_at(input_values, location.path, wrong))
                unknown, *messages = [each["message"] for each in body["errors"]]
                assert f"Expected value of type '{location.kind.name}' not to include unknown field 'nothing'" in unknown
                assert messages == others
                assert all(each["extensions"]["path"] == ["input", *location.error_path] for each in body["errors"])


@pytest.mark.parametrize("argument", ONE_OF_ARGUMENTS, ids=lambda each: f"{each.field}.{each.name}")
async def test_one_of_violation_in_a_query_names_the_alternatives(api_for: Callable[..., Api], org: Tenant, argument: Argument) -> None:
    kind = get_nullable_type(argument.kind)
    assert isinstance(kind, GraphQLInputObjectType)
    for wrong in ({}, {"id": SHAPE_ONLY_WORLD.ids["Client"], "number": "1"}, {"number": None}):
        path = [name for name, value in wrong.items() if value is None]
        body = await api_for(org).execute(argument.write_query(), input=wrong)
        assert error_of(body) == (expected_message(kind), "BAD_USER_INPUT", ["input", *path])
        body = await api_for(org).execute(argument.write_query(wrong))
        assert error_of(body) == (expected_message(kind), "GRAPHQL_VALIDATION_FAILED", [argument.name, *path])


@pytest.mark.parametrize("variables", [{}, {"id": None}])
async def test_one_of_with_a_variable_that_is_null(api_for: Callable[..., Api], org: Tenant, variables: dict[str, Value]) -> None:
    """Only the value of the variable is wrong, so the error is found when the field runs. It has the position of the input."""
    query = "query ($id: ID) { client(by: {id: $id}) { id } }"
    assert await api_for(org).data(query, id=SHAPE_ONLY_WORLD.ids["Client"]) == {"client": None}
    body = await api_for(org).execute(query, **variables)
    assert body["data"] == {"client": None}
    (error,) = body["errors"]
    assert error["message"].startswith("Argument 'by' has invalid value: Expected variable '$id' provided to field 'id'")
    assert (error["locations"], error["extensions"]) == ([{"line": 1, "column": 30}], {"code": "BAD_USER_INPUT"})


async def assert_points_at(api: Api, argument: str, write: Callable[[Value], str], value: Value, locations: list[InputLocation]) -> None:
    """Replace the values at these locations by wrong ones and check all errors: as literals, and in the variable `$input`."""
    texts = {each.path: wrong_value(each)[1] for each in locations}
    document, positions = replace_literals(write(value), texts)
    errors = (await api.execute(document))["errors"]
    assert [each["locations"] for each in errors] == [[each] for each in positions], document
    assert [each["extensions"] for each in errors] == [
        {"code": "GRAPHQL_VALIDATION_FAILED", "path": [argument, *each.error_path]} for each in locations
    ], document
    for location in locations:
        value = replace_at({"": value}, ("", *location.path), wrong_value(location)[0])[""]
    errors = (await api.execute(write(None), input=value))["errors"]
    assert [each["extensions"] for each in errors] == [
        {"code": "BAD_USER_INPUT", "path": ["input", *each.error_path]} for each in locations
    ], value
    assert all(each["locations"] for each in errors)


def batches(locations: list[InputLocation]) -> Iterator[list[InputLocation]]:
    """Yield lists of locations of which none contains another, in the order of the document. A document gets few errors."""
    yield from ([each] for each in locations if not is_leaf_type(each.kind))
    leaves = [each for each in locations if is_leaf_type(each.kind)]
    yield from (leaves[start : start + MAX_VARIABLE_ERRORS] for start in range(0, len(leaves), MAX_VARIABLE_ERRORS))


def test_wrong_values_include_every_field_of_every_input() -> None:
    tried = {(each.owner, each.name) for places in PLACES.values() for locations in places.values() for each in locations}
    of_queries = ((argument.kind, value) for argument in QUERY_ARGUMENTS for value in argument.values)
    tried |= {(each.owner, each.name) for kind, value in of_queries for each in value_locations(kind, value)}
    kinds = [kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLInputObjectType)]
    assert {(kind.name, name) for kind in kinds for name in kind.fields} - tried == set()


@pytest.mark.parametrize("name", MUTATIONS)
async def test_wrong_value_in_a_mutation_is_rejected_at_its_position(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str
) -> None:
    """The whole input is tried, and each field that no mutation before has."""
    whole = InputLocation((), get_nullable_type(input_type(name)), "")
    async with assert_unchanged(owner, own_world.id):
        for alternative, locations in [(0, [whole]), *PLACES[name].items()]:
            input_values = valid_input(own_world, name, alternative)
            for batch in batches(locations):
                await assert_points_at(
                    api_for(own_world.tenant), "input", lambda value: mutation_document(name, input=value), input_values, batch
                )


@pytest.mark.parametrize("argument", QUERY_ARGUMENTS, ids=lambda each: f"{each.field}.{each.name}")
async def test_wrong_value_in_a_query_is_rejected_at_its_position(api_for: Callable[..., Api], org: Tenant, argument: Argument) -> None:
    whole = InputLocation((), get_nullable_type(argument.kind), "")
    for value in argument.values:
        for batch in batches([whole, *value_locations(argument.kind, value)]):
            await assert_points_at(api_for(org), argument.name, argument.write_query, value, batch)

"""Errors about a value point at it: a violation of `@oneOf` names the alternatives, and each wrong literal has its position and its path.

The tests are generated from the schema and therefore include inputs and arguments that are added later.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLObjectType, get_named_type, get_nullable_type, is_leaf_type

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    SCHEMA,
    SHAPE_ONLY_WORLD,
    InputFiller,
    InputLocation,
    Value,
    World,
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
    """An argument of a root query field that is an object, and a valid value of it."""

    field: str
    name: str
    kind: GraphQLInputType
    value: Value

    def write_query(self, literal: str | None) -> str:
        head = f"query ($x: {self.kind})" if literal is None else "query"
        return f"{head} {{ {self.field}({self.name}: {literal or '$x'}) {{ __typename }} }}"


def query_arguments() -> Iterator[Argument]:
    query_type = SCHEMA.query_type
    assert isinstance(query_type, GraphQLObjectType)
    for field_name, field in query_type.fields.items():
        for name, argument in field.args.items():
            kind = get_nullable_type(argument.type)
            if isinstance(kind, GraphQLInputObjectType) and not is_leaf_type(get_named_type(field.type)):
                filler = InputFiller({**{each: SHAPE_ONLY_WORLD.ids[each] for each in ("Client", "Label")}})
                yield Argument(field_name, name, argument.type, fill(filler, kind))


def fill(filler: InputFiller, kind: GraphQLInputObjectType) -> Value:
    """Fill in the fields of an argument that need no id, or whose ids are of known types."""
    return {
        name: filler.ids["Client"] if get_named_type(field.type).name == "ID" else filler.fill(field.type, "Label", name)
        for name, field in kind.fields.items()
        if name in {"id", "number", "field", "direction", "search", "isArchived", "since", "until"}
    }


QUERY_ARGUMENTS = [*query_arguments()]
ONE_OF_ARGUMENTS = [each for each in QUERY_ARGUMENTS if is_one_of(get_nullable_type(each.kind))]  # type: ignore[arg-type]


def one_of_locations(mutation: str, alternative: int) -> list[InputLocation]:
    locations = iterate_locations(input_type(mutation), valid_input(SHAPE_ONLY_WORLD, mutation, alternative))
    return [each for each in locations if isinstance(each.kind, GraphQLInputObjectType) and is_one_of(each.kind)]


ONE_OF_CASES = [(name, turn) for name, turn in MUTATION_CASES if one_of_locations(name, turn)]


def violations(kind: GraphQLInputObjectType) -> Iterator[tuple[dict[str, Value], list[list[str]]]]:
    """Yield wrong values of an input with `@oneOf`, each with the paths of its errors within the value."""
    filler = InputFiller(SHAPE_ONLY_WORLD.ids)
    every = {name: filler.fill(field.type, kind.name, name) for name, field in kind.fields.items()}
    first, *_ = every
    yield {}, [[]]
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


@pytest.mark.parametrize("argument", ONE_OF_ARGUMENTS, ids=lambda each: f"{each.field}.{each.name}")
async def test_one_of_violation_in_a_query_names_the_alternatives(api_for: Callable[..., Api], org: Tenant, argument: Argument) -> None:
    kind = get_nullable_type(argument.kind)
    assert isinstance(kind, GraphQLInputObjectType)
    for wrong in ({}, {"id": SHAPE_ONLY_WORLD.ids["Client"], "number": "1"}, {"number": None}):
        path = [name for name, value in wrong.items() if value is None]
        body = await api_for(org).execute(argument.write_query(None), x=wrong)
        assert error_of(body) == (expected_message(kind), "BAD_USER_INPUT", ["x", *path])
        body = await api_for(org).execute(argument.write_query(write_literal(kind, wrong)))
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

"""Every limit that the schema states is real: the value at the limit is accepted by it, and the value beyond is rejected.

The tests are generated from the descriptions of the schema, so they include every limit that is added later.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)

from db.engine.database import Database
from db.tables import Role
from tests.support.api import Api, connect_client
from tests.support.ids import global_id
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    SCHEMA,
    SHAPE_ONLY_WORLD,
    UNKNOWN_ID,
    VALUES_BY_FIELD,
    InputLocation,
    Path,
    World,
    create_world,
    input_type,
    iterate_locations,
    mutation_document,
    replace_at,
    valid_input,
)
from tests.support.snapshots import assert_unchanged
from tests.support.stated_limits import LimitValues, limit_values

LIMIT_MESSAGE = re.compile(r"(`\w+`|Each list in `\w+`) (must have at most|must be .*(more|less|between)|has at most)")
FORMS = VALUES_BY_FIELD.keys() - {"distanceKm"}  # fields whose values have a form of their own: not every text of the right length is valid


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database) as client:
        yield client


def value_at(value: Any, path: Path) -> Any:  # noqa: ANN401 JSON
    for step in path:
        value = value[step]
    return value


def limits_of(name: str, alternative: int, world: World) -> list[tuple[InputLocation, LimitValues]]:
    """Return the locations of the mutation's input whose descriptions state a limit, with values at it and beyond it."""
    values = valid_input(world, name, alternative)
    limits = []
    for location in iterate_locations(input_type(name), values):
        kind = SCHEMA.type_map.get(location.owner)
        if isinstance(kind, GraphQLInputObjectType) and isinstance(location.path[-1], str):
            value = value_at(values, location.path)
            entry = value[0] if isinstance(location.kind, GraphQLList) else None
            stated_values = limit_values(location.kind, kind.fields[location.name].description or "", entry)
            limits += [(location, stated_values)] if stated_values else []
    return limits


LIMITED_CASES = [case for case in MUTATION_CASES if limits_of(*case, SHAPE_ONLY_WORLD)]


def test_limits_of_many_mutations_are_tried() -> None:
    assert len(LIMITED_CASES) > 15
    assert sum(len(limits_of(*case, SHAPE_ONLY_WORLD)) for case in LIMITED_CASES) > 90


def messages_at(body: dict[str, Any], name: str, location: InputLocation) -> list[str]:
    """Return the messages of the errors at the location, or of all request errors."""
    if "errors" in body:
        return [error["message"] for error in body["errors"]]
    errors = body["data"][name]["userErrors"]
    return [error["message"] for error in errors if error["path"] == location.error_path]


@pytest.mark.parametrize(("name", "alternative"), LIMITED_CASES)
async def test_value_beyond_a_stated_limit_is_rejected(
    owner: asyncpg.Connection, http: httpx.AsyncClient, own_world: World, name: str, alternative: int
) -> None:
    api, values = Api(http, own_world.tenant.tokens[Role.OWNER]), valid_input(own_world, name, alternative)
    async with assert_unchanged(owner, own_world.id):
        for location, limits in limits_of(name, alternative, own_world):
            for value in limits.rejected:
                body = await api.execute(mutation_document(name), input=replace_at(values, location.path, value))
                assert messages_at(body, name, location), (location.path, str(value)[:50], body)


@pytest.mark.parametrize(("name", "alternative"), LIMITED_CASES)
async def test_value_at_a_stated_limit_is_not_rejected_for_it(
    owner: asyncpg.Connection, http: httpx.AsyncClient, name: str, alternative: int
) -> None:
    """All texts and numbers of an input are tried at once, and each list alone. Each request has an organization of its own."""
    limits = limits_of(name, alternative, SHAPE_ONLY_WORLD)
    lists = [[each] for each in limits if isinstance(each[0].kind, GraphQLList)]
    scalars = [each for each in limits if not isinstance(each[0].kind, GraphQLList) and each[0].name not in FORMS]
    for group in [scalars, *lists]:
        for index in range(max((len(each.accepted) for _, each in group), default=0)):
            world = await create_world(owner)
            values = valid_input(world, name, alternative)
            for location, each in group:
                values = replace_at(values, location.path, each.accepted[min(index, len(each.accepted) - 1)])
            body = await Api(http, world.tenant.tokens[Role.OWNER]).execute(mutation_document(name), input=values)
            assert user_error_codes(body, name).isdisjoint({"VERSION_CONFLICT", "TOO_MANY"})
            messages = [message for location, _ in group for message in messages_at(body, name, location)]
            assert [message for message in messages if LIMIT_MESSAGE.match(message)] == [], (name, index)


def user_error_codes(body: dict[str, Any], name: str) -> set[str]:
    assert "errors" not in body, body["errors"]
    return {error["code"] for error in body["data"][name]["userErrors"]}


@dataclass(frozen=True)
class QueryLimit:
    """An argument of a root field, or a value inside it, that states a limit."""

    field: str
    path: tuple[str, ...]
    limits: LimitValues

    @property
    def document(self) -> str:
        """Return a document with the argument as a variable. It selects as little as possible."""
        assert SCHEMA.query_type is not None
        field = SCHEMA.query_type.fields[self.field]
        below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
        argument = self.path[0]
        return f"query ($value: {field.args[argument].type}) {{ {self.field}({argument}: $value){below} }}"

    async def send(self, api: Api, value: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
        for name in reversed(self.path[1:]):
            value = {name: value}
        return await api.execute(self.document, value=value)


def query_limits() -> Iterator[QueryLimit]:
    assert SCHEMA.query_type is not None
    for field_name, field in SCHEMA.query_type.fields.items():
        for name, argument in field.args.items():
            yield from limits_within(field_name, (name,), argument.type, argument.description or "")


def limits_within(field: str, path: tuple[str, ...], kind: GraphQLInputType, description: str) -> Iterator[QueryLimit]:
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLInputObjectType):
        for name, each in bare.fields.items():
            yield from limits_within(field, (*path, name), each.type, each.description or "")
    entry = get_named_type(bare)
    sample = next(iter(entry.values)) if isinstance(entry, GraphQLEnumType) else global_id("Label", UNKNOWN_ID)
    if not isinstance(bare, GraphQLInputObjectType) and (limits := limit_values(bare, description, sample)):
        yield QueryLimit(field, path, limits)


QUERY_LIMITS = [*query_limits()]


@pytest.mark.parametrize("limit", QUERY_LIMITS, ids=lambda limit: f"{limit.field} {'.'.join(limit.path)}")
async def test_stated_limit_of_a_query_is_real(api_for: Callable[..., Api], own_world: World, limit: QueryLimit) -> None:
    api = api_for(own_world.tenant)
    for value in limit.limits.rejected:
        (error,) = (await limit.send(api, value))["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
    for value in limit.limits.accepted:
        errors = (await limit.send(api, value)).get("errors", [])
        assert [each["message"] for each in errors if LIMIT_MESSAGE.match(each["message"])] == []
        assert not errors or limit.path[-1] in FORMS


def test_limits_of_queries_are_tried() -> None:
    assert len(QUERY_LIMITS) > 14


async def test_stated_length_of_an_idempotency_key_is_real(owner: asyncpg.Connection, http: httpx.AsyncClient) -> None:
    (directive,) = [each for each in SCHEMA.directives if each.name == "idempotent"]
    match = re.search(r"(\d+) to (\d+) printable characters", directive.args["key"].description or "")
    assert match
    world = await create_world(owner)
    api = Api(http, world.tenant.tokens[Role.OWNER])
    for length, is_valid in ((int(match[1]) - 1, False), (int(match[2]) + 1, False), (int(match[1]), True), (int(match[2]), True)):
        directive_text = f'@idempotent(key: "{"k" * length}")'
        body = await api.execute(mutation_document("labelCreate", directive_text), input={"name": f"Label {length}"})
        assert bool(body["data"]["labelCreate"]["label"]) is is_valid

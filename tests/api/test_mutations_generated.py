"""Every mutation there is, tried with what it must refuse: without its right, with others' ids, with values that are none, a second time.

Made from the schema itself (`tests/support/mutation_inputs.py`), so that what is added later joins by itself.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInputType, GraphQLList, get_named_type

from db.engine.database import Database
from db.tables import Role
from db.tables.keys import new_id
from domain.core.scope import Permission
from domain.organization.tokens import new_secret
from tests.support.api import Api, connect_client
from tests.support.builders import add_token
from tests.support.ids import global_id
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    MUTATIONS,
    SHAPE_ONLY_WORLD,
    InputLocation,
    Value,
    World,
    create_world,
    input_type,
    iterate_locations,
    max_text_length,
    mutation_document,
    replace_at,
    required_permissions,
    scalar_locations,
    type_of_id,
    valid_input,
)
from tests.support.snapshots import assert_unchanged

REQUEST_ERRORS = {"BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
RIGHT_OF_PART = re.compile(r"Needs ([A-Z_]+)\.")
UNSTORABLE = ["\0", "a\0b", "\ud800", "a\udfff"]
NONE_OF_TYPE: dict[str, list[Value]] = {
    "Boolean": ["true", 1, "", 0.5],
    "Date": ["2026-02-30", "0000-01-01", "31-01-2026", "+12026-01-01", 20260131, True, "2026-01-31T00:00:00Z"],
    "DateTime": ["2026-01-31", "2026-01-31T09:00:00", "2026-02-30T09:00:00Z", 1, True],
    "Decimal": ["NaN", "1e999", "Infinity", "-Infinity", "sNaN", 1.5, True, "", "1,50", "9" * 31, "0x10", " 1", "1_000"],
    "ID": [1.5, True],
    "Int": [2**31, -(2**31) - 1, 2**63, 10**400, "7", 1.5, True, ""],
    "String": [1, 1.5, True],
}


@pytest.fixture(scope="module")
async def own_world(owner: asyncpg.Connection) -> World:
    """What no test here changes: it is only asked for what must be refused."""
    return await create_world(owner)


@pytest.fixture(scope="module")
async def other_world(owner: asyncpg.Connection) -> World:
    return await create_world(owner, "Theirs")


@pytest.fixture
async def changeable_world(owner: asyncpg.Connection) -> World:
    """One to be changed."""
    return await create_world(owner)


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database) as client:
        yield client


async def post(api: Api, query: str, **variables: Value) -> httpx.Response:
    """As bytes of our own making: half a surrogate pair goes as an escape."""
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    return await api.http.post("/graphql", content=json.dumps({"query": query, "variables": variables}), headers=headers)


def error_codes(body: dict[str, Any]) -> set[str]:
    return {error["extensions"]["code"] for error in body["errors"]}


def is_refused_at(response: httpx.Response, mutation: str, location: InputLocation) -> bool:
    """By a coded error of the request, or by user errors of which one lies there."""
    body = response.json()
    if "errors" in body:
        return response.status_code in {200, 400} and error_codes(body) <= REQUEST_ERRORS and not (body.get("data") or {}).get(mutation)
    refusals = body["data"][mutation]["userErrors"]
    return response.status_code == 200 and any(each["path"] == location.error_path for each in refusals)


@asynccontextmanager
async def run_without_permissions(
    owner: asyncpg.Connection, http: httpx.AsyncClient, world: World, *lacking: Permission
) -> AsyncIterator[Api]:
    """Asks as a machine that may do everything else; nothing comes of it."""
    secret = new_secret()
    await add_token(owner, world.id, secret, role=Role.OWNER.value, scope=[each for each in Permission if each not in lacking])
    async with assert_unchanged(owner, world.id):
        yield Api(http, secret)


def test_cases_cover_something() -> None:
    """A schema without mutations, or one whose inputs hold nothing, would let everything through."""
    assert len(MUTATIONS) >= 13
    id_types = {
        location.type_name
        for name, alternative in MUTATION_CASES
        for location in iterate_locations(input_type(name), valid_input(SHAPE_ONLY_WORLD, name, alternative))
    }
    assert id_types >= {"ID", "Int", "String", "Boolean", "Decimal", "ClientKind", "ClientAddressInput", "ClientFinancialInput"}


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("directive", ["", '@idempotent(key: "k")'])
async def test_a8_mutation_without_its_right_is_forbidden(
    owner: asyncpg.Connection, http: httpx.AsyncClient, own_world: World, name: str, directive: str
) -> None:
    """An error of the operation and no payload; nothing is changed, and no key is kept."""
    async with run_without_permissions(owner, http, own_world, *required_permissions(name)) as api:
        body = await api.execute(mutation_document(name, directive), input=valid_input(own_world, name))
        assert (body["data"], error_codes(body)) == ({name: None}, {"FORBIDDEN"})


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a8_viewer_changes_nothing(owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str) -> None:
    """Whatever right the mutation asks for, a viewer has it not."""
    async with assert_unchanged(owner, own_world.id):
        body = await api_for(own_world.tenant, Role.VIEWER).execute(mutation_document(name), input=valid_input(own_world, name))
    assert (body["data"], error_codes(body)) == ({name: None}, {"FORBIDDEN"})


def permissions_of_parts(kind: GraphQLInputType) -> Iterator[Permission]:
    """Yield the rights that fields of an input say they need."""
    bare = get_named_type(kind)
    for field in bare.fields.values() if isinstance(bare, GraphQLInputObjectType) else ():
        yield from (Permission(permission_name) for permission_name in RIGHT_OF_PART.findall(field.description or ""))
        yield from permissions_of_parts(field.type)


OF_PARTS = [(name, needs) for name in MUTATIONS for needs in sorted(set(permissions_of_parts(input_type(name))))]


@pytest.mark.parametrize(("name", "needs"), OF_PARTS)
async def test_mutation_without_the_right_of_a_part_is_forbidden(
    owner: asyncpg.Connection, http: httpx.AsyncClient, own_world: World, name: str, needs: Permission
) -> None:
    """The rest is not done either, nor is the key kept."""
    async with run_without_permissions(owner, http, own_world, needs) as api:
        body = await api.execute(mutation_document(name, '@idempotent(key: "k")'), input=valid_input(own_world, name))
        assert (body["data"], error_codes(body)) == ({name: None}, {"FORBIDDEN"})


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_t1_id_of_another_organization_is_not_found(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, other_world: World, name: str, alternative: int
) -> None:
    """Wherever an id stands: the answer is NOT_FOUND at its place, letter for letter the same as for an id that nobody has."""
    input_values, api = valid_input(own_world, name, alternative), api_for(own_world.tenant)
    async with assert_unchanged(owner, own_world.id, other_world.id):
        for location in scalar_locations(input_type(name), input_values, "ID"):
            kind = type_of_id(location.owner, location.name)
            wrong = "Member" if kind != "Member" else "Label"
            rejected_ids = (global_id(kind, new_id()), other_world.ids[kind], own_world.ids[wrong], other_world.ids[wrong])
            nobodys, *others = [
                await api.execute(mutation_document(name), input=replace_at(input_values, location.path, key)) for key in rejected_ids
            ]
            assert "errors" not in nobodys, (location.path, nobodys)
            refusals = nobodys["data"][name]["userErrors"]
            assert [(each["code"], each["path"]) for each in refusals] == [("NOT_FOUND", location.error_path)]
            assert others == [nobodys] * 3, location.path


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_invalid_id_is_rejected(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """With a code: not found where it lies, or an error of the request."""
    input_values = valid_input(own_world, name, alternative)
    async with assert_unchanged(owner, own_world.id):
        for location in scalar_locations(input_type(name), input_values, "ID"):
            for key in ("", "x", "Client", "Q2xpZW50", "Q2xpZW50Ong=", str(uuid4()), "=" * 1000, 5, "é"):
                response = await post(
                    api_for(own_world.tenant), mutation_document(name), input=replace_at(input_values, location.path, key)
                )
                assert is_refused_at(response, name, location), (location.path, key, response.text)


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_i1_text_that_cannot_be_stored_is_rejected(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """U+0000 and half a surrogate pair, by variable and written in the document, and one character too many: refused at its place."""
    input_values, api = valid_input(own_world, name, alternative), api_for(own_world.tenant)
    async with assert_unchanged(owner, own_world.id):
        for location in scalar_locations(input_type(name), input_values, "String"):
            for text in (*UNSTORABLE, "x" * (max_text_length(location) + 1)):
                wrong = replace_at(input_values, location.path, text)
                response = await post(api, mutation_document(name), input=wrong)
                assert is_refused_at(response, name, location), (location.path, text[:9], response.text)
                if text in UNSTORABLE[1::2]:
                    response = await post(api, mutation_document(name, input=wrong))
                    assert is_refused_at(response, name, location), (location.path, text[:9], response.text)


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_i5_a_value_of_another_type_is_refused(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """Numbers that are none, words that an enum does not have, what is too large, texts for numbers and the other way about."""
    input_values = valid_input(own_world, name, alternative)
    async with assert_unchanged(owner, own_world.id):
        for location in scalar_locations(input_type(name), input_values):
            wrongs = ["WRONG", "", 5, True] if isinstance(location.kind, GraphQLEnumType) else NONE_OF_TYPE[location.type_name]
            for wrong in wrongs:
                response = await post(
                    api_for(own_world.tenant), mutation_document(name), input=replace_at(input_values, location.path, wrong)
                )
                assert is_refused_at(response, name, location), (location.path, wrong, response.text)


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_a_number_beyond_its_limits_is_refused(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """More digits than are kept, and less than nothing; a version that is not the object's is refused as any other."""
    input_values, kind = valid_input(own_world, name, alternative), input_type(name)
    async with assert_unchanged(owner, own_world.id):
        tries: list[tuple[InputLocation, Value]] = [
            (location, wrong) for location in scalar_locations(kind, input_values, "Decimal") for wrong in ["9" * 30, "-0.01", "1.00001"]
        ]
        tries += [(location, wrong) for location in scalar_locations(kind, input_values, "Int") for wrong in [-1, -(2**31)]]
        for location, wrong in tries:
            response = await post(api_for(own_world.tenant), mutation_document(name), input=replace_at(input_values, location.path, wrong))
            assert is_refused_at(response, name, location), (location.path, wrong, response.text)


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_t3_a_value_of_another_shape_is_refused(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """A list for an object or a text, an object for a list, a field that there is not; another's organization cannot be slipped in."""
    input_values, kind = valid_input(own_world, name, alternative), input_type(name)
    async with assert_unchanged(owner, own_world.id):
        for location in iterate_locations(kind, input_values):
            is_object = isinstance(location.kind, GraphQLInputObjectType)
            wrongs = [[], [[]], "x", {"tenantId": str(uuid4())}] if is_object else [{}, {"a": 1}, [[[]]]]
            for wrong in wrongs:
                response = await post(
                    api_for(own_world.tenant), mutation_document(name), input=replace_at(input_values, location.path, wrong)
                )
                assert is_refused_at(response, name, location), (location.path, wrong, response.text)
            if is_object:
                response = await post(
                    api_for(own_world.tenant),
                    mutation_document(name),
                    input=replace_at(input_values, (*location.path, "tenantId"), str(own_world.id)),
                )
                assert error_codes(response.json()) == {"BAD_USER_INPUT"}
        for whole in ([], [input_values, input_values], "x", 1, None, {**input_values, "tenantId": str(own_world.id)}):
            body = (await post(api_for(own_world.tenant), mutation_document(name), input=whole)).json()
            assert error_codes(body) == {"BAD_USER_INPUT"}


async def test_i3_oversized_or_invalid_json_is_rejected(owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World) -> None:
    """Ten million bytes, and the words for what is no number that JavaScript writes."""
    api, query = api_for(own_world.tenant), mutation_document("clientCreate")
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    async with assert_unchanged(owner, own_world.id):
        large = await post(api, query, input=replace_at(valid_input(own_world, "clientCreate"), ("notes",), "x" * 10_000_000))
        assert (large.status_code, error_codes(large.json())) == (413, {"PAYLOAD_TOO_LARGE"})
        for word in ("NaN", "Infinity", "-Infinity"):
            rate = replace_at(valid_input(own_world, "clientCreate"), ("financial", "defaultHourlyRate"), "WORD")
            content = json.dumps({"query": query, "variables": {"input": rate}}).replace('"WORD"', word)
            bare = await api.http.post("/graphql", content=content, headers=headers)
            assert (bare.status_code, error_codes(bare.json())) == (400, {"BAD_REQUEST"})


def test_every_list_of_an_input_has_a_case() -> None:
    """An empty one would leave what it holds untried."""
    for name in MUTATIONS:
        tested = _list_values(input_type(name), valid_input(SHAPE_ONLY_WORLD, name))
        assert [location for location, value in tested if isinstance(location.kind, GraphQLList) and not value] == []


def _list_values(kind: GraphQLInputType, value: Value) -> Iterator[tuple[InputLocation, Value]]:
    for location in iterate_locations(kind, value):
        list_value = value
        for step in location.path:
            list_value = list_value[step]
        yield location, list_value

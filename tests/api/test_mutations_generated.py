"""Test every mutation with requests that it must reject: without permission and with invalid values.

The tests are generated from the schema (`tests/support/mutation_inputs.py`) and therefore include mutations that are added later.
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
from domain.core.scope import Permission
from domain.organization.tokens import new_secret
from tests.support.api import Api, connect_client
from tests.support.builders import add_token
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    MUTATIONS,
    SHAPE_ONLY_WORLD,
    InputLocation,
    Value,
    World,
    input_type,
    iterate_locations,
    max_text_length,
    mutation_document,
    replace_at,
    required_permissions,
    scalar_locations,
    valid_input,
)
from tests.support.snapshots import assert_unchanged

REQUEST_ERRORS = {"BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
PART_PERMISSION = re.compile(r"Requires `([A-Z_]+)`\.")
UNSTORABLE = ["\0", "a\0b", "\ud800", "a\udfff"]
INVALID_VALUES: dict[str, list[Value]] = {
    "Boolean": ["true", 1, "", 0.5],
    "Date": ["2026-02-30", "0000-01-01", "31-01-2026", "+12026-01-01", 20260131, True, "2026-01-31T00:00:00Z"],
    "DateTime": ["2026-01-31", "2026-01-31T09:00:00", "2026-02-30T09:00:00Z", 1, True],
    "Decimal": ["NaN", "1e999", "Infinity", "-Infinity", "sNaN", 1.5, True, "", "1,50", "9" * 31, "0x10", " 1", "1_000"],
    "ID": [5, 1.5, True],
    "Int": [2**31, -(2**31) - 1, 2**63, 10**400, "7", 1.5, True, ""],
    "String": [1, 1.5, True],
}


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database) as client:
        yield client


async def post(api: Api, query: str, **variables: Value) -> httpx.Response:
    """Send JSON that `json.dumps` encodes: it escapes half a surrogate pair, which the client's own encoder rejects."""
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    return await api.http.post("/graphql", content=json.dumps({"query": query, "variables": variables}), headers=headers)


def error_codes(body: dict[str, Any]) -> set[str]:
    return {error["extensions"]["code"] for error in body["errors"]}


def is_rejected_at(response: httpx.Response, mutation: str, location: InputLocation) -> bool:
    """Return whether the request failed with a code, or one of the user errors has the path of the location."""
    body = response.json()
    if "errors" in body:
        return response.status_code in {200, 400} and error_codes(body) <= REQUEST_ERRORS and not (body.get("data") or {}).get(mutation)
    user_errors = body["data"][mutation]["userErrors"]
    return response.status_code == 200 and any(each["path"] == location.error_path for each in user_errors)


@asynccontextmanager
async def run_without_permissions(
    owner: asyncpg.Connection, http: httpx.AsyncClient, world: World, *lacking: Permission
) -> AsyncIterator[Api]:
    """Yield an API client of a token with all other permissions, and check that nothing changes."""
    secret = new_secret()
    await add_token(owner, world.id, secret, role=Role.OWNER.value, scope=[each for each in Permission if each not in lacking])
    async with assert_unchanged(owner, world.id):
        yield Api(http, secret)


def test_cases_cover_all_kinds_of_inputs() -> None:
    """Without cases the generated tests would check nothing."""
    assert len(MUTATIONS) >= 13
    id_types = {
        location.type_name
        for name, alternative in MUTATION_CASES
        for location in iterate_locations(input_type(name), valid_input(SHAPE_ONLY_WORLD, name, alternative))
    }
    assert id_types >= {"ID", "Int", "String", "Boolean", "Decimal", "ClientKind", "ClientAddressInput", "ClientFinancialInput"}


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("directive", ["", '@idempotent(key: "k")'])
async def test_a8_mutation_without_permission_is_forbidden(
    owner: asyncpg.Connection, http: httpx.AsyncClient, own_world: World, name: str, directive: str
) -> None:
    """The error has no payload, nothing changes, and no idempotency key is stored."""
    async with run_without_permissions(owner, http, own_world, *required_permissions(name)) as api:
        body = await api.execute(mutation_document(name, directive), input=valid_input(own_world, name))
        assert (body["data"], error_codes(body)) == ({name: None}, {"FORBIDDEN"})


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a8_viewer_can_call_no_mutation(owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str) -> None:
    async with assert_unchanged(owner, own_world.id):
        body = await api_for(own_world.tenant, Role.VIEWER).execute(mutation_document(name), input=valid_input(own_world, name))
    assert (body["data"], error_codes(body)) == ({name: None}, {"FORBIDDEN"})


def permissions_of_parts(kind: GraphQLInputType) -> Iterator[Permission]:
    """Yield the permissions that descriptions of input fields require."""
    bare = get_named_type(kind)
    for field in bare.fields.values() if isinstance(bare, GraphQLInputObjectType) else ():
        yield from (Permission(permission_name) for permission_name in PART_PERMISSION.findall(field.description or ""))
        yield from permissions_of_parts(field.type)


PERMISSIONS_OF_PARTS = [(name, needs) for name in MUTATIONS for needs in sorted(set(permissions_of_parts(input_type(name))))]


@pytest.mark.parametrize(("name", "needs"), PERMISSIONS_OF_PARTS)
async def test_mutation_without_permission_for_a_part_is_forbidden(
    owner: asyncpg.Connection, http: httpx.AsyncClient, own_world: World, name: str, needs: Permission
) -> None:
    """The other parts are not saved either, and no idempotency key is stored."""
    async with run_without_permissions(owner, http, own_world, needs) as api:
        body = await api.execute(mutation_document(name, '@idempotent(key: "k")'), input=valid_input(own_world, name))
        assert (body["data"], error_codes(body)) == ({name: None}, {"FORBIDDEN"})


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_i1_text_that_cannot_be_stored_is_rejected(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """U+0000, half a surrogate pair (as variable and as literal) and a text over the maximum length are rejected at their path."""
    input_values, api = valid_input(own_world, name, alternative), api_for(own_world.tenant)
    async with assert_unchanged(owner, own_world.id):
        for location in scalar_locations(input_type(name), input_values, "String"):
            for text in (*UNSTORABLE, "x" * (max_text_length(location) + 1)):
                wrong = replace_at(input_values, location.path, text)
                response = await post(api, mutation_document(name), input=wrong)
                assert is_rejected_at(response, name, location), (location.path, text[:9], response.text)
                if text in UNSTORABLE[1::2]:
                    response = await post(api, mutation_document(name, input=wrong))
                    assert is_rejected_at(response, name, location), (location.path, text[:9], response.text)


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_i5_value_of_another_type_is_rejected(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """Unknown enum values and numbers out of range are tried too."""
    input_values = valid_input(own_world, name, alternative)
    async with assert_unchanged(owner, own_world.id):
        for location in scalar_locations(input_type(name), input_values):
            wrongs = ["WRONG", "", 5, True] if isinstance(location.kind, GraphQLEnumType) else INVALID_VALUES[location.type_name]
            for wrong in wrongs:
                response = await post(
                    api_for(own_world.tenant), mutation_document(name), input=replace_at(input_values, location.path, wrong)
                )
                assert is_rejected_at(response, name, location), (location.path, wrong, response.text)


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_number_beyond_its_limits_is_rejected(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """Negative numbers and too many digits are tried. A negative version is an outdated version."""
    input_values, kind = valid_input(own_world, name, alternative), input_type(name)
    async with assert_unchanged(owner, own_world.id):
        tries: list[tuple[InputLocation, Value]] = [
            (location, wrong) for location in scalar_locations(kind, input_values, "Decimal") for wrong in ["9" * 30, "-0.01", "1.00001"]
        ]
        tries += [(location, wrong) for location in scalar_locations(kind, input_values, "Int") for wrong in [-1, -(2**31)]]
        for location, wrong in tries:
            response = await post(api_for(own_world.tenant), mutation_document(name), input=replace_at(input_values, location.path, wrong))
            assert is_rejected_at(response, name, location), (location.path, wrong, response.text)


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_t3_value_of_another_shape_is_rejected(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """Lists, objects and unknown fields are tried, such as `tenantId` with the id of another organization."""
    input_values, kind = valid_input(own_world, name, alternative), input_type(name)
    async with assert_unchanged(owner, own_world.id):
        for location in iterate_locations(kind, input_values):
            is_object = isinstance(location.kind, GraphQLInputObjectType)
            wrongs = [[], [[]], "x", {"tenantId": str(uuid4())}] if is_object else [{}, {"a": 1}, [[[]]]]
            for wrong in wrongs:
                response = await post(
                    api_for(own_world.tenant), mutation_document(name), input=replace_at(input_values, location.path, wrong)
                )
                assert is_rejected_at(response, name, location), (location.path, wrong, response.text)
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
    """NaN and Infinity are not JSON, although JavaScript and Python may write them."""
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


def test_every_list_of_a_valid_input_has_an_entry() -> None:
    """With an empty list, the generated tests would skip the fields of its entries."""
    for name in MUTATIONS:
        tested = _list_values(input_type(name), valid_input(SHAPE_ONLY_WORLD, name))
        assert [location for location, value in tested if isinstance(location.kind, GraphQLList) and not value] == []


def _list_values(kind: GraphQLInputType, value: Value) -> Iterator[tuple[InputLocation, Value]]:
    for location in iterate_locations(kind, value):
        list_value = value
        for step in location.path:
            list_value = list_value[step]
        yield location, list_value

"""Test that a value beyond the range of its type is reported as the caller's mistake, with its location, and never as a server failure.

The tests try every Int, Date, DateTime, Decimal and ID of every argument and input field, as variable, literal and default.
"""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from tests.support.api import UNLIMITED, Api, connect_client
from tests.support.extreme_values import EXTREMES, ExtremeRequest, choose_pairs, mutation_requests, query_requests
from tests.support.mutation_inputs import MUTATION_CASES, World
from tests.support.snapshots import assert_unchanged

ERROR_CODES = {"BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
PYTHON_MESSAGES = ("Exceeds the limit", "set_int_max", "out of range", "fromisoformat", "invalid literal", "base64", "Error", "decimal.")


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database, UNLIMITED) as client:
        yield client


async def send(http: httpx.AsyncClient, world: World, request: ExtremeRequest) -> dict[str, Any]:
    """Return the answer, after checking that each error has a code, a location and a short message without words of Python."""
    headers = {"authorization": f"Bearer {world.tenant.tokens[Role.OWNER]}", "content-type": "application/json"}
    response = await http.post("/graphql", content=request.body, headers=headers)
    body: dict[str, Any] = response.json()
    assert response.status_code in {200, 400}, (request.location, body)
    for error in body.get("errors", ()):
        assert error["extensions"]["code"] in ERROR_CODES, (request.location, error)
        is_placed = error.get("locations") and (error.get("path") or request.variables == "{}" or error["extensions"]["path"][0] == "value")
        assert is_placed or error["extensions"]["code"] == "BAD_REQUEST", (request.location, error)
        assert len(error["message"]) < 700, (request.location, error)
        assert not any(word in error["message"] for word in PYTHON_MESSAGES), (request.location, error)
    return body


EVERY = [pytest.param(2, id="some"), pytest.param(None, id="all", marks=pytest.mark.proof)]
ONE_OF_EACH = {
    "Int": "{ clients(first: $value) { totalCount } }",
    "Date": "{ clients(first: 1) { nodes { revenue(period: {since: $value}) { since } } } }",
    "DateTime": "{ clients(filter: {updatedSince: $value}) { totalCount } }",
    "Decimal": 'mutation { vatRateCreate(input: {name: "x", country: "NL", category: ZERO, percentage: $value}) { userErrors { code } } }',
    "ID": "{ contact(id: $value) { id } }",
}


@pytest.mark.parametrize("scalar_name", EXTREMES)
async def test_every_extreme_value_is_rejected_in_every_form(
    owner: asyncpg.Connection, http: httpx.AsyncClient, own_world: World, scalar_name: str
) -> None:
    """One field of each scalar type is tried. Only an id may be valid and unknown."""
    kind, query = f"{scalar_name}!", ONE_OF_EACH[scalar_name].removeprefix("mutation ")
    operation = "mutation" if query != ONE_OF_EACH[scalar_name] else "query"
    async with assert_unchanged(owner, own_world.id):
        for wrong, form in choose_pairs(scalar_name, "", None):
            default = f" = {wrong}" if form == "default" else ""
            text = (
                f"{operation} {query.replace('$value', wrong)}" if form == "literal" else f"{operation} ($value: {kind}{default}) {query}"
            )
            variables = f'{{"value": {wrong}}}' if form == "variable" else "{}"
            body = await send(http, own_world, ExtremeRequest(f"{scalar_name} {wrong[:40]} as {form}", text, variables))
            assert "errors" in body or body["data"] == {"contact": None}, (wrong[:40], form, body)


@pytest.mark.parametrize("count", EVERY)
@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_mutation_with_an_extreme_value_changes_nothing(
    owner: asyncpg.Connection, http: httpx.AsyncClient, own_world: World, name: str, alternative: int, count: int | None
) -> None:
    """The answer is a request error, or a user error with the path of the value."""
    async with assert_unchanged(owner, own_world.id):
        for request, location in mutation_requests(own_world, name, alternative, count):
            body = await send(http, own_world, request)
            if "errors" not in body:
                paths = [error["path"] for error in body["data"][name]["userErrors"]]
                assert location.error_path in paths, (request.location, body)


@pytest.mark.parametrize("count", EVERY)
async def test_query_with_an_extreme_value_gets_a_proper_answer(http: httpx.AsyncClient, own_world: World, count: int | None) -> None:
    """The answer is an error, or null for an unknown id. The function `send` checks it."""
    requests = list(query_requests(own_world, count))
    assert len(requests) > 100
    for request in requests:
        await send(http, own_world, request)


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [("Date", "1900-01-01", "9998-12-31"), ("DateTime", "1900-01-01T14:00:00+14:00", "9998-12-31T11:59:59.999999-12:00")],
)
async def test_first_and_last_moment_can_be_queried(http: httpx.AsyncClient, own_world: World, kind: str, first: str, last: str) -> None:
    api = Api(http, own_world.tenant.tokens[Role.OWNER])
    for value in (first, last):
        by_variable = f"query ($value: {kind}!) {ONE_OF_EACH[kind]}"
        assert await api.data(by_variable, value=value) == await api.data(ONE_OF_EACH[kind].replace("$value", f'"{value}"'))

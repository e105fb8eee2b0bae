"""Production discloses no names: neither introspection nor suggestions help callers who guess."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
import strawberry
from graphql import get_introspection_query

from db.engine.database import Database
from db.tables import Role
from server.settings import Environment, Settings
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant
from tests.support.error_codes import GRAPHQL_JSON, INVALID, TOO_COMPLEX, error_codes, fetch_error_codes, sent_statements
from tests.support.snapshots import assert_unchanged


@pytest.fixture
async def api(api_for: Callable[..., Api], sample_org: Tenant) -> Api:
    return api_for(sample_org)


@pytest.fixture
async def production(database: Database, schema: strawberry.Schema, sample_org: Tenant) -> AsyncIterator[Api]:
    """Create an API client on a server in production mode."""
    settings = Settings(env=Environment.PRODUCTION, secret_key="a secret of the tests, 32 bytes or more", max_auth_failures=10**6)
    async with connect_client(schema, database, settings) as http:
        yield Api(http, sample_org.tokens[Role.OWNER])


INTROSPECTION = [
    get_introspection_query(),
    "{ __schema { types { name } } }",
    '{ __type(name: "Client") { name } }',
    "{ __schema { types { fields { type { fields { type { name } } } } } } }",
    "query A { viewer { permissions } ...B } fragment B on Query { s: __schema { queryType { name } } }",
]


@pytest.mark.parametrize("query", INTROSPECTION, ids=["standard", "types", "one type", "circular", "in a fragment"])
async def test_q7_production_hides_the_schema(production: Api, api: Api, statements: list[str], query: str) -> None:
    """No query shows it. Development shows it, and `__typename` is always allowed."""
    assert await fetch_error_codes(production, query) <= {INVALID, TOO_COMPLEX}
    assert sent_statements(statements) == []
    assert "errors" not in await api.execute(query)
    assert await production.data("{ __typename }") == {"__typename": "Query"}


async def test_q7_circular_introspection_is_rejected_where_introspection_is_enabled(api: Api, statements: list[str]) -> None:
    """It is rejected by its depth."""
    around = "type { fields { " * 4
    assert await fetch_error_codes(api, "{ __schema { types { fields { " + around + "name" + " }" * 12) == {TOO_COMPLEX}
    assert sent_statements(statements) == []


GUESSES: list[tuple[str, dict[str, Any]]] = [
    ("{ client { nam } }", {}),
    ("{ clents { totalCount } }", {}),
    ("{ clients(frist: 1) { totalCount } }", {}),
    ("{ clients(orderBy: {field: NAM}) { totalCount } }", {}),
    ("{ clients(orderBy: {feild: NAME}) { totalCount } }", {}),
    ("{ clients { nodes { ...X } } } fragment X on Clint { id }", {}),
    ("query ($x: ClientOrderInpt) { clients(orderBy: $x) { totalCount } }", {}),
    ("{ __typename @skp(if: true) }", {}),
    ("{ __typename @skip(fi: true) }", {}),
    ("mutation { clientCreat { client { id } } }", {}),
    ("query ($x: ClientOrderInput) { clients(orderBy: $x) { totalCount } }", {"x": {"field": "NAM"}}),
    ("query ($x: ClientOrderInput) { clients(orderBy: $x) { totalCount } }", {"x": {"field": "NAME", "dirction": "ASC"}}),
    ("mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { userErrors { code } } }", {"x": {"name": "X", "nmber": "1"}}),
]


@pytest.mark.parametrize(("query", "variables"), GUESSES, ids=[query[:40] for query, _ in GUESSES])
async def test_q7_production_gives_no_suggestions(
    production: Api, owner: asyncpg.Connection, sample_org: Tenant, query: str, variables: dict[str, Any]
) -> None:
    """This holds for documents and for variables."""
    async with assert_unchanged(owner, sample_org.id):
        response = await production.post({"query": query, "variables": variables}, accept=GRAPHQL_JSON)
    assert error_codes(response) <= {INVALID, "BAD_USER_INPUT"}
    assert "did you mean" not in response.text.lower()


async def test_q7_development_gives_suggestions(api: Api) -> None:
    """It shows that the test above searches for the right text."""
    assert "Did you mean 'name'?" in (await api.post({"query": "{ client { nam } }"})).text

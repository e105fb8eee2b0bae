"""Names that are not told: in production neither the schema nor a suggestion helps who guesses."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
import strawberry
from graphql import get_introspection_query

from db.engine.database import Database
from db.tables import Role
from server.settings import Environment, Settings
from tests.ask import Api, connected
from tests.builders import Tenant
from tests.server.test_hostile_documents import GRAPHQL_JSON, INVALID, TOO_COMPLEX, codes, read, refused
from tests.snapshots import unchanged


@pytest.fixture
async def api(as_: Callable[..., Api], crowded: Tenant) -> Api:
    return as_(crowded)


@pytest.fixture
async def production(database: Database, schema: strawberry.Schema, crowded: Tenant) -> AsyncIterator[Api]:
    """As it is served to the world."""
    settings = Settings(env=Environment.PRODUCTION, secret_key="a secret of the tests, 32 bytes or more", max_auth_failures=10**6)
    async with connected(schema, database, settings) as http:
        yield Api(http, crowded.tokens[Role.OWNER])


INTROSPECTION = [
    get_introspection_query(),
    "{ __schema { types { name } } }",
    '{ __type(name: "Client") { name } }',
    "{ __schema { types { fields { type { fields { type { name } } } } } } }",
    "query A { viewer { permissions } ...B } fragment B on Query { s: __schema { queryType { name } } }",
]


@pytest.mark.parametrize("query", INTROSPECTION, ids=["standard", "types", "one type", "circular", "in a fragment"])
async def test_q7_in_production_the_schema_is_not_shown(production: Api, api: Api, statements: list[str], query: str) -> None:
    """Whatever way it is asked; in development it is. The name of a type in an answer is always told."""
    assert await refused(production, query) <= {INVALID, TOO_COMPLEX}
    assert read(statements) == []
    assert "errors" not in await api.ask(query)
    assert await production.data("{ __typename }") == {"__typename": "Query"}


async def test_q7_circular_introspection_is_refused_where_introspection_is_not(api: Api, statements: list[str]) -> None:
    """By its depth."""
    around = "type { fields { " * 4
    assert await refused(api, "{ __schema { types { fields { " + around + "name" + " }" * 12) == {TOO_COMPLEX}
    assert read(statements) == []


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
async def test_q7_in_production_nobody_is_helped_to_guess(
    production: Api, owner: asyncpg.Connection, crowded: Tenant, query: str, variables: dict[str, Any]
) -> None:
    """Neither in documents nor in variables is a name suggested."""
    async with unchanged(owner, crowded.id):
        response = await production.post({"query": query, "variables": variables}, accept=GRAPHQL_JSON)
    assert codes(response) <= {INVALID, "BAD_USER_INPUT"}
    assert "did you mean" not in response.text.lower()


async def test_q7_in_development_one_is_helped(api: Api) -> None:
    """So that the test above looks for the right words."""
    assert "Did you mean 'name'?" in (await api.post({"query": "{ client { nam } }"})).text

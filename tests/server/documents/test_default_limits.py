"""Ordinary queries stay far below the default limits."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import strawberry
from graphql import get_introspection_query

from benchmarks.queries import CLIENT, PAGE
from db.engine.database import Database
from server.settings import Settings
from tests.support.api import Api, connect_client
from tests.support.databases import runtime_url
from tests.support.pages import QUERIES

ROOT = Path(__file__).parents[3]
OVERVIEW = next(query for query, _ in QUERIES if query.startswith("query Overview"))
EXAMPLES = sorted((ROOT / "server" / "graphiql" / "examples").glob("*.graphql"))
LARGEST = {
    "the overview": OVERVIEW.replace("clients(first: 1)", "clients(first: 100)").replace("contacts(first: 2)", "contacts"),
    "the nested query": f"{PAGE} {CLIENT}".replace("$first: Int!, ", "").replace("$first", "100"),
}


@pytest.fixture(scope="module")
async def api(demo_url: str, demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    """Create an API client on the demo organization, on a server with the same settings as `relaties serve`."""
    database = await Database.connect(runtime_url(demo_url))
    async with connect_client(schema, database, Settings()) as http:
        yield Api(http, demo_token)
    await database.close()


@pytest.mark.parametrize("query", LARGEST.values(), ids=LARGEST)
async def test_largest_page_with_all_relations_is_answered(api: Api, query: str) -> None:
    """A hundred clients with contacts, labels and revenue cost at most half of the maximum."""
    body = (await api.post({"query": query, "extensions": {"cost": True}})).json()
    clients = body["data"]["clients"]
    assert "errors" not in body
    assert len(clients.get("nodes") or clients["edges"]) == 100
    cost = body["extensions"]["cost"]
    assert cost["actual"] <= cost["requested"] <= Settings().max_cost / 2


@pytest.mark.parametrize("query", [path.read_text() for path in EXAMPLES], ids=[path.stem for path in EXAMPLES])
async def test_the_queries_of_graphiql_are_answered(api: Api, query: str) -> None:
    assert await api.data(query)


@pytest.mark.parametrize("query", [query for query, _ in QUERIES if query.startswith("query")], ids=lambda query: query[:20].split()[1])
async def test_queries_of_the_documentation_are_answered(api: Api, query: str) -> None:
    """Their responses are compared in `tests/docs`."""
    assert await api.data(query)


async def test_the_standard_introspection_query_is_answered(api: Api) -> None:
    """It costs exactly its estimate, however large the response is."""
    body = (await api.post({"query": get_introspection_query(), "extensions": {"cost": True}})).json()
    assert body["data"]["__schema"]["types"]
    assert body["extensions"]["cost"]["actual"] == body["extensions"]["cost"]["requested"] < Settings().max_cost / 10

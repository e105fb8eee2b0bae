"""Run the GraphQL blocks of all pages on the demo organization, in reading order, and compare the documented answers."""

import json
import os
import re
from collections.abc import AsyncIterator, Callable

import pytest
import strawberry

from db.engine.database import Database
from tests.docs.answers import format_answer, replace_answer
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.error_codes import sent_statements
from tests.support.pages import BLOCKS, Block, find_answer

QUERY_BLOCKS = [block for block in BLOCKS if (block.kind, block.environment) == ("graphql", "")]


@pytest.fixture(scope="module")
async def api(demo_urls: tuple[str, str], demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    """Yield an API client for a demo organization that only this module changes."""
    database = await Database.connect(runtime_url(demo_urls[1]))
    async with connect_client(schema, database) as http:
        yield Api(http, demo_token)
    await database.close()


@pytest.mark.parametrize("block", QUERY_BLOCKS, ids=lambda block: block.text[:20])
async def test_query_has_the_documented_answer(api: Api, block: Block) -> None:
    """With RELATIES_TEST_ANSWERS=1, write the actual answers into the pages instead."""
    documented = find_answer(block)
    assert documented
    answer = await api.data(block.text, **await fetch_preview_token(api, block.text))
    if os.environ.get("RELATIES_TEST_ANSWERS"):
        replace_answer(documented, format_answer(answer))
    else:
        assert answer == json.loads(documented.text)


async def fetch_preview_token(api: Api, query: str) -> dict[str, str]:
    """Fetch a token of a deletion preview, if the query needs it."""
    if "$token" not in query:
        return {}
    key = re.findall(r'id: "(.*?)"', query)[0]
    data = await api.data("query ($id: ID!) { client(by: {id: $id}) { deletionPreview { token } } }", id=key)
    return {"token": data["client"]["deletionPreview"]["token"]}


async def test_nested_query_is_one_statement(api_for: Callable[..., Api], sample_org: Tenant, statements: list[str]) -> None:
    """The page on architecture says so. The first time its parts are sent one by one, and a new session needs its tenant."""
    (block,) = (block for block in BLOCKS if block.environment == "statements")
    api = api_for(sample_org)
    await api.data(block.text)
    statements.clear()
    await api.data(block.text)
    assert len([text for text in sent_statements(statements) if not text.startswith("SET app.tenant")]) == 1

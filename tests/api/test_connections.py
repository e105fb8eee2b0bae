"""Test that an operation holds one connection at a time, so that a pool never waits for itself."""

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from db.tables import Role
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.mutation_inputs import MUTATION_CASES, create_world, mutation_document, valid_input
from tests.support.pool_monitor import monitor_pools, track_operation
from tests.support.queries import NESTED_QUERY
from tests.support.sql_queries import ONE_QUERY

DEEP = """{ viewer { organization { name } }
  a: clients(first: 5) { totalCount nodes { name contacts { nodes { fullName clients { totalCount } } }
    labels { name clients { totalCount } } revenue { invoiced { amount } } activity { totalCount } } }
  b: contacts(first: 5) { totalCount nodes { fullName clients { nodes { name labels { name } } } } }
  c: labels { nodes { name clients { nodes { name } } } } }"""


@pytest.fixture
async def single_connection_database(owner_url: str) -> AsyncIterator[Database]:
    """Connect with one connection per pool, so that a nested acquisition would wait for itself, and record acquisitions."""
    with monitor_pools():
        database = await Database.connect(
            runtime_url(owner_url), DatabaseLimits(read_pool_size=1, write_pool_size=1, read_pool_timeout=30, write_pool_timeout=30)
        )
        yield database
        await database.close()


@pytest.fixture
async def api_on_one_connection(single_connection_database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[Tenant], Api]]:
    async with connect_client(schema, single_connection_database) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])


async def test_monitor_detects_nested_acquisitions(single_connection_database: Database, org: Tenant) -> None:
    """It also detects those in tasks of the operation, and ignores acquisitions that follow each other."""
    with track_operation() as holder:
        reads = single_connection_database.read(org.id)
        await reads.fetch(ONE_QUERY)
        await reads.end()
        async with single_connection_database.unit_of_work(org.id):
            pass
        assert (holder.held_count, holder.acquired, holder.nested_acquisitions) == (0, {"reader": 1, "writer": 1}, [])
        async with single_connection_database.unit_of_work(org.id):
            reads = single_connection_database.read(org.id)
            await asyncio.create_task(reads.fetch(ONE_QUERY))
            await reads.end()
        assert (holder.held_count, holder.nested_acquisitions) == (0, ["reader"])


@pytest.mark.parametrize("query", [NESTED_QUERY.replace("$first: Int!", "$first: Int! = 20"), DEEP], ids=["nested", "deep"])
async def test_query_uses_one_connection(api_on_one_connection: Callable[[Tenant], Api], sample_org: Tenant, query: str) -> None:
    """This holds for concurrent fields of one operation, and for ten concurrent operations."""

    async def run_query() -> None:
        with track_operation() as holder:
            await api_on_one_connection(sample_org).data(query)
        assert (holder.held_count, holder.nested_acquisitions) == (0, [])
        assert 1 <= holder.acquired.total() <= 2  # the second one looks up the token if it is not cached

    await asyncio.gather(*(run_query() for _ in range(10)))


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_mutation_releases_its_write_connection_before_reading_its_payload(
    api_on_one_connection: Callable[[Tenant], Api], owner: asyncpg.Connection, name: str, alternative: int
) -> None:
    own_world = await create_world(owner)
    with track_operation() as holder:
        body = await api_on_one_connection(own_world.tenant).execute(
            mutation_document(name, '@idempotent(key: "k")'), input=valid_input(own_world, name, alternative)
        )
    assert body["data"][name]["userErrors"] == []
    assert (holder.held_count, holder.nested_acquisitions, holder.acquired["writer"]) == (0, [], 1)

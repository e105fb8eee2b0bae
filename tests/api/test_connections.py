"""An operation holds one connection at a time: a pool never waits for itself."""

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from db.tables import Role
from tests.api.test_nested_query import NESTED
from tests.ask import Api, connected
from tests.builders import Tenant
from tests.conftest import runtime_url
from tests.db.test_transaction import ONE
from tests.holding import operation, watched
from tests.inputs import TRIES, document, right, world

DEEP = """{ viewer { organization { name } }
  a: clients(first: 5) { totalCount nodes { name contacts { nodes { fullName clients { totalCount } } }
    labels { name clients { totalCount } } revenue { invoiced { amount } } activity { totalCount } } }
  b: contacts(first: 5) { totalCount nodes { fullName clients { nodes { name labels { name } } } } }
  c: labels { nodes { name clients { nodes { name } } } } }"""


@pytest.fixture
async def small(owner_url: str) -> AsyncIterator[Database]:
    """One connection of each kind, so that whoever nests waits for himself; and the pools tell."""
    with watched():
        made = await Database.connect(
            runtime_url(owner_url), DatabaseLimits(read_pool_size=1, write_pool_size=1, read_pool_timeout=30, write_pool_timeout=30)
        )
        yield made
        await made.close()


@pytest.fixture
async def asks(small: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[Tenant], Api]]:
    async with connected(schema, small) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])


async def test_the_instrument_sees_who_nests(small: Database, org: Tenant) -> None:
    """In a task of the operation's too; and not who does one thing after the other."""
    with operation() as seen:
        reads = small.read(org.id)
        await reads.fetch(ONE)
        await reads.end()
        async with small.unit_of_work(org.id):
            pass
        assert (seen.now, seen.taken, seen.nested) == (0, {"reader": 1, "writer": 1}, [])
        async with small.unit_of_work(org.id):
            reads = small.read(org.id)
            await asyncio.create_task(reads.fetch(ONE))
            await reads.end()
        assert (seen.now, seen.nested) == (0, ["reader"])


@pytest.mark.parametrize("query", [NESTED.replace("$first: Int!", "$first: Int! = 20"), DEEP], ids=["nested", "deep"])
async def test_a_query_takes_one_connection(asks: Callable[[Tenant], Api], crowded: Tenant, query: str) -> None:
    """However many of its fields ask at once, and however many such operations there are."""

    async def asked() -> None:
        with operation() as seen:
            await asks(crowded).data(query)
        assert (seen.now, seen.nested) == (0, [])
        assert 1 <= seen.taken.total() <= 2  # the look-up of the token, if it was not known, is the other

    await asyncio.gather(*(asked() for _ in range(10)))


@pytest.mark.parametrize(("name", "turn"), TRIES)
async def test_a_mutation_takes_one_connection_after_the_other(
    asks: Callable[[Tenant], Api], owner: asyncpg.Connection, name: str, turn: int
) -> None:
    """The unit of work's is given back before its payload is read."""
    made = await world(owner)
    with operation() as seen:
        body = await asks(made.tenant).ask(document(name, '@idempotent(key: "k")'), input=right(made, name, turn))
    assert body["data"][name]["userErrors"] == []
    assert (seen.now, seen.nested, seen.taken["writer"]) == (0, [], 1)

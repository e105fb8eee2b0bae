"""Organizations that ask at once, under fire, are kept apart."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import strawberry

from db.engine import Database, Limits
from tests.apart import crossfire, organizations
from tests.ask import connected
from tests.conftest import RUNTIME, runtime_url
from tests.outages import GIVEN_UP

PATIENT = Limits(wait_s=30, turn_s=30)


@pytest.fixture
async def url(fresh_database: Callable[[], Awaitable[str]]) -> str:
    return await fresh_database()


@pytest.fixture
async def operator(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    made = await Database.connect(runtime_url(url), PATIENT)
    yield made
    await made.close()


@GIVEN_UP
@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.proof)])
async def test_t7_nobody_is_shown_anothers(
    database: Database, operator: asyncpg.Connection, schema: strawberry.Schema, seconds: float
) -> None:
    """Two hundred nested requests of twenty organizations at any time; each name in each answer is of who asked."""
    orgs = await organizations(operator)
    async with connected(schema, database) as http:
        await crossfire(orgs, http, operator, RUNTIME, seconds)
    assert (database.readers_in_use, database.writers_in_use) == (0, 0)

"""Fixtures of the API tests."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.mutation_inputs import World, create_world


@pytest.fixture(scope="module")
async def own_world(owner: asyncpg.Connection) -> World:
    """Create test data that the tests of a module share. They must not change it: they send only requests that are rejected."""
    return await create_world(owner)


@pytest.fixture
async def rival_connection(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect to the database a second time, to hold locks that the server needs."""
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()

"""Fixtures of the API tests."""

import asyncpg
import pytest

from tests.support.mutation_inputs import World, create_world


@pytest.fixture(scope="module")
async def own_world(owner: asyncpg.Connection) -> World:
    """Create test data that the tests of a module share. They must not change it: they send only requests that are rejected."""
    return await create_world(owner)

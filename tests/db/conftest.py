"""What the tests of the database share."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from tests.demos import filled


@pytest.fixture(scope="session")
async def loaded(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[asyncpg.Connection]:
    connection = await filled(await fresh_database())
    yield connection
    await connection.close()

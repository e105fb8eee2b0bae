"""Fixtures that the database tests share."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from tests.support.demo_data import load_demo


@pytest.fixture(scope="session")
async def demo_connection(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[asyncpg.Connection]:
    connection = await load_demo(await fresh_database())
    yield connection
    await connection.close()

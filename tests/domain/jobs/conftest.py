"""Fixture of a database without jobs: the queue is shared by all organizations of a database."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.jobs import JobDatabase, open_job_database


@pytest.fixture
async def jobs(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[JobDatabase]:
    async with open_job_database(await fresh_database()) as job_database:
        yield job_database

"""Fixture of an organization that exports, in a database of its own: the queue is shared by all organizations of a database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
import strawberry

from tests.support.databases import RUNTIME
from tests.support.exports import ExportCase, open_export_case
from tests.support.jobs import open_job_database


@pytest.fixture
async def case(
    fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ExportCase]:
    """Return the organization. An export reads its clients in parts of two. Transactions wait for locks however slow the machine is."""
    monkeypatch.setattr("domain.exports.reading.PART_SIZE", 2)
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    await owner.execute(f"ALTER ROLE {RUNTIME} IN DATABASE {await owner.fetchval('SELECT current_database()')} SET lock_timeout = '60s'")
    await owner.close()
    async with open_job_database(url) as jobs, open_export_case(jobs, schema, tmp_path) as export_case:
        yield export_case

"""The commands that list, show and cancel jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from tests.support.builders import CREATED_AT, Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.processes import run_relaties

FAILED = {"status": "FAILED", "failure_code": "ACCESS_LOST", "failure_message": "Why.", "warnings": ["Look."], "finished_at": CREATED_AT}


@pytest.fixture
async def org(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[Tenant]:
    """Return the only organization of a database."""
    owner = await asyncpg.connect(await fresh_database())
    yield await create_tenant(owner)
    await owner.close()


@pytest.fixture
async def settings(org: Tenant, tmp_path: Path, server_url: str) -> dict[str, str]:
    url = f"{server_url.rpartition('/')[0]}/{await org.owner.fetchval('SELECT current_database()')}"
    return {"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path)}


async def test_jobs_are_listed_shown_and_cancelled(org: Tenant, settings: dict[str, str]) -> None:
    """The operator sees the jobs of everyone in the organization."""
    queued, failed = await org.add_job(total=10), await org.add_job(**FAILED)
    lines = run_relaties("jobs", "list", **settings).stdout.splitlines()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "REVENUE_REBUILD" in line]
    created = "2026-01-01 00:00:00"
    assert rows == [
        [str(failed), "REVENUE_REBUILD", "FAILED", "0/?", created, created],
        [str(queued), "REVENUE_REBUILD", "QUEUED", "0/10", created, ""],
    ]
    assert str(failed) not in run_relaties("jobs", "list", "--status", "QUEUED", **settings).stdout
    output = run_relaties("jobs", "show", str(failed), **settings).stdout
    assert output.splitlines()[2:4] == ["Status: FAILED", "Progress: 0/?"]
    assert output.splitlines()[-2:] == ["Failure: ACCESS_LOST: Why.", "Warning: Look."]
    assert run_relaties("jobs", "cancel", str(queued), **settings).stdout == "The job is cancelled.\n"
    assert await org.owner.fetchval("SELECT status FROM relaties.job WHERE id = $1", queued) == "CANCELLED"
    events = await org.owner.fetch("SELECT channel, operation FROM relaties.audit_event WHERE object_id = $1", queued)
    assert [tuple(event) for event in events] == [("COMMAND_LINE", "jobs cancel")]


async def test_unknown_and_finished_jobs_are_refused(org: Tenant, settings: dict[str, str]) -> None:
    failed = await org.add_job(**FAILED)
    for command, job, message in (
        ("show", uuid4(), "id: There is no job with this ID. It may have been deleted: look it up again."),
        ("cancel", uuid4(), "id: There is no job with this ID. It may have been deleted: look it up again."),
        ("cancel", failed, "id: This job has already ended as FAILED, so it cannot be cancelled."),
    ):
        result = run_relaties("jobs", command, str(job), **settings)
        assert (result.returncode, result.stdout, result.stderr) == (1, "", f"{message}\n")
    assert await org.owner.fetchval("SELECT status FROM relaties.job WHERE id = $1", failed) == "FAILED"

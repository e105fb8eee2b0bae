"""Two job worker processes share the jobs of many organizations."""

import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.builders import create_tenant
from tests.support.eventually import wait_until
from tests.support.job_workers import REPAIR, build_settings
from tests.support.jobs import open_job_database
from tests.support.processes import PROGRAM, ServerProcess

ORGANIZATIONS, JOBS_EACH = 20, 5
CHANGES = "SELECT object_id, action, changes FROM relaties.audit_event WHERE object_type = 'Job' ORDER BY id"


async def test_two_processes_run_each_job_once(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> None:
    """No organization has two jobs running: the database would reject the claim, and the worker would log the error."""
    url = await fresh_database()
    async with open_job_database(url) as jobs:
        orgs = [await create_tenant(jobs.owner, f"Organization {number}") for number in range(ORGANIZATIONS)]
        for org in orgs:
            await org.add_client("Client")
            for _ in range(JOBS_EACH):
                await jobs.start(org, input=REPAIR)
        workers = [ServerProcess([str(PROGRAM), "worker"], 0, build_settings(url, tmp_path)) for _ in range(2)]

        async def has_ended() -> bool:
            return await jobs.message_count() == 0

        try:
            await wait_until(has_ended)
        finally:
            statuses = [worker.stop(signal.SIGTERM) for worker in workers]
        assert statuses == [0, 0]
        rows = await jobs.owner.fetch("SELECT tenant_id, id, status, done_count, attempts FROM relaties.job ORDER BY finished_at")
        assert {tuple(row)[2:] for row in rows} == {("SUCCEEDED", 1, 0)}
        assert Counter(row["tenant_id"] for row in rows) == {org.id: JOBS_EACH for org in orgs}
        by_job = Counter(row["object_id"] for row in await jobs.owner.fetch(CHANGES) if row["action"] == "CHANGED")
        assert by_job == {row["id"]: 1 for row in rows}
        for org in orgs:  # in the order in which they were started
            ids = [row["id"] for row in rows if row["tenant_id"] == org.id]
            assert ids == sorted(ids)
        assert not [line for worker in workers for line in worker.output.splitlines() if "failed" in line]

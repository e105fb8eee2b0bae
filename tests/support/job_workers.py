"""Run job workers in processes of their own, and check what they leave when they die."""

import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from db.queries import monthly_balances
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.eventually import wait_until
from tests.support.jobs import JobDatabase, open_job_database
from tests.support.large_organization import ALLOCATIONS, CLIENTS, INVOICES, PAYMENTS, fill_organization
from tests.support.owner import OwnerTransaction
from tests.support.processes import PROGRAM, ServerProcess

LEASE_S = 1
REPAIR = {"is_repairing": True}
WORKER_BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = current_database()"


def build_settings(url: str, data_dir: Path) -> dict[str, str]:
    return {"DATABASE_URL": runtime_url(url), "RELATIES_JOB_LEASE": str(LEASE_S), "RELATIES_DATA_DIR": str(data_dir)}


@dataclass
class RebuildCase:
    """An organization whose stored balances are all wrong, a job that rebuilds them, and the processes of job workers."""

    jobs: JobDatabase
    org: Tenant
    job: UUID
    settings: dict[str, str]
    processes: list[ServerProcess] = field(default_factory=list)

    def start_worker(self) -> ServerProcess:
        process = ServerProcess([str(PROGRAM), "worker"], 0, self.settings)
        self.processes.append(process)
        return process

    async def read_job(self) -> dict[str, Any]:
        return await self.jobs.job(self.job)

    async def reconnect(self) -> None:
        """Connect to the database again after it was restarted."""
        await self.jobs.owner.close()
        self.jobs.owner = self.org.owner = await asyncpg.connect(self.jobs.url)

    async def wait_for_count(self, count: int) -> None:
        """Wait until the job has processed so many clients."""

        async def has_count() -> bool:
            job = await self.read_job()
            return bool(job["done_count"] >= count or job["status"] not in {"QUEUED", "RUNNING"})

        await wait_until(has_count)

    async def wait_for_leases(self, count: int) -> None:
        """Wait for so many leases of the job, as the clock of the database measures them."""
        until = await self.jobs.owner.fetchval("SELECT clock_timestamp() + $1 * interval '1 second'", count * LEASE_S)

        async def has_passed() -> bool:
            return bool(await self.jobs.owner.fetchval("SELECT clock_timestamp() >= $1", until))

        await wait_until(has_passed)

    async def wait_until_ended(self) -> None:
        async def has_ended() -> bool:
            return (await self.read_job())["status"] not in {"QUEUED", "RUNNING"}

        await wait_until(has_ended)

    async def check_result(self, clients: int) -> None:
        """Check that each client was processed exactly once, and that the balances equal the invoices and payments."""
        await self.wait_until_ended()
        succeeded = {"status": "SUCCEEDED", "done_count": clients, "total": clients, "attempts": 0, "is_owned": False, "cursor": None}
        assert await self.read_job() == succeeded | {"failure_code": None, "failure_message": None}, self.processes[-1].output
        ids = await self.jobs.owner.fetchval("SELECT array_agg(id) FROM relaties.client WHERE tenant_id = $1", self.org.id)
        assert await monthly_balances.find_inconsistent(OwnerTransaction(self.jobs.owner, self.org.id), ids) == []
        warnings = await self.jobs.owner.fetchval("SELECT warnings FROM relaties.job WHERE id = $1", self.job)
        repaired = [int(warning.split()[4]) for warning in warnings]
        assert len(warnings) == 100 or sum(repaired) == clients  # a job has at most 100 warnings
        assert set(repaired) == {500}


@contextmanager
def stopping(case: RebuildCase) -> Iterator[None]:
    try:
        yield
    finally:
        for process in case.processes:
            process.stop(signal.SIGKILL)


@asynccontextmanager
async def prepare_rebuild(url: str, data_dir: Path, clients: int) -> AsyncIterator[RebuildCase]:
    """Create the organization with wrong balances, and queue the job. All processes are killed at the end."""
    async with open_job_database(url) as jobs:
        org = await create_tenant(jobs.owner)
        await fill_organization(jobs.owner, org, clients, (CLIENTS, INVOICES, PAYMENTS, ALLOCATIONS))
        await jobs.owner.execute("UPDATE relaties.client_month SET invoiced = invoiced + 1 WHERE tenant_id = $1", org.id)
        await jobs.owner.execute("ANALYZE")
        case = RebuildCase(jobs, org, await jobs.start(org, input=REPAIR), build_settings(url, data_dir))
        with stopping(case):
            yield case


async def kill_backends(owner: asyncpg.Connection, role: str) -> None:
    """End all sessions of the server's role in the database."""
    await owner.execute(WORKER_BACKENDS, role)

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
from domain.core.scope import ALL_PERMISSIONS, Actor, open_write_scope
from domain.exports import starting
from domain.exports.request import ExportRequest
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.eventually import wait_until
from tests.support.jobs import JobDatabase, open_job_database
from tests.support.large_organization import ADDRESSES, ALLOCATIONS, CLIENTS, INVOICES, PAYMENTS, fill_organization
from tests.support.owner import OwnerTransaction
from tests.support.processes import PROGRAM, ServerProcess

LEASE_S = 1
REPAIR = {"is_repairing": True}
WORKER_BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = current_database()"


def build_settings(url: str, data_dir: Path) -> dict[str, str]:
    return {"DATABASE_URL": runtime_url(url), "RELATIES_JOB_LEASE": str(LEASE_S), "RELATIES_DATA_DIR": str(data_dir)}


@dataclass
class WorkerCase:
    """An organization with a job, and the processes of job workers."""

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


@dataclass
class RebuildCase(WorkerCase):
    """An organization whose stored balances are all wrong, and a job that rebuilds them."""

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


@dataclass
class ExportCase(WorkerCase):
    """An organization with many clients, and an export of them."""

    async def read_file(self) -> bytes:
        """Return the content of the only file."""
        (job,) = await self.jobs.owner.fetch("SELECT job_id FROM relaties.file WHERE tenant_id = $1", self.org.id)
        rows = await self.jobs.owner.fetch(
            "SELECT content FROM relaties.file_part p JOIN relaties.file f ON f.id = p.file_id WHERE f.job_id = $1 ORDER BY number", job[0]
        )
        return b"".join(row["content"] for row in rows)

    async def check_result(self, clients: int) -> None:
        """Check that the export has succeeded with one file, and that workers have left no message and no local file."""
        await self.wait_until_ended()
        job = await self.read_job()
        assert (job["status"], job["done_count"], job["total"]) == ("SUCCEEDED", clients, clients), (job, self.processes[-1].output)
        assert await self.jobs.owner.fetchval("SELECT count(*) FROM relaties.file") == 1
        assert await self.jobs.message_count() == 0


@contextmanager
def stopping(case: WorkerCase) -> Iterator[None]:
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


@asynccontextmanager
async def prepare_export(url: str, data_dir: Path, clients: int, request: ExportRequest) -> AsyncIterator[ExportCase]:
    """Create the organization and queue the export. All processes are killed at the end."""
    async with open_job_database(url) as jobs:
        org = await create_tenant(jobs.owner)
        await fill_organization(jobs.owner, org, clients, (CLIENTS, ADDRESSES, INVOICES, PAYMENTS, ALLOCATIONS))
        await jobs.owner.execute("ANALYZE")
        async with open_write_scope(jobs.database, Actor(org.id, ALL_PERMISSIONS), "clientExportStart") as scope:
            job = await starting.start(scope, request)
        case = ExportCase(jobs, org, job, build_settings(url, data_dir) | {"TMPDIR": str(data_dir)})
        with stopping(case):
            yield case

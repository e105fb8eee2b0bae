"""The maintenance of a job worker deletes expired files."""

import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from tests.support.builders import create_tenant
from tests.support.databases import runtime_url
from tests.support.eventually import wait_until
from tests.support.files import expire
from tests.support.processes import PROGRAM, ServerProcess


async def test_job_worker_deletes_expired_files(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> None:
    """Those of all organizations, and no others."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    orgs = [await create_tenant(owner) for _ in range(2)]
    kept_ids = [await org.add_file() for org in orgs]
    await expire(owner, *[await org.add_file() for org in orgs])

    async def are_deleted() -> bool:
        return bool(await owner.fetchval("SELECT count(*) = 2 FROM relaties.file"))

    worker = ServerProcess([str(PROGRAM), "worker"], 0, {"DATABASE_URL": runtime_url(url), "RELATIES_DATA_DIR": str(tmp_path)})
    try:
        await wait_until(are_deleted)
    finally:
        assert worker.stop(signal.SIGTERM) == 0, worker.output
    assert [row["id"] for row in await owner.fetch("SELECT id FROM relaties.file ORDER BY id")] == sorted(kept_ids)
    assert await owner.fetchval("SELECT count(*) FROM relaties.file_part") == 2
    await owner.close()

"""The process of a job worker: when `serve` starts it, what restarts and stops it, and what it refuses."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.databases import runtime_url
from tests.support.eventually import wait_until
from tests.support.job_workers import prepare_rebuild
from tests.support.processes import PROGRAM, ServerProcess, find_free_port, run_relaties

READY = "the job worker is ready"
FreshDatabase = Callable[[], Awaitable[str]]


def find_job_workers(server: ServerProcess) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [child for child in children if "worker" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
async def settings(fresh_database: FreshDatabase, tmp_path: Path) -> dict[str, str]:
    url = await fresh_database()
    return {"DATABASE_URL": runtime_url(url), "RELATIES_DATA_DIR": str(tmp_path), "RELATIES_JOB_WORKERS": "1"}


def serve(settings: dict[str, str], *arguments: str) -> ServerProcess:
    port = find_free_port()
    server = ServerProcess([str(PROGRAM), "serve", "--port", str(port), *arguments], port, settings)
    server.wait_for_output("answers at")
    return server


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_runs_a_job_worker_and_stops_it(settings: dict[str, str], workers: str) -> None:
    """It has a lower priority. After a kill there is a new one; when the server stops, there is none."""
    server = serve(settings, "--workers", workers)
    try:
        server.wait_for_output(READY)
        (first,) = find_job_workers(server)
        assert first.nice() == psutil.Process(server.process.pid).nice() + 10
        assert os.getpgid(first.pid) == first.pid
        first.kill()
        server.wait_for_output("is restarted")
        server.wait_for_output(READY)
        (second,) = find_job_workers(server)
        assert httpx.get(f"{server.address}/readyz", timeout=30).json() == {"status": "ready"}
    finally:
        assert server.stop(signal.SIGTERM) == 0
    assert not second.is_running()


async def test_job_worker_ends_with_a_server_that_is_killed(settings: dict[str, str]) -> None:
    server = serve(settings)
    server.wait_for_output(READY)
    (worker,) = find_job_workers(server)
    server.process.kill()

    async def has_ended() -> bool:
        await asyncio.sleep(0)
        return not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE

    await wait_until(has_ended)
    server.stop(signal.SIGKILL)


def test_zero_job_workers_start_none(settings: dict[str, str]) -> None:
    server = serve(settings | {"RELATIES_JOB_WORKERS": "0"})
    try:
        assert httpx.get(f"{server.address}/readyz", timeout=30).json() == {"status": "ready"}
        assert find_job_workers(server) == []
    finally:
        server.stop(signal.SIGTERM)


@pytest.mark.parametrize("command", [["worker"], ["serve"]])
def test_pooler_without_a_direct_url_is_refused(command: list[str], tmp_path: Path) -> None:
    url = "postgresql://x@127.0.0.1:1/x"
    settings = {"DATABASE_URL": url, "RELATIES_POOLER": "true", "RELATIES_JOB_WORKERS": "1", "RELATIES_DATA_DIR": str(tmp_path)}
    result = run_relaties(*command, **settings)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "RELATIES_DIRECT_URL: required by the job worker, because RELATIES_POOLER is set and a pooler passes on no notifications. Set "
        "it to the URL of the database without the pooler, or set RELATIES_JOB_WORKERS=0 and run `relaties worker` elsewhere.\n"
    )


async def test_worker_stops_at_the_end_of_a_chunk(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    """Another worker continues without waiting for a lease. The metrics of both show the job."""
    port = find_free_port()
    async with prepare_rebuild(await fresh_database(), tmp_path, 2_000) as case:
        case.settings |= {"RELATIES_JOB_LEASE": "3600", "RELATIES_METRICS_PORT": str(port)}
        first = case.start_worker()
        await case.wait_for_count(1)
        assert first.stop(signal.SIGTERM) == 0
        stopped = await case.read_job()
        assert stopped["done_count"] % 500 == 0
        case.start_worker().wait_for_output(READY)
        await case.check_result(2_000)

        async def shows_no_jobs() -> bool:
            async with httpx.AsyncClient(timeout=30) as http:
                text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
            lines = text.splitlines()
            return "relaties_jobs_queued 0.0" in lines and f"relaties_job_entries_total {2_000 - stopped['done_count']}.0" in lines

        await wait_until(shows_no_jobs)

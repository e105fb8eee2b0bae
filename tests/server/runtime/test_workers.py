"""Test a server with several worker processes on one port."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from db.tables import Role
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.eventually import wait_until
from tests.support.processes import PROGRAM, ServerProcess, find_free_port, find_free_port_pair, run_relaties

QUERY = {"query": "{ viewer { organization { name } } }"}
ANSWER = {"data": {"viewer": {"organization": {"name": "Of workers"}}}}


def find_workers(parent: int) -> set[int]:
    """Return the ids of the running child processes. A process that has ended but was not waited for does not count."""
    pids = set[int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, its_parent = stat.read_text().rpartition(") ")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_parent) == parent and state != "Z":
            pids.add(int(stat.parent.name))
    return pids


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class WorkerServer:
    """A server of several workers, and an organization that sends queries to it."""

    def __init__(self, serving: ServerProcess, org: Tenant, metrics_port: int) -> None:
        self.serving = serving
        self.metrics_port = metrics_port
        self._headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}"}

    @property
    def workers(self) -> set[int]:
        return find_workers(self.serving.process.pid)

    async def send_query(self) -> object:
        """Send a query on a new connection, which any worker may accept."""
        async with httpx.AsyncClient(base_url=self.serving.address, headers=self._headers, timeout=60) as http:
            return (await http.post("/graphql", json=QUERY)).json()

    async def have_all_answered(self) -> bool:
        assert await self.send_query() == ANSWER
        return all([await self.count_requests(number) > 0 for number in (0, 1)])

    async def count_requests(self, number: int) -> int:
        """Return the number of requests that a worker has answered, by its metrics. A worker that is still starting counts as 0."""
        try:
            async with httpx.AsyncClient() as http:
                text = (await http.get(f"http://127.0.0.1:{self.metrics_port + number}/metrics")).text
        except httpx.ConnectError:
            return 0
        return sum(int(float(line.split()[-1])) for line in text.splitlines() if line.startswith("relaties_requests_total"))


@pytest.fixture
async def worker_server(owner: asyncpg.Connection, owner_url: str, tmp_path: Path) -> AsyncIterator[WorkerServer]:
    """Run a server of two workers."""
    org, port, metrics_port = await create_tenant(owner, "Of workers"), find_free_port(), find_free_port_pair()
    settings = {"DATABASE_URL": runtime_url(owner_url), "RELATIES_DATA_DIR": str(tmp_path), "RELATIES_METRICS_PORT": str(metrics_port)}
    serving = ServerProcess([str(PROGRAM), "serve", "--port", str(port), "--workers", "2"], port, settings)
    try:
        await asyncio.to_thread(serving.wait_for_output, "answers at")
        yield WorkerServer(serving, org, metrics_port)
    finally:
        await asyncio.to_thread(serving.stop, signal.SIGINT)


async def test_both_workers_answer_on_one_port(worker_server: WorkerServer) -> None:
    """Each worker answers some of the requests, and serves its own metrics."""
    assert len(worker_server.workers) == 2

    await wait_until(worker_server.have_all_answered)


async def test_terminated_worker_is_restarted(worker_server: WorkerServer) -> None:
    """The other worker answers meanwhile. The start message is not printed again."""
    before = worker_server.workers
    victim = min(before)
    await wait_until(worker_server.have_all_answered)
    os.kill(victim, signal.SIGKILL)

    async def are_two_again() -> bool:
        assert await worker_server.send_query() == ANSWER
        return len(worker_server.workers) == 2 and victim not in worker_server.workers

    await wait_until(are_two_again)
    assert len(worker_server.workers & before) == 1
    assert "ended with status -9 and is restarted" in worker_server.serving.output
    assert worker_server.serving.output.count("answers at") == 1


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_all_workers_stop_together(worker_server: WorkerServer, stop_signal: signal.Signals) -> None:
    """The port is free immediately, and no process is left."""
    workers = worker_server.workers
    assert await asyncio.to_thread(worker_server.serving.stop, stop_signal) == 0
    assert [pid for pid in workers if is_alive(pid)] == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", worker_server.serving.port))


async def test_no_worker_outlives_its_parent(worker_server: WorkerServer) -> None:
    """SIGKILL gives the parent no chance to stop its workers."""
    workers = worker_server.workers
    worker_server.serving.process.kill()

    async def are_gone() -> bool:
        await asyncio.sleep(0)
        return not any(map(is_alive, workers))

    await wait_until(are_gone)


def test_workers_that_cannot_start_are_reported_once(owner_url: str, tmp_path: Path) -> None:
    """The parent does not restart workers that never started."""
    with socket.create_server(("127.0.0.1", find_free_port_pair())) as occupied_socket:
        port = str(occupied_socket.getsockname()[1])
        settings = {"DATABASE_URL": runtime_url(owner_url), "RELATIES_DATA_DIR": str(tmp_path), "RELATIES_METRICS_PORT": port}
        result = run_relaties("serve", "--port", str(find_free_port()), "--workers", "2", **settings)
    assert result.returncode == 1
    assert f"Cannot serve metrics on 127.0.0.1:{port}: Address already in use." in result.stderr
    assert "Worker 0 could not start and ended with status 1." in result.stderr

"""A job that rebuilds the revenue of thousands of clients has each effect exactly once, whatever dies in the meantime."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from db.migrations import upgrade
from tests.support.databases import RUNTIME, runtime_url
from tests.support.job_workers import RebuildCase, kill_backends, prepare_rebuild
from tests.support.own_server import OwnDatabaseServer, run_own_server

CLIENTS, KILLS = 5_000, 3
MANY_CLIENTS, MANY_KILLS = 100_000, 16
FreshDatabase = Callable[[], Awaitable[str]]


async def kill_workers(case: RebuildCase, clients: int, kills: int) -> None:
    """Kill a worker at random times while the job runs, and start another one each time."""
    for number in range(kills):
        worker = case.start_worker()
        await case.wait_for_count(clients * number // (kills + 1) + random.randrange(500))  # noqa: S311 no secret
        worker.stop(signal.SIGKILL)
    case.start_worker()


async def test_rebuild_survives_kills_of_its_worker(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    async with prepare_rebuild(await fresh_database(), tmp_path, CLIENTS) as case:
        await kill_workers(case, CLIENTS, KILLS)
        await case.check_result(CLIENTS)


async def test_rebuild_survives_kills_of_its_backends(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    """The worker connects again by itself."""
    async with prepare_rebuild(await fresh_database(), tmp_path, CLIENTS) as case:
        case.start_worker()
        for number in range(KILLS):
            await case.wait_for_count(CLIENTS * number // (KILLS + 1) + 1)
            await kill_backends(case.jobs.owner, RUNTIME)
        await case.check_result(CLIENTS)


@pytest.mark.proof
async def test_rebuild_survives_many_kills_of_its_worker(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    async with prepare_rebuild(await fresh_database(), tmp_path, MANY_CLIENTS) as case:
        await kill_workers(case, MANY_CLIENTS, MANY_KILLS)
        await case.check_result(MANY_CLIENTS)


@pytest.fixture
def own_server(postgres_dir: Path) -> Iterator[OwnDatabaseServer]:
    """Run a database server of this test's own. Only code outside of the event loop can start one."""
    with run_own_server(postgres_dir / "restarted") as server:
        yield server


@pytest.mark.proof
async def test_rebuild_survives_restarts_of_postgresql(own_server: OwnDatabaseServer, tmp_path: Path) -> None:
    await upgrade(own_server.owner_url, runtime_url(own_server.owner_url))
    async with prepare_rebuild(own_server.owner_url, tmp_path, CLIENTS) as case:
        case.start_worker()
        for number in range(KILLS):
            await case.wait_for_count(CLIENTS * number // (KILLS + 1) + 1)
            await asyncio.to_thread(own_server.stop)
            await asyncio.to_thread(own_server.start)
            await case.reconnect()
        await case.check_result(CLIENTS)


@pytest.mark.proof
async def test_worker_that_is_stopped_for_two_leases_writes_nothing_more(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    """Another worker continues the job, and the first one finds that it has lost its message."""
    async with prepare_rebuild(await fresh_database(), tmp_path, CLIENTS) as case:
        for number in range(KILLS):
            stopped = case.start_worker()
            await case.wait_for_count(CLIENTS * number // (KILLS + 1) + 1)
            stopped.process.send_signal(signal.SIGSTOP)
            other = case.start_worker()
            await case.wait_for_leases(2)
            stopped.process.send_signal(signal.SIGCONT)
            await case.wait_for_count(CLIENTS * (number + 1) // (KILLS + 1))
            other.stop(signal.SIGTERM)
            stopped.stop(signal.SIGTERM)
        case.start_worker()
        await case.check_result(CLIENTS)

"""Several workers on one port, as processes."""

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
from tests.builders import Tenant, tenant
from tests.commands import PROGRAM, Serving, free_pair_of_ports, free_port, relaties
from tests.conftest import runtime_url
from tests.waiting import until

QUERY = {"query": "{ viewer { organization { name } } }"}
ANSWER = {"data": {"viewer": {"organization": {"name": "Of workers"}}}}


def workers_of(parent: int) -> set[int]:
    """The processes that it made; what has ended is none, even if nobody asked how yet."""
    found = set[int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, its_parent = stat.read_text().rpartition(") ")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_parent) == parent and state != "Z":
            found.add(int(stat.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Shared:
    """A server of several workers, and an organization that asks it."""

    def __init__(self, serving: Serving, org: Tenant, metrics_port: int) -> None:
        self.serving = serving
        self.metrics_port = metrics_port
        self._headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}"}

    @property
    def workers(self) -> set[int]:
        return workers_of(self.serving.process.pid)

    async def asked(self) -> object:
        """On a connection of its own, which any of them may take."""
        async with httpx.AsyncClient(base_url=self.serving.address, headers=self._headers, timeout=60) as http:
            return (await http.post("/graphql", json=QUERY)).json()

    async def has_each_answered(self) -> bool:
        assert await self.asked() == ANSWER
        return all([await self.counted(number) > 0 for number in (0, 1)])

    async def counted(self, number: int) -> int:
        """Requests that a worker has answered, by its own metrics; none while it is still starting, as the second may be."""
        try:
            async with httpx.AsyncClient() as http:
                text = (await http.get(f"http://127.0.0.1:{self.metrics_port + number}/metrics")).text
        except httpx.ConnectError:
            return 0
        return sum(int(float(line.split()[-1])) for line in text.splitlines() if line.startswith("relaties_requests_total"))


@pytest.fixture
async def shared(owner: asyncpg.Connection, owner_url: str, tmp_path: Path) -> AsyncIterator[Shared]:
    """Two of them."""
    org, port, metrics_port = await tenant(owner, "Of workers"), free_port(), free_pair_of_ports()
    settings = {"DATABASE_URL": runtime_url(owner_url), "RELATIES_DATA_DIR": str(tmp_path), "RELATIES_METRICS_PORT": str(metrics_port)}
    serving = Serving([str(PROGRAM), "serve", "--port", str(port), "--workers", "2"], port, settings)
    try:
        await asyncio.to_thread(serving.wait, "answers at")
        yield Shared(serving, org, metrics_port)
    finally:
        await asyncio.to_thread(serving.end, signal.SIGINT)


async def test_both_answer_on_one_port(shared: Shared) -> None:
    """Each has its share, and metrics of its own."""
    assert len(shared.workers) == 2

    await until(shared.has_each_answered)


async def test_one_that_ends_by_itself_is_started_again(shared: Shared) -> None:
    """The other answers meanwhile; who was told that it answers is not told again."""
    before = shared.workers
    victim = min(before)
    await until(shared.has_each_answered)
    os.kill(victim, signal.SIGKILL)

    async def are_two_again() -> bool:
        assert await shared.asked() == ANSWER
        return len(shared.workers) == 2 and victim not in shared.workers

    await until(are_two_again)
    assert len(shared.workers & before) == 1
    assert "ended with -9 and is started again" in shared.serving.printed
    assert shared.serving.printed.count("answers at") == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_all_end_with_the_one_that_was_asked(shared: Shared, how: signal.Signals) -> None:
    """The port is free at once, and nothing is left."""
    workers = shared.workers
    assert await asyncio.to_thread(shared.serving.end, how) == 0
    assert [pid for pid in workers if is_alive(pid)] == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", shared.serving.port))


async def test_none_outlives_who_started_it(shared: Shared) -> None:
    """Not even where that was killed."""
    workers = shared.workers
    shared.serving.process.kill()

    async def are_gone() -> bool:
        await asyncio.sleep(0)
        return not any(map(is_alive, workers))

    await until(are_gone)


def test_those_that_cannot_begin_are_told_once_and_left(owner_url: str, tmp_path: Path) -> None:
    """No worker is started over and over."""
    with socket.create_server(("127.0.0.1", free_pair_of_ports())) as taken:
        port = str(taken.getsockname()[1])
        settings = {"DATABASE_URL": runtime_url(owner_url), "RELATIES_DATA_DIR": str(tmp_path), "RELATIES_METRICS_PORT": port}
        done = relaties("serve", "--port", str(free_port()), "--workers", "2", **settings)
    assert done.returncode == 1
    assert f"Cannot serve metrics on 127.0.0.1:{port}: Address already in use." in done.stderr
    assert "Worker 0 could not begin, and ended with 1." in done.stderr

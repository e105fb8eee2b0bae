"""If the server is killed while it writes, all acknowledged changes exist completely and exactly once, and no others do."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from db.tables import Role
from tests.support.builders import create_tenant
from tests.support.databases import runtime_url
from tests.support.ids import global_id
from tests.support.processes import PROGRAM, ServerProcess, find_free_port

WRITERS = 8
RUNNING_SERVERS: list[ServerProcess] = []
CREATE = """mutation ($input: ClientCreateInput!, $key: String!) { done: clientCreate(input: $input) @idempotent(key: $key) {
  client { id version } userErrors { code } } }"""
UPDATE = """mutation ($input: ClientUpdateInput!, $key: String!) { done: clientUpdate(input: $input) @idempotent(key: $key) {
  client { id version } userErrors { code } } }"""
COUNTS = "SELECT object_type, action, count(*) FROM relaties.{} WHERE tenant_id = $1 GROUP BY 1, 2"


@dataclass
class Ledger:
    """The responses to the writers: the name and version of each client."""

    clients: dict[str, tuple[str, int]] = field(default_factory=dict)
    updates: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def record_version(self) -> int:
        return len(self.clients) + self.updates

    async def wait_for_count(self, count: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.record_version >= count)


@dataclass
class RetryingWriter:
    """Send each request with the same key until it is answered."""

    http: httpx.AsyncClient
    ledger: Ledger
    is_up: asyncio.Event
    is_done: asyncio.Event
    client_keys: list[str] = field(default_factory=list)
    lost_answers: int = 0

    async def write(self) -> None:
        while not self.is_done.is_set():
            if self.client_keys and random.random() < 0.6:  # noqa: S311 no secret
                await self._update(random.choice(self.client_keys))  # noqa: S311
            else:
                await self._create()

    async def _create(self) -> None:
        name, people = f"Client {uuid4()}", [{"contact": {"new": {"lastName": f"Person {index}"}}} for index in range(2)]
        client = await self._send_until_answered(CREATE, {"name": name, "takesNextNumber": True, "contacts": people})
        self.client_keys.append(client["id"])
        await self._record(client, name)

    async def _update(self, key: str) -> None:
        name = f"Client {uuid4()}"
        client = await self._send_until_answered(UPDATE, {"id": key, "name": name, "expectedVersion": self.ledger.clients[key][1]})
        self.ledger.updates += 1
        await self._record(client, name)

    async def _record(self, client: dict[str, Any], name: str) -> None:
        async with self.ledger.changed:
            self.ledger.clients[client["id"]] = (name, client["version"])
            self.ledger.changed.notify_all()

    async def _send_until_answered(self, query: str, input: dict[str, Any]) -> dict[str, Any]:
        body = {"query": query, "variables": {"input": input, "key": str(uuid4())}}
        while True:
            try:
                await self.is_up.wait()
                answer = (await self.http.post("/graphql", json=body)).json()
            except httpx.TransportError:
                self.lost_answers += 1
                continue
            assert "errors" not in answer, answer
            assert answer["data"]["done"]["userErrors"] == []
            client: dict[str, Any] = answer["data"]["done"]["client"]
            return client


async def kill_repeatedly(url: str, times: int, folder: Path, seconds: float = 0) -> tuple[Ledger, int]:
    """Run eight writers while the server is killed and restarted `times` times and for `seconds`. All requests are answered in the end."""
    owner = await asyncpg.connect(url)
    org = await create_tenant(owner)
    port, ledger, rng = find_free_port(), Ledger(), random.Random(times)  # noqa: S311
    is_up, is_done = asyncio.Event(), asyncio.Event()
    settings = {"DATABASE_URL": runtime_url(url), "RELATIES_DATA_DIR": str(folder)}
    headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http, asyncio.TaskGroup() as group:
        writers = [RetryingWriter(http, ledger, is_up, is_done) for _ in range(WRITERS)]
        for writer in writers:
            group.create_task(writer.write())
        kill_count, until = 0, monotonic() + seconds
        while kill_count < times or monotonic() < until:
            kill_count += 1
            server = await start_server(port, settings)
            is_up.set()
            await ledger.wait_for_count(ledger.record_version + rng.randint(5, 40))
            server.process.kill()
            is_up.clear()
            server.stop(signal.SIGKILL)
        server = await start_server(port, settings)
        is_up.set()
        await ledger.wait_for_count(ledger.record_version + 5)
        is_done.set()
    server.stop(signal.SIGINT)
    await compare_ledger(owner, org.id, ledger)
    await owner.close()
    return ledger, sum(writer.lost_answers for writer in writers)


async def start_server(port: int, settings: dict[str, str]) -> ServerProcess:
    server = ServerProcess([str(PROGRAM), "serve", "--port", str(port)], port, settings)
    RUNNING_SERVERS.append(server)
    await asyncio.to_thread(server.wait_for_output, "answers at")
    return server


@pytest.fixture(autouse=True)
def _stop_servers() -> Iterator[None]:
    """Stop the servers, also after a test that failed."""
    yield
    for server in RUNNING_SERVERS:
        server.process.kill()
        server.process.wait(60)


async def compare_ledger(owner: asyncpg.Connection, key: object, ledger: Ledger) -> None:
    """Compare the ledger with the tables row by row, and the audit log with both."""
    rows = await owner.fetch(
        """SELECT id, name, version, number,
        (SELECT count(*) FROM relaties.client_contact l WHERE l.tenant_id = c.tenant_id AND l.client_id = c.id) AS contacts
        FROM relaties.client c WHERE tenant_id = $1""",
        key,
    )
    assert {global_id("Client", row["id"]): (row["name"], row["version"]) for row in rows} == ledger.clients
    assert {row["contacts"] for row in rows} == {2}
    assert sorted(int(row["number"]) for row in rows) == list(range(1, len(rows) + 1))
    client_count = len(ledger.clients)
    event_counts = Counter(
        {("Client", "CREATED"): client_count, ("Client", "CHANGED"): ledger.updates, ("Contact", "CREATED"): 2 * client_count}
        | {("ClientContact", "CREATED"): 2 * client_count}
    )
    for table in ("audit_event", "outbox_event"):
        versions = {(row[0], row[1]): row[2] for row in await owner.fetch(COUNTS.format(table), key)}
        assert versions == event_counts, table


async def test_f4_acknowledged_changes_survive_two_kills(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> None:
    """Every client has both contacts, every update is made once, and no number is lost or used twice. Each change has one audit event."""
    ledger, lost_answers = await kill_repeatedly(await fresh_database(), 2, tmp_path)
    assert ledger.record_version > 15
    assert lost_answers > 0


@pytest.mark.proof
async def test_f4_acknowledged_changes_survive_a_minute_of_kills(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> None:
    """The server is killed for a minute, and at least twenty times."""
    ledger, lost_answers = await kill_repeatedly(await fresh_database(), 20, tmp_path, seconds=60)
    assert ledger.record_version > 150
    assert lost_answers > 20

"""A deletion that is interrupted at any step changes nothing, and while it runs it blocks only the client itself."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from db.tables import Role
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import RUNTIME, runtime_url
from tests.support.deletions import DELETE, DELETION_PREVIEW
from tests.support.eventually import wait_until
from tests.support.full_client import FullClient, create_full_client
from tests.support.ids import global_id
from tests.support.processes import PROGRAM, ServerProcess, find_free_port
from tests.support.snapshots import compare_snapshots, read_snapshot

# A deletion locks rows of these tables in this order. Every run tests two of the tables, `make proof` the others.
FEW_ROWS_TABLES = ("registration", "client_address")
MANY_ROWS_TABLES = ("payment_allocation", "invoice_line", "invoice", "quote", "client_portal", "project", "client_contact", "client_label")
STEPS = [*FEW_ROWS_TABLES, *(pytest.param(step, marks=pytest.mark.proof) for step in MANY_ROWS_TABLES)]
LOCK_ROW = "SELECT FROM relaties.{} WHERE tenant_id = $1 AND {} = $2 FOR KEY SHARE"
WAITING = "SELECT pid FROM pg_stat_activity WHERE usename = $1 AND datname = current_database() AND wait_event_type = 'Lock'"
PATIENT = "ALTER ROLE {} IN DATABASE {} SET lock_timeout = '60s'"  # a blocked deletion must not time out during a test
UPDATE = "mutation ($input: ClientUpdateInput!) { done: clientUpdate(input: $input) { client { name } userErrors { code message } } }"
REGISTER = "mutation ($input: RegistrationCreateInput!) { done: registrationCreate(input: $input) { userErrors { code message } } }"
LINK = "mutation ($input: ClientContactLinkInput!) { done: clientContactLink(input: $input) { userErrors { code message } } }"


@dataclass
class DeletionScene:
    """A database for one test, with a client to delete."""

    url: str
    owner: asyncpg.Connection
    org: Tenant
    client: FullClient
    folder: Path

    @asynccontextmanager
    async def run_server(self) -> AsyncIterator[tuple[ServerProcess, httpx.AsyncClient]]:
        port = find_free_port()
        settings = {"DATABASE_URL": runtime_url(self.url), "RELATIES_DATA_DIR": str(self.folder)}
        server = ServerProcess([str(PROGRAM), "serve", "--port", str(port)], port, settings)
        headers = {"authorization": f"Bearer {self.org.tokens[Role.OWNER]}"}
        try:
            await asyncio.to_thread(server.wait_for_output, "answers at")
            async with httpx.AsyncClient(base_url=server.address, headers=headers, timeout=90) as http:
                yield server, http
        finally:
            server.stop(signal.SIGINT)

    @asynccontextmanager
    async def delete_until_blocked(self, table: str, http: httpx.AsyncClient) -> "AsyncIterator[asyncio.Task[dict[str, Any]]]":
        """Start the deletion and yield its task once it waits for a locked row of this table. The lock ends with the block."""
        column, key = ("invoice_id", self.client.issued_invoice) if table == "invoice_line" else ("client_id", self.client.id)
        other = await asyncpg.connect(self.url)
        try:
            async with other.transaction():
                await other.execute(LOCK_ROW.format(table, column), self.org.id, key)
                deleting = asyncio.create_task(self.delete(http))
                await wait_until(self.is_waiting)
                yield deleting
        finally:
            await other.close()

    async def delete(self, http: httpx.AsyncClient) -> dict[str, Any]:
        key = global_id("Client", self.client.id)
        token = (await post_query(http, DELETION_PREVIEW, id=key))["data"]["client"]["deletionPreview"]["token"]
        return await post_query(http, DELETE, input={"id": key, "previewToken": token, "acknowledgeFiscalRetention": True})

    async def is_waiting(self) -> bool:
        return bool(await self.owner.fetch(WAITING, RUNTIME))


async def post_query(http: httpx.AsyncClient, query: str, **variables: object) -> dict[str, Any]:
    answer = await http.post("/graphql", json={"query": query, "variables": variables})
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
async def scene(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> AsyncIterator[DeletionScene]:
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    await owner.execute(PATIENT.format(RUNTIME, url.rpartition("/")[2]))
    org = await create_tenant(owner)
    yield DeletionScene(url, owner, org, await create_full_client(org), tmp_path)
    await owner.close()


@pytest.mark.parametrize("table", STEPS)
@pytest.mark.parametrize("what", ["server", "backend"])
async def test_killed_deletion_changes_nothing(scene: DeletionScene, table: str, what: str) -> None:
    """The process or its database connection is killed. Afterwards the deletion succeeds."""
    before = await read_snapshot(scene.owner, scene.org.id)
    async with scene.run_server() as (server, http), scene.delete_until_blocked(table, http) as deleting:
        if what == "server":
            server.process.kill()
            with pytest.raises(httpx.TransportError):
                await deleting
        else:
            await scene.owner.execute("SELECT pg_terminate_backend(pid) FROM (" + WAITING + ") w", RUNTIME)
            body = await deleting
            assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAVAILABLE"]

    async def is_over() -> bool:
        return not await scene.is_waiting()

    await wait_until(is_over)
    assert compare_snapshots(before, await read_snapshot(scene.owner, scene.org.id)) == {}
    async with scene.run_server() as (_, http):
        body = await scene.delete(http)
    assert body["data"]["clientDelete"]["userErrors"] == []
    assert await scene.owner.fetchval("SELECT count(*) FROM relaties.client WHERE id = $1", scene.client.id) == 0


@pytest.mark.parametrize("table", STEPS)
async def test_deletion_blocks_only_its_client(scene: DeletionScene, table: str) -> None:
    """While the deletion is blocked, other clients are changed, work is registered, and the shared contact is linked to another client."""
    org = scene.org
    third = await org.add_client("Derde", default_hourly_rate=90)
    ids = {name: global_id("Client", key) for name, key in (("other", scene.client.other), ("third", third))}
    time = {"clientId": ids["other"], "registeredOn": "2026-03-02", "work": {"time": {"minutes": 30}}}
    async with scene.run_server() as (_, http):
        async with scene.delete_until_blocked(table, http) as deleting:
            answers = [
                await post_query(http, UPDATE, input={"id": ids["third"], "expectedVersion": 1, "name": "Anders"}),
                await post_query(http, REGISTER, input=time),
                await post_query(
                    http, LINK, input={"clientId": ids["third"], "contactId": global_id("Contact", scene.client.shared_contact)}
                ),
            ]
            assert not deleting.done()
        body = await deleting
    assert [answer["data"]["done"]["userErrors"] for answer in answers] == [[]] * 3
    assert body["data"]["clientDelete"]["userErrors"] == []

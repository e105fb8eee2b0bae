"""The database fails under a running server: connections are terminated, a backend is killed, or the database is restarted."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import strawberry

from db.engine.database import Database
from db.migrations import upgrade
from db.tables import Role
from domain.organization.tokens import new_secret
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, create_tenant
from tests.support.eventually import TIMEOUT_S
from tests.support.outages import OutageServer, is_unavailable
from tests.support.own_server import OwnDatabaseServer, run_own_server
from tests.support.snapshots import assert_unchanged

OF_THE_SERVER = "FROM pg_stat_activity WHERE usename = 'relaties_server' AND datname = current_database()"
WAITING = f"SELECT pid {OF_THE_SERVER} AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def own_server(postgres_dir: Path) -> Iterator[OwnDatabaseServer]:
    with run_own_server(postgres_dir / "own") as server:
        yield server


@pytest.fixture(scope="module")
async def migrated_server(own_server: OwnDatabaseServer) -> OwnDatabaseServer:
    await upgrade(own_server.owner_url, own_server.runtime_url)
    return own_server


@pytest.fixture
async def operator(migrated_server: OwnDatabaseServer) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(migrated_server.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def org(operator: asyncpg.Connection) -> Tenant:
    org = await create_tenant(operator)
    await org.add_label("A label")
    return org


@pytest.fixture
async def server(migrated_server: OwnDatabaseServer, schema: strawberry.Schema, org: Tenant) -> AsyncIterator[OutageServer]:
    """Run a server whose read and write connections have been used."""
    database = await Database.connect(migrated_server.runtime_url)
    async with connect_client(schema, database) as http:
        outage_server = OutageServer(Api(http, org.tokens[Role.OWNER]))
        await asyncio.gather(
            *(outage_server.query_label() for _ in range(8)), *(outage_server.create_label(f"B {index}") for index in range(4))
        )
        yield outage_server
    await database.close()


async def wait_for_blocked_backend(operator: asyncpg.Connection) -> int:
    """Wait until a backend waits for the operator's lock, and return its process id."""
    async with asyncio.timeout(TIMEOUT_S):
        while (pid := await operator.fetchval(WAITING)) is None:
            await operator.execute("SELECT pg_stat_clear_snapshot()")  # a transaction keeps its first snapshot of the activity
    return int(pid)


async def test_f1_terminated_idle_connections_cause_no_errors(server: OutageServer, operator: asyncpg.Connection) -> None:
    """Reads and changes are sent right after the connections were terminated, three times."""
    for _ in range(3):
        assert await operator.fetchval(f"SELECT count(pg_terminate_backend(pid)) {OF_THE_SERVER}") >= 2
        requests = [*(server.query_label() for _ in range(8)), *(server.create_label(f"B {uuid4()}") for _ in range(4))]
        assert [body for _, body in await asyncio.gather(*requests) if "errors" in body] == []


async def test_f1_query_with_a_terminated_backend_is_retried(server: OutageServer, operator: asyncpg.Connection) -> None:
    """The whole query is sent again on another connection, so the client notices nothing."""
    transaction = operator.transaction()
    await transaction.start()
    await operator.execute("LOCK TABLE relaties.label")
    task = asyncio.create_task(server.query_label())
    await operator.execute("SELECT pg_terminate_backend($1, 5000)", await wait_for_blocked_backend(operator))
    await transaction.rollback()
    assert await task == (200, {"data": {"labels": {"nodes": [{"name": "A label"}]}}})


async def test_f1_change_with_a_terminated_backend_is_not_made(server: OutageServer, operator: asyncpg.Connection, org: Tenant) -> None:
    """The client gets an error and may retry. With the same idempotency key the change is made once."""
    async with assert_unchanged(operator, org.id):
        async with operator.transaction():
            await operator.execute("LOCK TABLE relaties.label")
            task = asyncio.create_task(server.create_label("Mine", "k"))
            await operator.execute("SELECT pg_terminate_backend($1, 5000)", await wait_for_blocked_backend(operator))
        answer = await task
        assert is_unavailable(answer), answer
    for _ in range(2):
        assert "errors" not in (await server.create_label("Mine", "k"))[1]
    assert await operator.fetchval("SELECT count(*) FROM relaties.label WHERE tenant_id = $1 AND name = 'Mine'", org.id) == 1


async def create_labels_through_outage(server: OutageServer) -> set[str]:
    """Create labels one by one until the database has failed and recovered. Return the names of the acknowledged labels."""
    created_names, is_lost = set[str](), False
    while True:
        name = f"B {uuid4()}"
        answer = await server.create_label(name)
        if "errors" not in answer[1]:
            created_names.add(name)
            if is_lost:
                return created_names
        else:
            assert is_unavailable(answer), answer
            is_lost = True


async def test_f1_recovers_from_a_killed_backend(server: OutageServer, migrated_server: OwnDatabaseServer, org: Tenant) -> None:
    """The database recovers by itself, every acknowledged label exists, and the server is healthy again."""
    makers = [asyncio.create_task(create_labels_through_outage(server)) for _ in range(4)]
    victim = await asyncpg.connect(migrated_server.owner_url)
    os.kill(victim.get_server_pid(), signal.SIGKILL)
    async with asyncio.timeout(TIMEOUT_S):
        created_names = set[str]().union(*await asyncio.gather(*makers))
    await server.wait_until_healthy()
    victim.terminate()
    after = await asyncpg.connect(migrated_server.owner_url)
    rows = {row["name"] for row in await after.fetch("SELECT name FROM relaties.label WHERE tenant_id = $1", org.id)}
    await after.close()
    assert created_names <= rows


async def test_f1_recovers_from_a_stopped_database(server: OutageServer, migrated_server: OwnDatabaseServer) -> None:
    """Requests and the probe fail at once, and succeed again once the database has started. The schema needs it for the token."""
    await asyncio.to_thread(migrated_server.stop)
    for answer in await asyncio.gather(server.query_label(), server.create_label("Lost")):
        assert is_unavailable(answer), answer
    assert not await server.is_ready()
    printed_schema = await server.api.http.get("/schema.graphql", headers={"authorization": f"Bearer {new_secret()}"})
    assert is_unavailable((printed_schema.status_code, printed_schema.json()))
    assert printed_schema.headers["retry-after"] == "1"
    await asyncio.to_thread(migrated_server.start)
    await server.wait_until_healthy()

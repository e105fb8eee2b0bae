"""The database itself fails under a server: its connections are ended, one of its processes is killed, it stops and starts."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import strawberry

from db.embedded import SERVER_OPTIONS, run_server
from db.embedded.binaries import run_pg_ctl
from db.embedded.data_directory import DataDirectory, open_data_directory
from db.engine.database import Database
from db.migrations import upgrade
from db.tables import Role
from tests.ask import Api, connected
from tests.builders import Tenant, tenant
from tests.outages import Server, unavailable
from tests.snapshots import unchanged
from tests.waiting import PATIENCE_S

OF_THE_SERVER = "FROM pg_stat_activity WHERE usename = 'relaties_server' AND datname = current_database()"
WAITING = f"SELECT pid {OF_THE_SERVER} AND wait_event_type = 'Lock'"


@dataclass
class Own:
    """A database server of these tests' own."""

    place: DataDirectory
    owner_url: str
    runtime_url: str

    def stop(self) -> None:
        run_pg_ctl(self.place, "stop", "-m", "fast")

    def start(self) -> None:
        """Where it was before."""
        port = self.owner_url.rpartition(":")[2].partition("/")[0]
        assert run_pg_ctl(self.place, "start", "-l", self.place.log, "-o", SERVER_OPTIONS.format(port=port)).returncode == 0


@pytest.fixture(scope="module")
def own(reachable: Path) -> Iterator[Own]:
    home = reachable / "own"
    with run_server(home, notify=lambda _: None) as embedded:
        yield Own(open_data_directory(home, lambda _: None), embedded.owner_url, embedded.runtime_url)


@pytest.fixture(scope="module")
async def migrated(own: Own) -> Own:
    await upgrade(own.owner_url, own.runtime_url)
    return own


@pytest.fixture
async def operator(migrated: Own) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(migrated.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def there(operator: asyncpg.Connection) -> Tenant:
    made = await tenant(operator)
    await made.add_label("A label")
    return made


@pytest.fixture
async def server(migrated: Own, schema: strawberry.Schema, there: Tenant) -> AsyncIterator[Server]:
    """Its connections for reading and for changes are open, and have been used."""
    database = await Database.connect(migrated.runtime_url)
    async with connected(schema, database) as http:
        made = Server(Api(http, there.tokens[Role.OWNER]))
        await asyncio.gather(*(made.asked() for _ in range(8)), *(made.told_to_make(f"B {place}") for place in range(4)))
        yield made
    await database.close()


async def waiting(operator: asyncpg.Connection) -> int:
    """The backend that waits for what the operator holds, once there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while (pid := await operator.fetchval(WAITING)) is None:
            await operator.execute("SELECT pg_stat_clear_snapshot()")  # which a transaction would go on seeing
    return int(pid)


async def test_f1_ended_while_idle_they_cost_nobody_an_answer(server: Server, operator: asyncpg.Connection) -> None:
    """Reads and changes alike, right after each of them."""
    for _ in range(3):
        assert await operator.fetchval(f"SELECT count(pg_terminate_backend(pid)) {OF_THE_SERVER}") >= 2
        asked = [*(server.asked() for _ in range(8)), *(server.told_to_make(f"B {uuid4()}") for _ in range(4))]
        assert [body for _, body in await asyncio.gather(*asked) if "errors" in body] == []


async def test_f1_a_query_whose_backend_is_ended_is_asked_again(server: Server, operator: asyncpg.Connection) -> None:
    """Whole, on another, and its caller hears nothing of it."""
    transaction = operator.transaction()
    await transaction.start()
    await operator.execute("LOCK TABLE relaties.label")
    asked = asyncio.create_task(server.asked())
    await operator.execute("SELECT pg_terminate_backend($1, 5000)", await waiting(operator))
    await transaction.rollback()
    assert await asked == (200, {"data": {"labels": {"nodes": [{"name": "A label"}]}}})


async def test_f1_a_change_whose_backend_is_ended_is_not_made(server: Server, operator: asyncpg.Connection, there: Tenant) -> None:
    """Its caller is told, and may send it again: under its key it is made once."""
    async with unchanged(operator, there.id):
        async with operator.transaction():
            await operator.execute("LOCK TABLE relaties.label")
            told = asyncio.create_task(server.told_to_make("Mine", "k"))
            await operator.execute("SELECT pg_terminate_backend($1, 5000)", await waiting(operator))
        answer = await told
        assert unavailable(answer), answer
    for _ in range(2):
        assert "errors" not in (await server.told_to_make("Mine", "k"))[1]
    assert await operator.fetchval("SELECT count(*) FROM relaties.label WHERE tenant_id = $1 AND name = 'Mine'", there.id) == 1


async def acknowledged(server: Server) -> set[str]:
    """Labels made one after the other until the database was gone and is there again; of each it was told that it is there."""
    made, is_lost = set[str](), False
    while True:
        name = f"B {uuid4()}"
        answer = await server.told_to_make(name)
        if "errors" not in answer[1]:
            made.add(name)
            if is_lost:
                return made
        else:
            assert unavailable(answer), answer
            is_lost = True


async def test_f1_one_backend_killed_is_all_connections_lost(server: Server, migrated: Own, there: Tenant) -> None:
    """The database recovers by itself; what was acknowledged is there, and all is whole again within seconds."""
    makers = [asyncio.create_task(acknowledged(server)) for _ in range(4)]
    victim = await asyncpg.connect(migrated.owner_url)
    os.kill(victim.get_server_pid(), signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        made = set[str]().union(*await asyncio.gather(*makers))
    await server.heals()
    victim.terminate()
    after = await asyncpg.connect(migrated.owner_url)
    found = {row["name"] for row in await after.fetch("SELECT name FROM relaties.label WHERE tenant_id = $1", there.id)}
    await after.close()
    assert made <= found


async def test_f1_a_database_that_stops_is_missed_and_found_again(server: Server, migrated: Own) -> None:
    """Everybody is told at once, the probe too, and nobody once it has started."""
    await asyncio.to_thread(migrated.stop)
    for answer in await asyncio.gather(server.asked(), server.told_to_make("Lost")):
        assert unavailable(answer), answer
    assert not await server.is_ready()
    await asyncio.to_thread(migrated.start)
    await server.heals()

"""Stopping: told first, what was sent is answered, what takes too long is undone as a whole."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from db.tables import Role
from tests.builders import Tenant, tenant
from tests.commands import PROGRAM, Serving, free_port
from tests.conftest import runtime_url
from tests.waiting import until

CLIENTS = 20
QUERY = {"query": "{ clients(first: 5) { nodes { name contacts(first: 2) { nodes { fullName } } } } }"}
CREATE = """mutation { clientCreate(input: {name: "Half", contacts: [{contact: {new: {lastName: "Person"}}}]}) { client { id } } }"""
SLOW = """CREATE FUNCTION relaties.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(100); RETURN NEW; END';
CREATE TRIGGER slow BEFORE INSERT ON relaties.client_contact FOR EACH ROW EXECUTE FUNCTION relaties.slow()"""
ASLEEP = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
WRITTEN = "SELECT " + " + ".join(f"(SELECT count(*) FROM relaties.{each})" for each in ("client", "contact", "audit_event", "outbox_event"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Starts servers; none is left, not even by a test that fails."""
    made = list[Serving]()

    def started(url: str, **settings: str) -> Serving:
        port = free_port()
        where = {"DATABASE_URL": runtime_url(url), "RELATIES_DATA_DIR": str(tmp_path)}
        made.append(Serving([str(PROGRAM), "serve", "--no-demo", "--port", str(port)], port, {**where, **settings}))
        made[-1].wait("answers at")
        return made[-1]

    yield started
    for server in made:
        server.process.kill()
        server.process.wait(60)


def client(server: Serving, org: Tenant) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}"}
    return httpx.AsyncClient(base_url=server.address, headers=headers, timeout=60)


class Load:
    """Clients that ask until nobody listens any more, and what each was answered."""

    def __init__(self, server: Serving, org: Tenant) -> None:
        self._server = server
        self._org = org
        self.answered = 0
        self.wrong = list[str]()

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(self._ask())
            yield

    async def _ask(self) -> None:
        async with client(self._server, self._org) as http:
            with suppress(httpx.ConnectError):  # refused: it was never sent
                while True:
                    await self._once(http)

    async def _once(self, http: httpx.AsyncClient) -> None:
        try:
            answer = await http.post("/graphql", json=QUERY)
        except httpx.ConnectError:
            raise
        except httpx.HTTPError as failed:
            self.wrong.append(repr(failed))
            return
        self.answered += 1
        if answer.status_code != 200 or "errors" in answer.json():
            self.wrong.append(answer.text)


async def test_f5_a_server_under_load_is_told_to_stop(start: Callable[..., Serving], crowded: Tenant, owner_url: str) -> None:
    """Not ready first, and still answering; every request that was sent is answered; then connections are refused, and it ends well."""
    server = await asyncio.to_thread(start, owner_url, RELATIES_SHUTDOWN_DELAY="3")
    load, answers = Load(server, crowded), list[httpx.Response]()
    async with load.going(), client(server, crowded) as http:

        async def is_warm() -> bool:
            return (await http.get("/readyz")).status_code == 200 and load.answered > 100

        async def is_draining() -> bool:
            answers.append(await http.get("/readyz"))
            return answers[-1].status_code == 503

        await until(is_warm)
        server.process.send_signal(signal.SIGTERM)
        await until(is_draining)
        before = load.answered
        assert (await http.post("/graphql", json=QUERY)).status_code == 200
    assert answers[-1].json() == {"status": "draining"}
    assert answers[-1].headers["connection"] == "close"
    assert load.answered > before + CLIENTS
    assert load.wrong == []
    assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0, server.printed


@pytest.mark.parametrize(
    ("drain_s", "signals"), [("0", [signal.SIGTERM]), ("100", [signal.SIGTERM, signal.SIGINT])], ids=["its time is over", "a second signal"]
)
async def test_f5_a_change_that_is_cancelled_is_undone_as_a_whole(
    start: Callable[..., Serving], fresh_database: Callable[[], Awaitable[str]], drain_s: str, signals: list[signal.Signals]
) -> None:
    """With the client written and its contact not yet: nothing of either is left, and the server ends well."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    org = await tenant(owner)
    await owner.execute(SLOW)
    patient = {"RELATIES_STATEMENT_TIMEOUT": "100", "RELATIES_OPERATION_TIMEOUT": "100", "RELATIES_SHUTDOWN_GRACE": drain_s}
    server = await asyncio.to_thread(start, url, **patient)
    async with client(server, org) as http:
        asked = asyncio.create_task(http.post("/graphql", json={"query": CREATE}))

        async def is_under_way() -> bool:
            return bool(await owner.fetchval(ASLEEP))

        await until(is_under_way)
        for number in signals:
            server.process.send_signal(number)
        ended = await asyncio.to_thread(server.process.wait, 60)
        await asyncio.wait({asked})
    assert ended == 0, server.printed
    assert asked.exception() or '"data"' not in asked.result().text
    assert await owner.fetchval(WRITTEN) == 0
    await owner.close()

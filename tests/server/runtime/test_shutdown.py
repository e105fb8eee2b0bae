"""On shutdown the readiness probe fails first, running requests are answered, and requests that take too long are rolled back."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from db.tables import Role
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.eventually import wait_until
from tests.support.processes import PROGRAM, ServerProcess, find_free_port

CLIENTS = 20
QUERY = {"query": "{ clients(first: 5) { nodes { name contacts(first: 2) { nodes { fullName } } } } }"}
CREATE = """mutation { clientCreate(input: {name: "Half", contacts: [{contact: {new: {lastName: "Person"}}}]}) { client { id } } }"""
SLOW = """CREATE FUNCTION relaties.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(100); RETURN NEW; END';
CREATE TRIGGER slow BEFORE INSERT ON relaties.client_contact FOR EACH ROW EXECUTE FUNCTION relaties.slow()"""
ASLEEP = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
COUNT_WRITTEN = "SELECT " + " + ".join(
    f"(SELECT count(*) FROM relaties.{each})" for each in ("client", "contact", "audit_event", "outbox_event")
)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Yield a function that starts servers, and kill all of them at the end."""
    processes = list[ServerProcess]()

    def start(url: str, **settings: str) -> ServerProcess:
        port = find_free_port()
        where = {"DATABASE_URL": runtime_url(url), "RELATIES_DATA_DIR": str(tmp_path)}
        processes.append(ServerProcess([str(PROGRAM), "serve", "--no-demo", "--port", str(port)], port, {**where, **settings}))
        processes[-1].wait_for_output("answers at")
        return processes[-1]

    yield start
    for server in processes:
        server.process.kill()
        server.process.wait(60)


def client(server: ServerProcess, org: Tenant) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}"}
    return httpx.AsyncClient(base_url=server.address, headers=headers, timeout=60)


class RequestLoad:
    """Clients that send requests until connections are refused. Wrong responses are recorded."""

    def __init__(self, server: ServerProcess, org: Tenant) -> None:
        self._server = server
        self._org = org
        self.answer_count = 0
        self.wrong = list[str]()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(self._send_requests())
            yield

    async def _send_requests(self) -> None:
        async with client(self._server, self._org) as http:
            with suppress(httpx.ConnectError):  # refused connections have sent nothing
                while True:
                    await self._send_once(http)

    async def _send_once(self, http: httpx.AsyncClient) -> None:
        try:
            answer = await http.post("/graphql", json=QUERY)
        except httpx.ConnectError:
            raise
        except httpx.HTTPError as error:
            self.wrong.append(repr(error))
            return
        self.answer_count += 1
        if answer.status_code != 200 or "errors" in answer.json():
            self.wrong.append(answer.text)


async def test_f5_server_under_load_shuts_down_gracefully(
    start_server: Callable[..., ServerProcess], sample_org: Tenant, owner_url: str
) -> None:
    """First the server is not ready but still answers; then every request in progress is answered; then new connections are refused."""
    server = await asyncio.to_thread(start_server, owner_url, RELATIES_SHUTDOWN_DELAY="3")
    load, answers = RequestLoad(server, sample_org), list[httpx.Response]()
    async with load.run(), client(server, sample_org) as http:

        async def is_warm() -> bool:
            return (await http.get("/readyz")).status_code == 200 and load.answer_count > 100

        async def is_draining() -> bool:
            answers.append(await http.get("/readyz"))
            return answers[-1].status_code == 503

        await wait_until(is_warm)
        server.process.send_signal(signal.SIGTERM)
        await wait_until(is_draining)
        before = load.answer_count
        assert (await http.post("/graphql", json=QUERY)).status_code == 200
    assert answers[-1].json() == {"status": "draining"}
    assert answers[-1].headers["connection"] == "close"
    assert load.answer_count > before + CLIENTS
    assert load.wrong == []
    assert await asyncio.to_thread(server.process.wait, 60) == 0, server.output


@pytest.mark.parametrize(
    ("drain_s", "signals"), [("0", [signal.SIGTERM]), ("100", [signal.SIGTERM, signal.SIGINT])], ids=["its time is over", "a second signal"]
)
async def test_f5_cancelled_change_is_rolled_back(
    start_server: Callable[..., ServerProcess], fresh_database: Callable[[], Awaitable[str]], drain_s: str, signals: list[signal.Signals]
) -> None:
    """The client's row is written and the contact's is not. Neither row stays, and the server exits with 0."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    org = await create_tenant(owner)
    await owner.execute(SLOW)
    patient = {"RELATIES_STATEMENT_TIMEOUT": "100", "RELATIES_OPERATION_TIMEOUT": "100", "RELATIES_SHUTDOWN_GRACE": drain_s}
    server = await asyncio.to_thread(start_server, url, **patient)
    async with client(server, org) as http:
        task = asyncio.create_task(http.post("/graphql", json={"query": CREATE}))

        async def is_under_way() -> bool:
            return bool(await owner.fetchval(ASLEEP))

        await wait_until(is_under_way)
        for number in signals:
            server.process.send_signal(number)
        exit_status = await asyncio.to_thread(server.process.wait, 60)
        await asyncio.wait({task})
    assert exit_status == 0, server.output
    assert task.exception() or '"data"' not in task.result().text
    assert await owner.fetchval(COUNT_WRITTEN) == 0
    await owner.close()

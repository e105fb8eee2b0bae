"""Under overload, callers that exceed their share are rejected and others are answered. Afterwards everything works as before."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice

import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from server.settings import Settings
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.eventually import TIMEOUT_S
from tests.support.processes import ServerProcess, run_server

PAGE = "{ clients(first: 10) { nodes { name contacts(first: 3) { nodes { fullName } } labels { name } } } }"
DEAR = "{ clients(first: 100) { nodes { id contacts(first: 90) { nodes { id } } } } }"  # half of the maximum cost of an operation
TOO_DEAR = "{ clients(first: 100) { nodes { id contacts(first: 100) { edges { node { id } } } } } }"


@dataclass(frozen=True)
class ConnectionAnswer:
    """A response that was received on a separate connection."""

    status: int
    headers: dict[str, str]
    body: str


async def send_query(port: int, token: str, query: str) -> ConnectionAnswer:
    """Send a query on a new connection and return the response. Fail if none comes."""
    body = json.dumps({"query": query})
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    async with asyncio.timeout(TIMEOUT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with closing(writer):
            writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
            first, _, content = (await reader.read(-1)).decode().partition("\r\n\r\n")
    status, *lines = first.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return ConnectionAnswer(int(status.split()[1]), headers, content)


@pytest.fixture(scope="module")
def worker(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run one worker with the default settings."""
    with run_server(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path_factory.mktemp("crowd"))) as process:
        yield process


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.proof)])
async def test_h8_requests_of_a_crowd_are_answered_or_asked_to_retry(worker: ServerProcess, sample_org: Tenant, count: int) -> None:
    """Every request is answered in full or rejected with `Retry-After`, and afterwards the server works as before."""
    tokens = [sample_org.tokens[role] for role in Role]
    alone = await send_query(worker.port, tokens[0], PAGE)
    assert alone.status == 200

    # Block all queries until the first request is rejected, so that the queue gets full, however fast the server is.
    async with asyncio.TaskGroup() as group, sample_org.owner.transaction():
        await sample_org.owner.execute("LOCK TABLE relaties.client IN ACCESS EXCLUSIVE MODE")
        tasks = [group.create_task(send_query(worker.port, token, PAGE)) for token in islice(cycle(tokens), count)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    answers = [task.result() for task in tasks]

    successes = [each for each in answers if each.status == 200]
    assert successes
    assert {each.body for each in successes} == {alone.body}
    errors = [each for each in answers if each.status != 200]
    assert errors
    assert {each.status for each in errors} <= {429, 503}
    assert all(int(each.headers["retry-after"]) >= 1 for each in errors)
    assert (await send_query(worker.port, tokens[0], PAGE)).body == alone.body


@pytest.fixture
async def default_server(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[str], Api]]:
    """Return a function that creates API clients, on a server with unused default limits."""
    async with connect_client(schema, database, Settings()) as http:
        yield lambda token: Api(http, token)


async def test_t12_flooding_organization_is_rejected_and_another_is_answered(
    default_server: Callable[[str], Api], sample_org: Tenant, org: Tenant
) -> None:
    """One organization sends many of the most expensive operations at once and runs out of points. Another has its own points."""
    await org.add_client("Ours")
    greedy, modest = default_server(sample_org.tokens[Role.OWNER]), default_server(org.tokens[Role.OWNER])
    for query in (DEAR, TOO_DEAR):  # new documents are parsed one at a time; from now on they all arrive at once
        await greedy.post({"query": query})
    hammering = asyncio.gather(*(greedy.post({"query": query}) for query in (DEAR, TOO_DEAR) * 40))
    answers = [await modest.post({"query": PAGE}) for _ in range(20)]

    assert [each.json()["data"]["clients"]["nodes"][0]["name"] for each in answers] == ["Ours"] * 20
    bodies = [each.json() for each in await hammering]
    codes = Counter(each["errors"][0]["extensions"]["code"] if "errors" in each else "answered" for each in bodies)
    assert codes.keys() == {"answered", "RATE_LIMITED", "QUERY_TOO_COMPLEX"}
    assert codes["QUERY_TOO_COMPLEX"] == 40
    assert "errors" not in await greedy.execute(PAGE)

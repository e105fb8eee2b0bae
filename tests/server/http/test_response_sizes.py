"""The size of one response, and of all unread responses together, is limited independently of the cost of operations."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import strawberry
from starlette.types import Message

from db.engine.database import Database
from db.tables import Role
from server.admission.byte_budget import SMALL_BYTES
from server.app import Application, build_app
from server.settings import Settings
from tests.support.api import SECRET_KEYS, Api, connect_to_application
from tests.support.builders import Tenant, create_tenant

NOTES = "é" * 9_000
ALIASES = " ".join(f"n{index}: notes" for index in range(20))
LARGE = f"{{ clients(first: 100) {{ nodes {{ {ALIASES} }} }} }}"
CREATE = "mutation ($x: LabelCreateInput!) { labelCreate(input: $x) { label { name } query { clients(first: 50) { nodes { id } } } } }"
CreateApplication = Callable[..., Any]


@pytest.fixture
async def wordy_org(owner: asyncpg.Connection) -> Tenant:
    """Create ten clients with long notes. Twenty aliases of the notes are about 3.6 MB."""
    org = await create_tenant(owner)
    for index in range(10):
        await org.add_client(f"Client {index}", notes=NOTES)
    return org


@pytest.fixture
def create_application(database: Database, schema: strawberry.Schema) -> Callable[..., Application]:
    """Return a function that builds an application with these settings."""
    return lambda **settings: build_app(schema, database, Settings(max_auth_failures=10**6, **settings), SECRET_KEYS)


@asynccontextmanager
async def connect_client(application: Application, org: Tenant, role: Role = Role.OWNER) -> AsyncIterator[Api]:
    async with connect_to_application(application) as http:
        yield Api(http, org.tokens[role])


BOTH_EXECUTORS = pytest.mark.parametrize("is_compiled", [True, False])


@BOTH_EXECUTORS
async def test_too_many_objects_end_the_operation(create_application: CreateApplication, sample_org: Tenant, is_compiled: bool) -> None:
    """With one object fewer the operation is answered."""
    query = "{ clients(first: 20) { nodes { id labels { id } } } }"
    async with connect_client(create_application(compiled_executor=is_compiled), sample_org) as api:
        nodes = (await api.data(query))["clients"]["nodes"]
    objects = 2 + len(nodes) + sum(len(node["labels"]) for node in nodes)
    async with connect_client(create_application(compiled_executor=is_compiled, max_response_objects=objects), sample_org) as api:
        assert (await api.data(query))["clients"]["nodes"] == nodes
    async with connect_client(create_application(compiled_executor=is_compiled, max_response_objects=objects - 1), sample_org) as api:
        response = await api.post({"query": query})
        error = response.json()["errors"][0]
        assert (response.status_code, error["extensions"]) == (400, {"code": "RESPONSE_TOO_LARGE"})
        assert error["message"].startswith(f"The response would have more than {objects - 1} objects. Request less at once.")
        assert "data" not in response.json()
        assert (await api.data("{ clients(first: 1) { nodes { id } } }"))["clients"]["nodes"]  # its connection was returned to the pool


async def test_mutation_with_too_many_objects_reports_that_it_was_saved(create_application: CreateApplication, sample_org: Tenant) -> None:
    async with connect_client(create_application(max_response_objects=20), sample_org) as api:
        response = await api.post({"query": CREATE, "variables": {"x": {"name": "Too large"}}})
        assert response.json()["errors"][0]["message"].endswith("If this was a mutation, its changes are saved.")
        assert response.json()["errors"][0]["extensions"]["code"] == "RESPONSE_TOO_LARGE"
        labels = (await api.data("{ labels { nodes { name } } }"))["labels"]["nodes"]
    assert {"name": "Too large"} in labels
    await sample_org.owner.execute("DELETE FROM relaties.label WHERE tenant_id = $1 AND name = 'Too large'", sample_org.id)


@BOTH_EXECUTORS
async def test_too_many_bytes_end_the_operation(create_application: CreateApplication, wordy_org: Tenant, is_compiled: bool) -> None:
    """The objects may be cheap: one text under twenty aliases is twenty texts in JSON."""
    async with connect_client(create_application(compiled_executor=is_compiled), wordy_org) as api:
        response = await api.post({"query": LARGE})
    size = len(response.content)
    assert response.status_code == 200
    assert size > 20 * 10 * 2 * len(NOTES)
    async with connect_client(create_application(compiled_executor=is_compiled, max_response_bytes=size), wordy_org) as api:
        assert (await api.post({"query": LARGE})).content == response.content
    for most in (size - 1, 100_000):
        async with connect_client(create_application(compiled_executor=is_compiled, max_response_bytes=most), wordy_org) as api:
            error_response = await api.post({"query": LARGE})
            assert (error_response.status_code, error_response.json()["errors"][0]["extensions"]) == (400, {"code": "RESPONSE_TOO_LARGE"})
            assert f"more than {most} bytes" in error_response.json()["errors"][0]["message"]


class SlowReader:
    """An ASGI client that reads the second and later parts of its response only when `reads` is set."""

    def __init__(self, application: Application, token: str) -> None:
        self.application = application
        self.token = token
        self.pieces = list[bytes]()
        self.status = 0
        self.reads = asyncio.Event()
        self.has_piece = asyncio.Event()

    async def send_query(self, query: str) -> None:
        body = json.dumps({"query": query}).encode()
        messages: list[Message] = [{"type": "http.request", "body": body}]
        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": headers, "query_string": b"", "client": ("127.0.0.1", 1)}

        async def receive() -> Message:
            return messages.pop() if messages else await asyncio.Future()

        await self.application.asgi_app(scope, receive, self.read_message)

    async def read_message(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if self.has_piece.is_set():  # as the transport does while its buffer is full
            await self.reads.wait()
        self.pieces.append(message["body"])
        self.has_piece.set()

    @property
    def code(self) -> tuple[int, str | None]:
        errors = json.loads(b"".join(self.pieces)).get("errors", [{"extensions": {"code": None}}])
        return self.status, errors[0]["extensions"]["code"]


@pytest.mark.parametrize(
    ("limits", "own", "others"),
    [
        ({"max_outgoing_bytes_per_token": 4_000_000}, (429, "RATE_LIMITED"), (200, None)),
        ({"max_outgoing_bytes": 4_000_000}, (503, "UNAVAILABLE"), (503, "UNAVAILABLE")),
    ],
)
async def test_unread_responses_are_limited(
    create_application: CreateApplication, wordy_org: Tenant, limits: dict[str, int], own: tuple[int, str], others: tuple[int, str | None]
) -> None:
    """While one response is unread, another large one is rejected: to the same token, or to all tokens if the common limit is reached."""
    application = create_application(**limits)
    first, second, other = (
        SlowReader(application, wordy_org.tokens[Role.OWNER]),
        SlowReader(application, wordy_org.tokens[Role.OWNER]),
        SlowReader(application, wordy_org.tokens[Role.VIEWER]),
    )
    unread = asyncio.create_task(first.send_query(LARGE))
    await first.has_piece.wait()
    assert len(first.pieces[0]) > SMALL_BYTES
    other.reads.set()
    await second.send_query(LARGE)
    await other.send_query(LARGE)
    assert (second.code, other.code) == (own, others)
    small = SlowReader(application, wordy_org.tokens[Role.OWNER])
    await small.send_query("{ clients(first: 1) { nodes { id } } }")
    assert small.code == (200, None)
    first.reads.set()
    await unread
    assert first.code == (200, None)
    again = SlowReader(application, wordy_org.tokens[Role.OWNER])
    again.reads.set()
    await again.send_query(LARGE)
    assert again.code == (200, None)


async def test_change_is_answered_beyond_the_limit_and_blocks_further_requests(
    create_application: CreateApplication, wordy_org: Tenant, statements: list[str]
) -> None:
    """The mutation is committed, so the client must get the response, even beyond the limit. Until it is read, no other request runs."""
    application = create_application(max_outgoing_bytes_per_token=3_000_000)
    first, second, third = (SlowReader(application, wordy_org.tokens[Role.OWNER]) for _ in range(3))
    mutation = f'mutation {{ labelCreate(input: {{name: "Large"}}) {{ query {LARGE} }} }}'
    unread = asyncio.create_task(first.send_query(mutation))
    await first.has_piece.wait()
    statements.clear()
    await second.send_query("{ clients(first: 1) { nodes { id } } }")
    await third.send_query('mutation { labelCreate(input: {name: "Small"}) { label { id } } }')
    assert second.code == third.code == (429, "RATE_LIMITED")
    assert statements == []
    assert await wordy_org.owner.fetchval("SELECT array_agg(name) FROM relaties.label WHERE tenant_id = $1", wordy_org.id) == ["Large"]
    first.reads.set()
    await unread
    assert first.code == (200, None)


async def test_disconnected_client_is_no_longer_counted(create_application: CreateApplication, wordy_org: Tenant) -> None:
    application = create_application(max_outgoing_bytes_per_token=4_000_000)
    first = SlowReader(application, wordy_org.tokens[Role.OWNER])
    unread = asyncio.create_task(first.send_query(LARGE))
    await first.has_piece.wait()
    unread.cancel()
    await asyncio.gather(unread, return_exceptions=True)
    again = SlowReader(application, wordy_org.tokens[Role.OWNER])
    again.reads.set()
    await again.send_query(LARGE)
    assert again.code == (200, None)

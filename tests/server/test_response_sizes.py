"""The size of one response, and of all that are unread: bounded, whatever the cost of the operation was."""

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
from tests.ask import SECRETS, Api, connected_to
from tests.builders import Tenant, tenant

NOTES = "é" * 9_000
ALIASES = " ".join(f"n{place}: notes" for place in range(20))
LARGE = f"{{ clients(first: 100) {{ nodes {{ {ALIASES} }} }} }}"
CREATE = "mutation ($x: LabelCreateInput!) { labelCreate(input: $x) { label { name } query { clients(first: 50) { nodes { id } } } } }"
Asks = Callable[..., Any]


@pytest.fixture
async def wordy(owner: asyncpg.Connection) -> Tenant:
    """Ten clients with long notes, so that twenty aliases of them are some 3.6 MB."""
    made = await tenant(owner)
    for place in range(10):
        await made.add_client(f"Client {place}", notes=NOTES)
    return made


@pytest.fixture
def serving(database: Database, schema: strawberry.Schema) -> Callable[..., Application]:
    """An application with these settings."""
    return lambda **settings: build_app(schema, database, Settings(max_auth_failures=10**6, **settings), SECRETS)


@asynccontextmanager
async def asking(served: Application, who: Tenant, role: Role = Role.OWNER) -> AsyncIterator[Api]:
    async with connected_to(served) as http:
        yield Api(http, who.tokens[role])


COMPILED = pytest.mark.parametrize("compiled", [True, False])


@COMPILED
async def test_too_many_objects_end_the_operation(serving: Asks, crowded: Tenant, compiled: bool) -> None:
    """On both executors; one object fewer is answered."""
    query = "{ clients(first: 20) { nodes { id labels { id } } } }"
    async with asking(serving(compiled_executor=compiled), crowded) as api:
        nodes = (await api.data(query))["clients"]["nodes"]
    objects = 2 + len(nodes) + sum(len(node["labels"]) for node in nodes)
    async with asking(serving(compiled_executor=compiled, max_response_objects=objects), crowded) as api:
        assert (await api.data(query))["clients"]["nodes"] == nodes
    async with asking(serving(compiled_executor=compiled, max_response_objects=objects - 1), crowded) as api:
        response = await api.post({"query": query})
        error = response.json()["errors"][0]
        assert (response.status_code, error["extensions"]) == (400, {"code": "RESPONSE_TOO_LARGE"})
        assert error["message"].startswith(f"The response would have more than {objects - 1} objects. Ask for less at once.")
        assert "data" not in response.json()
        assert (await api.data("{ clients(first: 1) { nodes { id } } }"))["clients"]["nodes"]  # its connection was given back


async def test_a_mutation_with_too_many_objects_says_that_it_is_saved(serving: Asks, crowded: Tenant) -> None:
    async with asking(serving(max_response_objects=20), crowded) as api:
        response = await api.post({"query": CREATE, "variables": {"x": {"name": "Too large"}}})
        assert response.json()["errors"][0]["message"].endswith("If this was a mutation, its changes are saved.")
        assert response.json()["errors"][0]["extensions"]["code"] == "RESPONSE_TOO_LARGE"
        labels = (await api.data("{ labels { nodes { name } } }"))["labels"]["nodes"]
    assert {"name": "Too large"} in labels
    await crowded.owner.execute("DELETE FROM relaties.label WHERE tenant_id = $1 AND name = 'Too large'", crowded.id)


@COMPILED
async def test_too_many_bytes_end_the_operation(serving: Asks, wordy: Tenant, compiled: bool) -> None:
    """However cheap the objects are: one text under twenty names is twenty texts in JSON."""
    async with asking(serving(compiled_executor=compiled), wordy) as api:
        response = await api.post({"query": LARGE})
    size = len(response.content)
    assert response.status_code == 200
    assert size > 20 * 10 * 2 * len(NOTES)
    async with asking(serving(compiled_executor=compiled, max_response_bytes=size), wordy) as api:
        assert (await api.post({"query": LARGE})).content == response.content
    for most in (size - 1, 100_000):
        async with asking(serving(compiled_executor=compiled, max_response_bytes=most), wordy) as api:
            refused = await api.post({"query": LARGE})
            assert (refused.status_code, refused.json()["errors"][0]["extensions"]) == (400, {"code": "RESPONSE_TOO_LARGE"})
            assert f"more than {most} bytes" in refused.json()["errors"][0]["message"]


class Reader:
    """A client of the application itself, who takes a piece of the response when it likes."""

    def __init__(self, served: Application, token: str) -> None:
        self.served = served
        self.token = token
        self.pieces = list[bytes]()
        self.status = 0
        self.reads = asyncio.Event()
        self.has_piece = asyncio.Event()

    async def ask(self, query: str) -> None:
        body = json.dumps({"query": query}).encode()
        messages: list[Message] = [{"type": "http.request", "body": body}]
        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": headers, "query_string": b"", "client": ("127.0.0.1", 1)}

        async def receive() -> Message:
            return messages.pop() if messages else await asyncio.Future()

        await self.served.asgi_app(scope, receive, self.take)

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if self.has_piece.is_set():  # as the transport does, whose buffer is full of what was sent before
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
async def test_unread_responses_are_counted(
    serving: Asks, wordy: Tenant, limits: dict[str, int], own: tuple[int, str], others: tuple[int, str | None]
) -> None:
    """While one is unread another large one is refused: to the same token, or to anybody where all together have too much."""
    served = serving(**limits)
    first, second, other = (
        Reader(served, wordy.tokens[Role.OWNER]),
        Reader(served, wordy.tokens[Role.OWNER]),
        Reader(served, wordy.tokens[Role.VIEWER]),
    )
    unread = asyncio.create_task(first.ask(LARGE))
    await first.has_piece.wait()
    assert len(first.pieces[0]) > SMALL_BYTES
    other.reads.set()
    await second.ask(LARGE)
    await other.ask(LARGE)
    assert (second.code, other.code) == (own, others)
    small = Reader(served, wordy.tokens[Role.OWNER])
    await small.ask("{ clients(first: 1) { nodes { id } } }")
    assert small.code == (200, None)
    first.reads.set()
    await unread
    assert first.code == (200, None)
    again = Reader(served, wordy.tokens[Role.OWNER])
    again.reads.set()
    await again.ask(LARGE)
    assert again.code == (200, None)


async def test_a_change_is_answered_and_then_nothing_runs_until_it_is_read(serving: Asks, wordy: Tenant, statements: list[str]) -> None:
    """A change was made, so the caller has to know, even beyond the limit; after it not even a small request runs."""
    served = serving(max_outgoing_bytes_per_token=3_000_000)
    first, second, third = (Reader(served, wordy.tokens[Role.OWNER]) for _ in range(3))
    mutation = f'mutation {{ labelCreate(input: {{name: "Large"}}) {{ query {LARGE} }} }}'
    unread = asyncio.create_task(first.ask(mutation))
    await first.has_piece.wait()
    statements.clear()
    await second.ask("{ clients(first: 1) { nodes { id } } }")
    await third.ask('mutation { labelCreate(input: {name: "Small"}) { label { id } } }')
    assert second.code == third.code == (429, "RATE_LIMITED")
    assert statements == []
    assert await wordy.owner.fetchval("SELECT array_agg(name) FROM relaties.label WHERE tenant_id = $1", wordy.id) == ["Large"]
    first.reads.set()
    await unread
    assert first.code == (200, None)


async def test_a_client_that_goes_away_is_not_counted_any_more(serving: Asks, wordy: Tenant) -> None:
    served = serving(max_outgoing_bytes_per_token=4_000_000)
    first = Reader(served, wordy.tokens[Role.OWNER])
    unread = asyncio.create_task(first.ask(LARGE))
    await first.has_piece.wait()
    unread.cancel()
    await asyncio.gather(unread, return_exceptions=True)
    again = Reader(served, wordy.tokens[Role.OWNER])
    again.reads.set()
    await again.ask(LARGE)
    assert again.code == (200, None)

"""The memory of request bodies that are still arriving is limited for each token and for the worker process."""

import asyncio
import json
from collections.abc import Callable

import pytest
import strawberry
from starlette.types import Message

from db.engine.database import Database
from db.tables import Role
from server.app import Application, build_app
from server.settings import Settings
from tests.support.api import SECRET_KEYS
from tests.support.builders import Tenant

PART = b" " * 60_000
END = json.dumps({"query": "{ __typename }"}).encode()


class BodySender:
    """An ASGI client that sends some parts of a body at once, and the end once `ends` is set."""

    def __init__(self, application: Application, token: str) -> None:
        self.application = application
        self.token = token
        self.waits = asyncio.Event()
        self.ends = asyncio.Event()
        self.status = 0
        self.body = b""

    async def send(self, parts: int) -> tuple[int, str | None]:
        """Return the status and the error code of the response."""
        remaining_parts = parts

        async def receive() -> Message:
            nonlocal remaining_parts
            remaining_parts -= 1
            if remaining_parts >= 0:
                return {"type": "http.request", "body": PART, "more_body": True}
            self.waits.set()
            await self.ends.wait()
            return {"type": "http.request", "body": END, "more_body": False} if remaining_parts == -1 else await asyncio.Future()

        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": headers, "query_string": b"", "client": ("127.0.0.1", 1)}
        await self.application.asgi_app(scope, receive, self._receive_message)
        return self.status, json.loads(self.body).get("errors", [{"extensions": {"code": None}}])[0]["extensions"]["code"]

    async def _receive_message(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


@pytest.fixture
def create_application(database: Database, schema: strawberry.Schema) -> Callable[..., Application]:
    return lambda **settings: build_app(schema, database, Settings.model_validate(settings), SECRET_KEYS)


@pytest.mark.parametrize(
    ("limits", "own", "others"),
    [
        ({"max_incoming_bytes_per_token": 400_000}, (429, "RATE_LIMITED"), (200, None)),
        ({"max_incoming_bytes": 400_000}, (503, "UNAVAILABLE"), (503, "UNAVAILABLE")),
    ],
)
async def test_incoming_bytes_are_limited(
    create_application: Callable[..., Application],
    sample_org: Tenant,
    limits: dict[str, int],
    own: tuple[int, str],
    others: tuple[int, str | None],
) -> None:
    """Beyond its limit a token is rejected; beyond the common limit every token is. Small requests and later ones are answered."""
    application = create_application(**limits)
    first, second, other, small = (
        BodySender(application, sample_org.tokens[role]) for role in (Role.OWNER, Role.OWNER, Role.VIEWER, Role.OWNER)
    )
    under_way = asyncio.create_task(first.send(5))
    await first.waits.wait()
    for each in (second, other, small):
        each.ends.set()
    assert (await second.send(2), await other.send(2)) == (own, others)
    assert await small.send(0) == (200, None)
    first.ends.set()
    assert await under_way == (200, None)
    again = BodySender(application, sample_org.tokens[Role.OWNER])
    again.ends.set()
    assert await again.send(5) == (200, None)

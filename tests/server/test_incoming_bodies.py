"""The memory of request bodies on their way in is bounded for each token and for the worker process."""

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
from tests.ask import SECRETS
from tests.builders import Tenant

PART = b" " * 60_000
END = json.dumps({"query": "{ __typename }"}).encode()


class Sender:
    """A client of the application itself that sends some parts of a body at once and the end when `ends` is set."""

    def __init__(self, served: Application, token: str) -> None:
        self.served = served
        self.token = token
        self.waits = asyncio.Event()
        self.ends = asyncio.Event()
        self.status = 0
        self.body = b""

    async def send(self, parts: int) -> tuple[int, str | None]:
        """Return the status and the code of the response."""
        left = parts

        async def receive() -> Message:
            nonlocal left
            left -= 1
            if left >= 0:
                return {"type": "http.request", "body": PART, "more_body": True}
            self.waits.set()
            await self.ends.wait()
            return {"type": "http.request", "body": END, "more_body": False} if left == -1 else await asyncio.Future()

        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": headers, "query_string": b"", "client": ("127.0.0.1", 1)}
        await self.served.asgi_app(scope, receive, self._take)
        return self.status, json.loads(self.body).get("errors", [{"extensions": {"code": None}}])[0]["extensions"]["code"]

    async def _take(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


@pytest.fixture
def serving(database: Database, schema: strawberry.Schema) -> Callable[..., Application]:
    return lambda **settings: build_app(schema, database, Settings.model_validate(settings), SECRETS)


@pytest.mark.parametrize(
    ("limits", "own", "others"),
    [
        ({"max_incoming_bytes_per_token": 400_000}, (429, "RATE_LIMITED"), (200, None)),
        ({"max_incoming_bytes": 400_000}, (503, "UNAVAILABLE"), (503, "UNAVAILABLE")),
    ],
)
async def test_bodies_on_their_way_in_are_counted(
    serving: Callable[..., Application],
    crowded: Tenant,
    limits: dict[str, int],
    own: tuple[int, str],
    others: tuple[int, str | None],
) -> None:
    """Beyond the limit the token is refused, or everybody; small requests and what comes after the first one are answered."""
    served = serving(**limits)
    first, second, other, small = (Sender(served, crowded.tokens[role]) for role in (Role.OWNER, Role.OWNER, Role.VIEWER, Role.OWNER))
    under_way = asyncio.create_task(first.send(5))
    await first.waits.wait()
    for each in (second, other, small):
        each.ends.set()
    assert (await second.send(2), await other.send(2)) == (own, others)
    assert await small.send(0) == (200, None)
    first.ends.set()
    assert await under_way == (200, None)
    again = Sender(served, crowded.tokens[Role.OWNER])
    again.ends.set()
    assert await again.send(5) == (200, None)

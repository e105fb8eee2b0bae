"""Asking over HTTP."""

import asyncio
from dataclasses import dataclass, fields
from typing import Any

import httpx
import strawberry

from db.engine.database import Database
from server.app import Application, build_app
from server.settings import DocumentLimits, Settings
from tests import nobody  # noqa: F401 before any setting is read

MUCH = 10**9
UNLIMITED = Settings(
    max_concurrent_per_organization=8,
    operation_timeout=120,
    max_cost=MUCH,
    rate_limit_burst=MUCH,
    max_auth_failures=MUCH,
    max_refusals_per_second=MUCH,
).model_copy(update={f"max_{each.name}": MUCH for each in fields(DocumentLimits)})
SECRETS = [b"a secret of the tests, 32 bytes or more"]


def connected(schema: strawberry.Schema, database: Database, settings: Settings | None = None) -> httpx.AsyncClient:
    """A client of the application itself, without a socket between."""
    settings = settings or Settings(
        max_auth_failures=MUCH, rate_limit_burst=MUCH, max_refusals_per_second=MUCH
    )  # all tests ask from one address, and much
    return connected_to(build_app(schema, database, settings, SECRETS))


def connected_to(served: Application) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(served.asgi_app, raise_app_exceptions=False), base_url="http://test", timeout=30)


@dataclass
class Api:
    """Asks as whom a token stands for."""

    http: httpx.AsyncClient
    token: str

    async def post(self, body: object, **headers: str) -> httpx.Response:
        response = await self.http.post("/graphql", json=body, headers={"authorization": f"Bearer {self.token}", **headers})
        await asyncio.sleep(0)  # the driver logs a statement in the next pass of the event loop, where a test may count it
        return response

    async def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The whole answer, errors too."""
        response = await self.post({"query": query, "variables": variables})
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    async def data(self, query: str, **variables: object) -> Any:  # noqa: ANN401 JSON
        """The data of an answer without errors."""
        body = await self.ask(query, **variables)
        assert "errors" not in body, body["errors"]
        return body["data"]

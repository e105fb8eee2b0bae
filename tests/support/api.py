"""Send GraphQL requests to the application over HTTP, without a socket."""

import asyncio
from dataclasses import dataclass, fields
from typing import Any

import httpx
import strawberry

from db.engine.database import Database
from server.app import Application, build_app
from server.limit_settings import DocumentLimits
from server.settings import Settings
from tests.support import environment  # noqa: F401 must come before any setting is read

HUGE_LIMIT = 10**9
UNLIMITED = Settings(
    max_concurrent_per_organization=8,
    operation_timeout=120,
    max_cost=HUGE_LIMIT,
    rate_limit_burst=HUGE_LIMIT,
    max_auth_failures=HUGE_LIMIT,
    max_refusals_per_second=HUGE_LIMIT,
).model_copy(update={f"max_{each.name}": HUGE_LIMIT for each in fields(DocumentLimits)})
SECRET_KEYS = [b"a secret of the tests, 32 bytes or more"]


def connect_client(schema: strawberry.Schema, database: Database, settings: Settings | None = None) -> httpx.AsyncClient:
    """Connect a client to the application by ASGI, without a socket. By default there are no limits on points and refusals."""
    settings = settings or Settings(
        max_auth_failures=HUGE_LIMIT, rate_limit_burst=HUGE_LIMIT, max_refusals_per_second=HUGE_LIMIT
    )  # all tests send many requests from one address
    return connect_to_application(build_app(schema, database, settings, SECRET_KEYS))


def connect_to_application(application: Application) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application.asgi_app, raise_app_exceptions=False), base_url="http://test", timeout=30
    )


@dataclass
class Api:
    """A GraphQL client that authenticates with one token."""

    http: httpx.AsyncClient
    token: str

    async def post(self, body: object, **headers: str) -> httpx.Response:
        response = await self.http.post("/graphql", json=body, headers={"authorization": f"Bearer {self.token}", **headers})
        await asyncio.sleep(0)  # asyncpg logs a statement in the next pass of the event loop; a test may count it after this call
        return response

    async def execute(self, query: str, **variables: object) -> dict[str, Any]:
        """Execute the query and return the response body, which may contain errors."""
        response = await self.post({"query": query, "variables": variables})
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    async def data(self, query: str, **variables: object) -> Any:  # noqa: ANN401 JSON
        """Execute the query and return its data. Fail if the response contains errors."""
        body = await self.execute(query, **variables)
        assert "errors" not in body, body["errors"]
        return body["data"]

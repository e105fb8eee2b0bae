"""Addresses and methods that nothing answers: always one coded error in JSON, as any other refusal."""

from collections.abc import AsyncIterator

import httpx
import pytest
import strawberry
from starlette.routing import Route
from starlette.types import Message

from db.engine.database import Database
from server.app import PATH, Dispatcher, build_app
from server.settings import Settings
from tests.ask import MUCH, SECRETS, connected

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "PURGE"]
UNKNOWN = ["/graphql/", "/GraphQL", "/graphql/evil", "/livez/", "/evil", "/%2e%2e/etc/passwd", "/graphiql/evil", "/évil"]
JSON_TYPES = {"application/json", "application/json; charset=utf-8"}


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(schema, database, Settings(max_auth_failures=MUCH)) as client:
        yield client


@pytest.fixture(scope="module")
def routes(database: Database, schema: strawberry.Schema) -> list[str]:
    """Every address of the application."""
    served = build_app(schema, database, Settings(), SECRETS).asgi_app
    assert isinstance(served, Dispatcher)
    return [PATH, *(route.path.replace("{name}", "no.js") for route in served.fallback.routes if isinstance(route, Route))]


def code(answer: httpx.Response) -> str:
    """The code of an answer that is nothing but one error."""
    assert answer.headers["content-type"] in JSON_TYPES
    ((key, (error,)),) = answer.json().items()
    assert key == "errors"
    assert error["message"]
    assert error.keys() == {"message", "extensions"}
    found: str = error["extensions"]["code"]
    return found


@pytest.mark.parametrize("method", METHODS)
async def test_every_refusal_of_every_address_is_coded(http: httpx.AsyncClient, routes: list[str], method: str) -> None:
    """Of a method that an address does not have, with those that it has in `Allow`."""
    assert {"/graphql", "/graphiql", "/livez", "/readyz"} <= {*routes}
    codes = set()
    for path in routes:
        answer = await http.request(method, path)
        if answer.status_code >= 400 and method != "HEAD":
            codes.add(code(answer))
        if answer.status_code == 405:
            allowed = answer.headers["allow"].split(", ")
            assert method not in allowed
            assert "GET" in allowed
    assert codes <= {"METHOD_NOT_ALLOWED", "UNAUTHENTICATED", "NOT_FOUND"}
    assert "METHOD_NOT_ALLOWED" in codes or method in {"GET", "HEAD"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", UNKNOWN)
async def test_unknown_address_is_not_found(http: httpx.AsyncClient, path: str, method: str) -> None:
    """Whatever the method; nothing of what was asked for is repeated."""
    answer = await http.request(method, path)
    assert answer.status_code == 404
    assert method == "HEAD" or code(answer) == "NOT_FOUND"
    assert "vil" not in answer.text


@pytest.mark.parametrize("method", METHODS)
async def test_endpoint_itself_refuses_methods(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, PATH)
    status = 401 if method in {"GET", "POST"} else 405
    assert answer.status_code == status
    assert answer.headers["x-request-id"]
    assert answer.headers.get("allow") == ("GET, POST" if status == 405 else None)


async def test_websocket_is_closed(database: Database, schema: strawberry.Schema) -> None:
    """Only HTTP requests reach the endpoint."""
    sent = list[Message]()

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await build_app(schema, database, Settings(), SECRETS).asgi_app({"type": "websocket", "path": PATH, "headers": []}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_refused_preflight_is_coded(database: Database, schema: strawberry.Schema) -> None:
    """Of an origin that is not listed, and of a method that is not taken."""
    async with connected(schema, database, Settings(cors_origins=["https://app.example"])) as http:
        headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        answer = await http.options("/graphql", headers=headers)
        assert (answer.status_code, code(answer)) == (403, "FORBIDDEN")
        headers = {"origin": "https://app.example", "access-control-request-method": "DELETE"}
        answer = await http.options("/graphql", headers=headers)
        assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")
        assert answer.headers["access-control-allow-origin"] == "https://app.example"

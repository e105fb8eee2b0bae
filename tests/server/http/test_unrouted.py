"""Test that unknown paths and methods get one error in JSON with a code, as all other rejected requests do."""

from collections.abc import AsyncIterator

import httpx
import pytest
import strawberry
from starlette.routing import Route
from starlette.types import Message

from db.engine.database import Database
from server.app import PATH, Dispatcher, build_app
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, SECRET_KEYS, connect_client

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "PURGE"]
UNKNOWN_PATHS = ["/graphql/", "/GraphQL", "/graphql/evil", "/livez/", "/evil", "/%2e%2e/etc/passwd", "/graphiql/evil", "/évil"]
JSON_TYPES = {"application/json", "application/json; charset=utf-8"}


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database, Settings(max_auth_failures=HUGE_LIMIT)) as client:
        yield client


@pytest.fixture(scope="module")
def routes(database: Database, schema: strawberry.Schema) -> list[str]:
    """Return the path of every route of the application."""
    application = build_app(schema, database, Settings(), SECRET_KEYS).asgi_app
    assert isinstance(application, Dispatcher)
    return [PATH, *(route.path.replace("{name}", "no.js") for route in application.fallback.routes if isinstance(route, Route))]


def only_error_code(answer: httpx.Response) -> str:
    """Return the code of a response that consists of one error."""
    assert answer.headers["content-type"] in JSON_TYPES
    ((key, (error,)),) = answer.json().items()
    assert key == "errors"
    assert error["message"]
    assert error.keys() == {"message", "extensions"}
    code: str = error["extensions"]["code"]
    return code


@pytest.mark.parametrize("method", METHODS)
async def test_every_error_of_every_route_has_a_code(http: httpx.AsyncClient, routes: list[str], method: str) -> None:
    """If the method is not allowed, `Allow` lists those that are."""
    assert {"/graphql", "/graphiql", "/livez", "/readyz"} <= {*routes}
    codes = set()
    for path in routes:
        answer = await http.request(method, path)
        if answer.status_code >= 400 and method != "HEAD":
            codes.add(only_error_code(answer))
        if answer.status_code == 405:
            allowed_methods = answer.headers["allow"].split(", ")
            assert method not in allowed_methods
            assert "GET" in allowed_methods
    assert codes <= {"METHOD_NOT_ALLOWED", "UNAUTHENTICATED", "NOT_FOUND"}
    assert "METHOD_NOT_ALLOWED" in codes or method in {"GET", "HEAD"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", UNKNOWN_PATHS)
async def test_unknown_path_is_not_found(http: httpx.AsyncClient, path: str, method: str) -> None:
    """The response does not repeat the path, so it cannot contain text of an attacker."""
    answer = await http.request(method, path)
    assert answer.status_code == 404
    assert method == "HEAD" or only_error_code(answer) == "NOT_FOUND"
    assert "vil" not in answer.text  # of `evil` and `évil`


@pytest.mark.parametrize("method", METHODS)
async def test_endpoint_rejects_other_methods(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, PATH)
    status = 401 if method in {"GET", "POST"} else 405
    assert answer.status_code == status
    assert answer.headers["x-request-id"]
    assert answer.headers.get("allow") == ("GET, POST" if status == 405 else None)


async def test_websocket_is_closed(database: Database, schema: strawberry.Schema) -> None:
    """Only HTTP requests reach the endpoint."""
    messages = list[Message]()

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        messages.append(message)

    await build_app(schema, database, Settings(), SECRET_KEYS).asgi_app({"type": "websocket", "path": PATH, "headers": []}, receive, send)
    assert [message["type"] for message in messages] == ["websocket.close"]


async def test_rejected_preflight_has_a_code(database: Database, schema: strawberry.Schema) -> None:
    """This holds for an unlisted origin and for an unsupported method."""
    async with connect_client(schema, database, Settings(cors_origins=["https://app.example"])) as http:
        headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        answer = await http.options("/graphql", headers=headers)
        assert (answer.status_code, only_error_code(answer)) == (403, "FORBIDDEN")
        headers = {"origin": "https://app.example", "access-control-request-method": "DELETE"}
        answer = await http.options("/graphql", headers=headers)
        assert (answer.status_code, only_error_code(answer)) == (400, "BAD_REQUEST")
        assert answer.headers["access-control-allow-origin"] == "https://app.example"

"""CORS: the headers that allow web pages of listed origins to call the API."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import strawberry
from graphql import get_introspection_query

from db.engine.database import Database
from db.tables import Role
from server.settings import Settings, SettingsError, read_settings
from tests.support.api import connect_client
from tests.support.builders import Tenant

LISTED_ORIGIN, SECOND_ORIGIN = "https://app.example", "http://localhost:3000"
FOREIGN = [
    "https://evil.test",
    "null",
    "",
    "*",
    "https://app.example.evil.test",
    "https://evil-app.example",
    "https://evil.test/https://app.example",
    "https://app.example:8443",
    "http://app.example",
    "https://APP.example",
    "https://app.example/",
    "https://app.example, https://evil.test",
]
QUERY = {"query": "{ __typename }"}
EXPOSED_HEADERS = "content-disposition, content-range, etag, retry-after, x-request-id"
PREFLIGHT_HEADERS = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


PART = b" " * 70_000  # a part of a body; two exceed `max_incoming_bytes=70_000`
PARTS = {"content-type": "application/json"}
RESPONSE_CASES: dict[str, tuple[int, str, str, dict[str, Any]]] = {  # the status, and the request: method, path and arguments of httpx
    "answer": (200, "POST", "/graphql", {"json": QUERY}),
    "large answer": (200, "POST", "/graphql", {"json": {"query": get_introspection_query()}}),
    "refused document": (200, "POST", "/graphql", {"json": {"query": "{ nothing }"}}),
    "answer to GET": (200, "GET", "/graphql", {"params": QUERY}),
    "not JSON": (400, "POST", "/graphql", {"content": b"{", "headers": PARTS}),
    "wrong token": (401, "POST", "/graphql", {"json": QUERY, "headers": {"authorization": "Bearer no"}}),
    "method": (405, "PUT", "/graphql", {"json": QUERY}),
    "HEAD": (405, "HEAD", "/graphql", {}),
    "media type": (406, "POST", "/graphql", {"json": QUERY, "headers": {"accept": "text/html"}}),
    "too large": (413, "POST", "/graphql", {"content": b" " * 1_000_001, "headers": PARTS}),
    "a form": (415, "POST", "/graphql", {"data": {"query": "x"}}),
    "unknown path": (404, "POST", "/graphql/", {"json": QUERY}),
    "health": (200, "GET", "/livez", {}),
}


@pytest.fixture(scope="module")
async def api_with_origins(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server that lists two origins."""
    async with connect_client(schema, database, Settings(cors_origins=[LISTED_ORIGIN, SECOND_ORIGIN])) as client:
        yield client


@pytest.fixture(scope="module")
async def api_without_origins(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server that lists no origins."""
    async with connect_client(schema, database, Settings()) as client:
        yield client


def cors_headers(response: httpx.Response) -> dict[str, str]:
    """Return the CORS headers of the response."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


async def send_preflight(http: httpx.AsyncClient, origin: str, **more: str) -> httpx.Response:
    return await http.options("/graphql", headers={"origin": origin, **PREFLIGHT_HEADERS, **more})


async def send_query(http: httpx.AsyncClient, origin: str, token: str) -> httpx.Response:
    return await http.post("/graphql", json=QUERY, headers={"origin": origin, "authorization": f"Bearer {token}", "cookie": "a=b"})


@pytest.mark.parametrize("origin", [LISTED_ORIGIN, *FOREIGN])
async def test_h7_no_origin_is_allowed_without_the_setting(api_without_origins: httpx.AsyncClient, sample_org: Tenant, origin: str) -> None:
    """This holds for the preflight request and for the request itself."""
    before, after = (
        await send_preflight(api_without_origins, origin),
        await send_query(api_without_origins, origin, sample_org.tokens[Role.VIEWER]),
    )
    assert (before.status_code, cors_headers(before)) == (405, {})
    assert (after.status_code, cors_headers(after)) == (200, {})


@pytest.mark.parametrize("origin", FOREIGN)
async def test_h7_unlisted_origin_is_not_allowed(api_with_origins: httpx.AsyncClient, sample_org: Tenant, origin: str) -> None:
    """Names that resemble a listed origin are not allowed either."""
    before, after = (
        await send_preflight(api_with_origins, origin),
        await send_query(api_with_origins, origin, sample_org.tokens[Role.VIEWER]),
    )
    assert (before.status_code, cors_headers(before)) == (403, {})
    assert (after.status_code, cors_headers(after)) == (200, {})
    assert "origin" in before.headers["vary"].lower()
    assert "origin" in after.headers["vary"].lower()


@pytest.mark.parametrize("origin", [LISTED_ORIGIN, SECOND_ORIGIN])
async def test_h7_listed_origin_is_allowed(api_with_origins: httpx.AsyncClient, sample_org: Tenant, origin: str) -> None:
    """The response names the origin instead of `*`, and does not allow credentials."""
    before = await send_preflight(api_with_origins, origin)
    assert before.status_code == 200
    allowed_headers = cors_headers(before)
    assert allowed_headers.pop("access-control-max-age") == "86400"
    headers = {each.strip().lower() for each in allowed_headers.pop("access-control-allow-headers").split(",")}
    assert headers >= {"authorization", "content-type", "idempotency-key", "if-range", "range", "traceparent"}
    assert allowed_headers == {"access-control-allow-origin": origin, "access-control-allow-methods": "GET, POST"}
    after = await send_query(api_with_origins, origin, sample_org.tokens[Role.VIEWER])
    assert after.json() == {"data": {"__typename": "Query"}}
    assert cors_headers(after) == {"access-control-allow-origin": origin, "access-control-expose-headers": EXPOSED_HEADERS}
    assert "origin" in after.headers["vary"].lower()


async def test_h7_listed_origin_can_read_errors(api_with_origins: httpx.AsyncClient) -> None:
    """A page needs them to tell its user what went wrong."""
    response = await send_query(api_with_origins, LISTED_ORIGIN, "no token")
    assert (response.status_code, cors_headers(response)["access-control-allow-origin"]) == (401, LISTED_ORIGIN)


def own_headers(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the headers that CORS adds or changes (`Vary`), in order."""
    return [(name, value) for name, value in response.headers.items() if name == "vary" or name.startswith("access-control-")]


@pytest.mark.parametrize("case", RESPONSE_CASES)
async def test_every_response_has_the_same_cors_headers(api_with_origins: httpx.AsyncClient, sample_org: Tenant, case: str) -> None:
    """This covers responses and errors of the endpoint, and other paths."""
    status, method, path, more = RESPONSE_CASES[case]
    headers = {"authorization": f"Bearer {sample_org.tokens[Role.OWNER]}", "origin": LISTED_ORIGIN, **more.get("headers", {})}
    answer = await api_with_origins.request(method, path, **{**more, "headers": headers})
    assert answer.status_code == status
    assert_readable(answer, is_endpoint=path == "/graphql")


def assert_readable(answer: httpx.Response, *, is_endpoint: bool = True) -> None:
    expected = [("access-control-expose-headers", EXPOSED_HEADERS), ("access-control-allow-origin", LISTED_ORIGIN)]
    vary = ("vary", "accept, Origin") if is_endpoint else ("vary", "Origin")
    assert own_headers(answer) == ([vary, *expected] if is_endpoint else [*expected, vary])


async def test_overload_errors_have_the_same_cors_headers(database: Database, schema: strawberry.Schema, sample_org: Tenant) -> None:
    """The errors are those of a token without points, and of a server that accepts no more bytes."""
    headers = {"origin": LISTED_ORIGIN, "authorization": f"Bearer {sample_org.tokens[Role.OWNER]}"}
    settings = Settings(cors_origins=[LISTED_ORIGIN], rate_limit_burst=30, rate_limit_restore=1, max_incoming_bytes=70_000)

    async def parts() -> AsyncIterator[bytes]:
        yield PART
        yield PART

    async with connect_client(schema, database, settings) as http:
        unavailable = await http.post("/graphql", content=parts(), headers={**headers, **PARTS})
        answers = [await http.post("/graphql", json=QUERY, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in (unavailable, *answers)] == [503, 200, 429]
    for answer in (unavailable, *answers):
        assert_readable(answer)


async def test_h7_unsupported_methods_and_headers_are_not_allowed(api_with_origins: httpx.AsyncClient) -> None:
    """Other methods, other headers and access to private networks are not allowed."""
    for more in (
        {"access-control-request-method": "DELETE"},
        {"access-control-request-headers": "cookie"},
        {"access-control-request-private-network": "true"},
    ):
        response = await send_preflight(api_with_origins, LISTED_ORIGIN, **more)
        assert response.status_code == 400
        assert not {"access-control-allow-credentials", "access-control-allow-private-network"} & set(cors_headers(response))


@pytest.mark.parametrize("setting", ["*", "null", "https://*.example", "https://app.example/", "app.example", "https://a@app.example"])
def test_invalid_origin_is_rejected_at_startup(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """It would never match a browser's origin, or match all of them."""
    monkeypatch.setenv("RELATIES_CORS_ORIGINS", f"https://app.example, {setting}")
    with pytest.raises(SettingsError, match=r"^RELATIES_CORS_ORIGINS: .*an origin is a scheme and a host") as raised_error:
        read_settings()
    assert "\n" not in str(raised_error.value)


def test_several_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are compared in lower case, as browsers send them."""
    monkeypatch.setenv("RELATIES_CORS_ORIGINS", "https://App.example, http://localhost:3000,")
    assert read_settings().cors_origins == [LISTED_ORIGIN, SECOND_ORIGIN]

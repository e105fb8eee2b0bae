"""Web pages of other origins: what a browser is told, and by whom it is told nothing."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import strawberry
from graphql import get_introspection_query

from db.engine.database import Database
from db.tables import Role
from server.settings import Settings, SettingsError, read_settings
from tests.ask import connected
from tests.builders import Tenant

LISTED, SECOND = "https://app.example", "http://localhost:3000"
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
ASKS = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


PART = b" " * 70_000  # of a body that is received in parts: more than a server with `max_incoming_bytes=70_000` takes
PARTS = {"content-type": "application/json"}
WAYS: dict[str, tuple[int, str, str, dict[str, Any]]] = {  # the status, and the request: method, path and what httpx takes besides
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
async def listing(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    """A server that lists two origins."""
    async with connected(schema, database, Settings(cors_origins=[LISTED, SECOND])) as client:
        yield client


@pytest.fixture(scope="module")
async def silent(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    """A server that lists none."""
    async with connected(schema, database, Settings()) as client:
        yield client


def told(response: httpx.Response) -> dict[str, str]:
    """What the browser is told of other origins."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


async def preflight(http: httpx.AsyncClient, origin: str, **more: str) -> httpx.Response:
    return await http.options("/graphql", headers={"origin": origin, **ASKS, **more})


async def answer(http: httpx.AsyncClient, origin: str, token: str) -> httpx.Response:
    return await http.post("/graphql", json=QUERY, headers={"origin": origin, "authorization": f"Bearer {token}", "cookie": "a=b"})


@pytest.mark.parametrize("origin", [LISTED, *FOREIGN])
async def test_h7_without_the_setting_no_origin_is_told_anything(silent: httpx.AsyncClient, crowded: Tenant, origin: str) -> None:
    """Not before the request, not after it."""
    before, after = await preflight(silent, origin), await answer(silent, origin, crowded.tokens[Role.VIEWER])
    assert (before.status_code, told(before)) == (405, {})
    assert (after.status_code, told(after)) == (200, {})


@pytest.mark.parametrize("origin", FOREIGN)
async def test_h7_an_origin_that_is_not_listed_is_told_nothing(listing: httpx.AsyncClient, crowded: Tenant, origin: str) -> None:
    """However much it looks like one that is."""
    before, after = await preflight(listing, origin), await answer(listing, origin, crowded.tokens[Role.VIEWER])
    assert (before.status_code, told(before)) == (403, {})
    assert (after.status_code, told(after)) == (200, {})
    assert "origin" in before.headers["vary"].lower()
    assert "origin" in after.headers["vary"].lower()


@pytest.mark.parametrize("origin", [LISTED, SECOND])
async def test_h7_a_listed_origin_may_ask(listing: httpx.AsyncClient, crowded: Tenant, origin: str) -> None:
    """By its own name, never `*`; without cookies, for none are taken."""
    before = await preflight(listing, origin)
    assert before.status_code == 200
    shown = told(before)
    assert shown.pop("access-control-max-age") == "86400"
    headers = {each.strip().lower() for each in shown.pop("access-control-allow-headers").split(",")}
    assert headers >= {"authorization", "content-type", "idempotency-key", "traceparent"}
    assert shown == {"access-control-allow-origin": origin, "access-control-allow-methods": "GET, POST"}
    after = await answer(listing, origin, crowded.tokens[Role.VIEWER])
    assert after.json() == {"data": {"__typename": "Query"}}
    assert told(after) == {"access-control-allow-origin": origin, "access-control-expose-headers": "retry-after, x-request-id"}
    assert "origin" in after.headers["vary"].lower()


async def test_h7_a_listed_origin_can_read_why_it_was_refused(listing: httpx.AsyncClient) -> None:
    """A page cannot tell its user otherwise."""
    refused = await answer(listing, LISTED, "no token")
    assert (refused.status_code, told(refused)["access-control-allow-origin"]) == (401, LISTED)


def own_headers(response: httpx.Response) -> list[tuple[str, str]]:
    """Return what CORS adds to the headers of a response, in order, and `Vary`, which it changes."""
    return [(name, value) for name, value in response.headers.items() if name == "vary" or name.startswith("access-control-")]


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_of_an_answer_has_the_same_cors_headers(listing: httpx.AsyncClient, crowded: Tenant, way: str) -> None:
    """Answers and refusals of the endpoint, and of all other paths."""
    status, method, path, more = WAYS[way]
    sent = {"authorization": f"Bearer {crowded.tokens[Role.OWNER]}", "origin": LISTED, **more.get("headers", {})}
    answer = await listing.request(method, path, **{**more, "headers": sent})
    assert answer.status_code == status
    assert_readable(answer, is_endpoint=path == "/graphql")


def assert_readable(answer: httpx.Response, *, is_endpoint: bool = True) -> None:
    shown = [("access-control-expose-headers", "retry-after, x-request-id"), ("access-control-allow-origin", LISTED)]
    vary = ("vary", "accept, Origin") if is_endpoint else ("vary", "Origin")
    assert own_headers(answer) == ([vary, *shown] if is_endpoint else [*shown, vary])


async def test_refusals_for_load_have_the_same_cors_headers(database: Database, schema: strawberry.Schema, crowded: Tenant) -> None:
    """Of a token without points, and of a server that takes in no more bytes."""
    sent = {"origin": LISTED, "authorization": f"Bearer {crowded.tokens[Role.OWNER]}"}
    settings = Settings(cors_origins=[LISTED], rate_limit_burst=30, rate_limit_restore=1, max_incoming_bytes=70_000)

    async def parts() -> AsyncIterator[bytes]:
        yield PART
        yield PART

    async with connected(schema, database, settings) as http:
        unavailable = await http.post("/graphql", content=parts(), headers={**sent, **PARTS})
        answers = [await http.post("/graphql", json=QUERY, headers=sent) for _ in range(2)]
    assert [answer.status_code for answer in (unavailable, *answers)] == [503, 200, 429]
    for answer in (unavailable, *answers):
        assert_readable(answer)


async def test_h7_what_is_not_taken_is_not_promised(listing: httpx.AsyncClient) -> None:
    """Neither another method nor another header; nor a way into a private network."""
    for more in (
        {"access-control-request-method": "DELETE"},
        {"access-control-request-headers": "cookie"},
        {"access-control-request-private-network": "true"},
    ):
        refused = await preflight(listing, LISTED, **more)
        assert refused.status_code == 400
        assert not {"access-control-allow-credentials", "access-control-allow-private-network"} & set(told(refused))


@pytest.mark.parametrize("given", ["*", "null", "https://*.example", "https://app.example/", "app.example", "https://a@app.example"])
def test_what_is_no_origin_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """It would never match, or match all."""
    monkeypatch.setenv("RELATIES_CORS_ORIGINS", f"https://app.example, {given}")
    with pytest.raises(SettingsError, match=r"^RELATIES_CORS_ORIGINS: .*an origin is a scheme and a host") as refused:
        read_settings()
    assert "\n" not in str(refused.value)


def test_several_origins_are_given_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a browser writes them, in small letters."""
    monkeypatch.setenv("RELATIES_CORS_ORIGINS", "https://App.example, http://localhost:3000,")
    assert read_settings().cors_origins == [LISTED, SECOND]

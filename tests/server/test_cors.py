"""Web pages of other origins: what a browser is told, and by whom it is told nothing."""

from collections.abc import AsyncIterator

import httpx
import pytest
import strawberry

from db.engine import Database
from db.tables import Role
from server.settings import Settings, SettingsError, settings
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
        settings()
    assert "\n" not in str(refused.value)


def test_several_origins_are_given_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a browser writes them, in small letters."""
    monkeypatch.setenv("RELATIES_CORS_ORIGINS", "https://App.example, http://localhost:3000,")
    assert settings().cors_origins == [LISTED, SECOND]

"""Tokens: which of them are accepted, with which permissions, and until when."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from domain.core.scope import Permission
from domain.organization.tokens import authenticate, hash_secret, new_secret
from server.errors import HttpError
from server.http.auth import Authenticator, AuthFailureLimiter
from server.settings import Settings
from tests.support.api import connect_client
from tests.support.builders import Tenant, add_token


@pytest.fixture
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server that has not cached any token yet."""
    async with connect_client(schema, database) as client:
        yield client


async def permissions_of(http: httpx.AsyncClient, secret: str) -> list[str] | None:
    """Return the permissions of the token, or None if it is rejected."""
    response = await http.post("/graphql", json={"query": "{ viewer { permissions } }"}, headers={"authorization": f"Bearer {secret}"})
    return None if response.status_code == httpx.codes.UNAUTHORIZED else response.json()["data"]["viewer"]["permissions"]


async def find_member(org: Tenant, role: Role) -> UUID:
    member_key: UUID = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = $2", org.id, role)
    return member_key


async def test_token_never_has_more_rights_than_its_member(http: httpx.AsyncClient, org: Tenant) -> None:
    """Its permissions are those that the member's role, the token's role and the token's scope have in common."""
    cases: list[tuple[dict[str, object], list[str] | None]] = [
        ({"member_id": await find_member(org, Role.VIEWER), "role": "OWNER"}, ["CLIENTS_READ"]),
        ({"member_id": await find_member(org, Role.OWNER), "role": "VIEWER"}, ["CLIENTS_READ"]),
        ({"member_id": await find_member(org, Role.MEMBER), "scope": ["CLIENTS_READ", "FINANCE_READ"]}, ["CLIENTS_READ"]),
        ({"role": "FINANCE", "scope": ["FINANCE_READ"]}, ["FINANCE_READ"]),
        ({"member_id": await find_member(org, Role.OWNER), "scope": []}, []),
    ]
    for token_fields, expected in cases:
        secret = new_secret()
        await add_token(org.owner, org.id, secret, **token_fields)
        assert await permissions_of(http, secret) == expected


async def test_without_the_right_no_clients_are_read(http: httpx.AsyncClient, org: Tenant) -> None:
    secret = new_secret()
    await add_token(org.owner, org.id, secret, role="OWNER", scope=["FINANCE_READ"])
    response = await http.post("/graphql", json={"query": "{ clients { nodes { id } } }"}, headers={"authorization": f"Bearer {secret}"})
    assert response.json()["data"] == {"clients": None}
    assert [error["extensions"] for error in response.json()["errors"]] == [{"code": "FORBIDDEN"}]


async def test_a4_expired_revoked_or_inactive_token_cannot_sign_in(http: httpx.AsyncClient, org: Tenant) -> None:
    """Each of them gets the same response as an unknown token."""
    past, future = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
    inactive = await find_member(org, Role.ADMIN)
    await org.owner.execute("UPDATE relaties.member SET is_active = false WHERE tenant_id = $1 AND id = $2", org.id, inactive)
    cases: list[tuple[dict[str, object], list[str] | None]] = [
        ({"role": "VIEWER", "expires_at": future}, ["CLIENTS_READ"]),
        ({"role": "VIEWER", "expires_at": past}, None),
        ({"role": "VIEWER", "revoked_at": past}, None),
        ({"member_id": inactive}, None),
    ]
    for changes, expected in cases:
        secret = new_secret()
        await add_token(org.owner, org.id, secret, **changes)
        assert await permissions_of(http, secret) == expected


async def test_a4_nearly_correct_token_is_rejected_like_any_other(http: httpx.AsyncClient, org: Tenant) -> None:
    """All variants get the same response, so it does not help to guess a token."""
    secret = org.tokens[Role.OWNER]
    assert await permissions_of(http, secret) is not None
    last = "A" if secret[-1] != "A" else "B"
    wrong = [
        secret[:-1] + last,
        secret[:-1],
        secret[:12],
        "rlt_",
        "",
        f" {secret}",
        f"{secret}=",
        secret.swapcase(),
        secret * 2500,
        hash_secret(secret).hex(),
    ]
    answers = [await http.post("/graphql", json={"query": "{ __typename }"}, headers={"authorization": f"Bearer {each}"}) for each in wrong]
    assert {(answer.status_code, answer.text, answer.headers["www-authenticate"]) for answer in answers} == {
        (401, answers[0].text, "Bearer")
    }


async def test_repeated_wrong_tokens_are_rate_limited(database: Database, schema: strawberry.Schema, org: Tenant) -> None:
    """The limit is for an address. Valid tokens are still accepted, also one that the server has not seen yet."""
    good, later = org.tokens[Role.OWNER], org.tokens[Role.ADMIN]
    async with connect_client(schema, database, Settings(max_auth_failures=3)) as http:
        assert await permissions_of(http, good) is not None
        assert [await permissions_of(http, new_secret()) for _ in range(3)] == [None] * 3
        wrong = new_secret()
        for secret in (wrong, wrong, "rlt_", new_secret()):
            headers = {"authorization": f"Bearer {secret}"}
            response = await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
            assert (response.status_code, response.json()["errors"][0]["extensions"]) == (429, {"code": "RATE_LIMITED"})
            assert 0 < int(response.headers["retry-after"]) <= 60
        assert await permissions_of(http, good) is not None
        assert await permissions_of(http, later) is not None


async def test_rate_limit_ends_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures of one address do not count for another."""
    failures, moment = AuthFailureLimiter(2), [1000.0]
    monkeypatch.setattr("server.http.auth.time.monotonic", lambda: moment[0])
    for _ in range(2):
        failures.check("192.0.2.1")
        failures.record_failure("192.0.2.1")
    with pytest.raises(HttpError) as raised_error:
        failures.check("192.0.2.1")
    assert raised_error.value.headers == {"retry-after": "60"}
    failures.check("192.0.2.2")
    moment[0] += 60
    failures.check("192.0.2.1")


async def test_cached_token_still_expires_on_time(database: Database, org: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache does not extend the lifetime of a token."""
    secret, end = new_secret(), datetime.now(UTC) + timedelta(hours=1)
    await add_token(org.owner, org.id, secret, role="VIEWER", expires_at=end)
    sign_in = Authenticator(database)
    assert await sign_in.authenticate(f"Bearer {secret}")

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override] # noqa: ARG003
            return end

    monkeypatch.setattr("server.http.auth.datetime", Later)
    assert await sign_in.authenticate(f"Bearer {secret}") is None


async def test_revoked_token_is_accepted_for_at_most_five_seconds(database: Database, org: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server uses the cached result for that time, and then looks the token up again."""
    secret, sign_in = new_secret(), Authenticator(database)
    key = await add_token(org.owner, org.id, secret, role="VIEWER")
    assert await sign_in.authenticate(f"Bearer {secret}")
    await org.owner.execute("UPDATE relaties.api_token SET revoked_at = now() WHERE tenant_id = $1 AND id = $2", org.id, key)
    assert await sign_in.authenticate(f"Bearer {secret}")
    monkeypatch.setattr("server.http.auth.TOKEN_CACHE_S", 0.0)
    assert await sign_in.authenticate(f"Bearer {secret}") is None


async def test_token_is_stored_as_its_hash_only(org: Tenant, owner: asyncpg.Connection, database: Database) -> None:
    """A reader of the table cannot sign in."""
    secret = org.tokens[Role.OWNER]
    rows = await owner.fetch("SELECT t::text AS row FROM relaties.api_token t WHERE tenant_id = $1", org.id)
    assert len(rows) == 5
    assert not [row for row in rows if secret in row["row"] or secret[4:] in row["row"]]
    actor = await authenticate(database, secret)
    assert actor is not None
    assert actor[0].permissions == frozenset(Permission)

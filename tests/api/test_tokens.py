"""Test tokens: their secret is shown once, they never have more permissions than their creator, and revoked ones stop within seconds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from db.tables.keys import new_id
from domain.core.scope import ROLE_PERMISSIONS
from domain.organization.tokens import TOKEN_PATTERN, authenticate, hash_secret, new_secret
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, add_token, create_tenant
from tests.support.ids import decode_key, global_id
from tests.support.members import MEMBER, member_arguments
from tests.support.mutations import dump_rows, fetch_audit_events, fetch_error, is_forbidden, mutate, run_mutation

TOKEN = "token { id name role scope expiresAt createdAt revokedAt member { role } }"
MACHINE: dict[str, Any] = {"name": "Dashboard", "role": "VIEWER"}


async def create_token(api: Api, key: str | None = None, **input: object) -> tuple[dict[str, Any], str | None]:
    """Create a token, and return it with its secret."""
    body = await run_mutation(api, "tokenCreate", f"{TOKEN} secret", input, key)
    assert body["data"]["done"]["userErrors"] == []
    return body["data"]["done"]["token"], body["data"]["done"]["secret"]


async def find_member(org: Tenant, role: Role) -> str:
    return str((await member_arguments(org, role))["id"])


async def permissions_of(database: Database, secret: str | None) -> list[str] | None:
    """Return the permissions of a secret; None if it cannot sign in."""
    actor = await authenticate(database, secret or "")
    return sorted(actor[0].permissions) if actor else None


@pytest.fixture
async def fresh_database_api(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[str], Api]]:
    """Yield API clients of a server whose token cache is empty."""
    async with connect_client(schema, database) as http:
        yield lambda secret: Api(http, secret)


async def test_token_is_created_with_its_secret(api_for: Callable[..., Api], org: Tenant, database: Database) -> None:
    """A member's token has the member's role at the time, and a machine's token has its own. It can be read by its id."""
    end = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    api = api_for(org, Role.ADMIN)
    token, secret = await create_token(
        api, name=" Import ", memberId=await find_member(org, Role.FINANCE), scope=["FINANCE_READ", "CLIENTS_READ", "FINANCE_READ"],
        expiresAt=end.isoformat(),
    )  # fmt: skip
    assert {**token, "createdAt": None, "id": None} == {
        "id": None, "name": "Import", "role": "FINANCE", "scope": ["FINANCE_READ", "CLIENTS_READ"],
        "expiresAt": f"{end:%Y-%m-%dT%H:%M:%S}.000Z",
        "createdAt": None, "revokedAt": None, "member": {"role": "FINANCE"},
    }  # fmt: skip
    assert TOKEN_PATTERN.fullmatch(secret or "")
    assert await permissions_of(database, secret) == ["CLIENTS_READ", "FINANCE_READ"]
    machine, secret = await create_token(api, **MACHINE)
    assert (machine["role"], machine["scope"], machine["member"]) == ("VIEWER", None, None)
    assert await permissions_of(database, secret) == ["CLIENTS_READ"]
    nothing, secret = await create_token(api, **MACHINE, scope=[])
    assert (nothing["scope"], await permissions_of(database, secret)) == ([], [])
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on ApiToken {TOKEN.removeprefix('token')} }} }}"
    assert await api.data(query, id=token["id"]) == {"node": token}


async def test_the_secret_is_shown_once(api_for: Callable[..., Api], org: Tenant) -> None:
    """A repeated request returns the token without it. No stored row contains it, including events and stored answers."""
    first, secret = await create_token(api_for(org), key="once", **MACHINE)
    before = await dump_rows(org)
    assert await create_token(api_for(org), key="once", **MACHINE) == (first, None)
    both = await asyncio.gather(*(create_token(api_for(org), key="at once", name="Twee", role="VIEWER") for _ in range(2)))
    assert both[0][0] == both[1][0]
    assert [secret_or_none is None for _, secret_or_none in both].count(True) == 1
    assert secret is not None
    stored_rows = [row for rows in (await dump_rows(org)).values() for row in rows]
    assert not [row for row in stored_rows if secret in row or secret[4:] in row]
    assert [name for name, rows in before.items() if any(hash_secret(secret).hex() in row for row in rows)] == ["api_token"]
    outcomes = await org.owner.fetch("SELECT outcome::text AS kept FROM relaties.idempotency_key WHERE tenant_id = $1", org.id)
    assert [row["kept"].count("value") for row in outcomes] == [1, 1]
    ((_, action, changes),) = await fetch_audit_events(org, decode_key(first["id"]))
    assert (action, sorted(changes)) == ("CREATED", ["name", "role"])


async def test_a4_revoked_token_cannot_sign_in(
    api_for: Callable[..., Api], org: Tenant, fresh_database_api: Callable[[str], Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is rejected once the server's token cache expires. Revoking it again changes nothing."""
    token, secret = await create_token(api_for(org, Role.ADMIN), **MACHINE)
    assert secret is not None
    query = {"query": "{ viewer { permissions } }"}
    assert (await fresh_database_api(secret).post(query)).status_code == 200
    revoked = await mutate(api_for(org, Role.ADMIN), "tokenRevoke", TOKEN, id=token["id"])
    assert revoked["revokedAt"] is not None
    assert (await fresh_database_api(secret).post(query)).status_code == 200
    monkeypatch.setattr("server.http.auth.TOKEN_CACHE_S", 0.0)
    assert (await fresh_database_api(secret).post(query)).status_code == 401
    before = await dump_rows(org)
    assert await mutate(api_for(org, Role.ADMIN), "tokenRevoke", TOKEN, id=token["id"]) == revoked
    assert await dump_rows(org) == before
    assert [(operation, sorted(changes)) for operation, _, changes in await fetch_audit_events(org, decode_key(token["id"]))][1:] == [
        ("tokenRevoke", ["revoked_at"])
    ]


async def test_token_of_a_removed_member_cannot_sign_in(api_for: Callable[..., Api], org: Tenant, database: Database) -> None:
    """A token that is created during the removal is rejected or revoked, and none can be created afterwards."""
    finance = await member_arguments(org, Role.FINANCE)
    _, secret = await create_token(api_for(org), name="Een", memberId=finance["id"])
    assert await permissions_of(database, secret) == sorted(ROLE_PERMISSIONS[Role.FINANCE])
    new = {"name": "Twee", "memberId": finance["id"]}
    bodies = await asyncio.gather(
        run_mutation(api_for(org), "memberRemove", "member { id }", finance),
        *(run_mutation(api_for(org), "tokenCreate", "secret", new) for _ in range(3)),
    )
    secrets = [secret, *(body["data"]["done"]["secret"] for body in bodies[1:])]
    assert [await permissions_of(database, each) for each in secrets] == [None] * 4
    before = await dump_rows(org)
    error = await fetch_error(api_for(org), "tokenCreate", **new)
    assert (error["code"], error["path"]) == ("INVALID", ["memberId"])
    assert await dump_rows(org) == before


async def test_token_does_not_gain_permissions_of_its_member(api_for: Callable[..., Api], org: Tenant, database: Database) -> None:
    """Otherwise the creator would get permissions that the member receives later. It loses those that its member loses."""
    someone = await member_arguments(org, Role.MEMBER)
    _, secret = await create_token(api_for(org, Role.ADMIN), name="Een", memberId=someone["id"])
    await mutate(api_for(org), "memberUpdate", MEMBER, **someone, role="OWNER")
    assert await permissions_of(database, secret) == sorted(ROLE_PERMISSIONS[Role.MEMBER])
    await mutate(api_for(org), "memberUpdate", MEMBER, id=someone["id"], expectedVersion=2, role="VIEWER")
    assert await permissions_of(database, secret) == ["CLIENTS_READ"]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"name": "Zonder rol"}, "role"),
        ({**MACHINE, "name": " "}, "name"),
        ({**MACHINE, "name": "x" * 101}, "name"),
        ({**MACHINE, "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ],
    ids=str,
)
async def test_invalid_token_input_is_rejected(api_for: Callable[..., Api], org: Tenant, arguments: dict[str, object], path: str) -> None:
    """The error has the path of the invalid field, and nothing is created."""
    before = await dump_rows(org)
    error = await fetch_error(api_for(org), "tokenCreate", **arguments)
    assert (error["code"], error["path"]) == ("INVALID", [path])
    more = await fetch_error(api_for(org), "tokenCreate", name="Te veel", memberId=await find_member(org, Role.VIEWER), role="MEMBER")
    assert (more["code"], more["path"]) == ("INVALID", ["role"])
    assert await dump_rows(org) == before


async def test_a10_nobody_creates_a_token_with_more_permissions_than_they_have(
    api_for: Callable[..., Api], org: Tenant, database: Database
) -> None:
    """An admin can neither create nor revoke a token of an owner, whatever its scope, nor one of a machine with that role."""
    admin, secret = api_for(org, Role.ADMIN), new_secret()
    owner, viewer = await find_member(org, Role.OWNER), await find_member(org, Role.VIEWER)
    of_owner = await add_token(org.owner, org.id, new_secret(), member_id=decode_key(owner), role="VIEWER")
    of_machine = await add_token(org.owner, org.id, new_secret(), role="OWNER")
    await add_token(org.owner, org.id, secret, role="ADMIN", scope=["ORGANIZATION_WRITE", "CLIENTS_READ"])
    narrow = Api(admin.http, secret)
    tries: list[tuple[Api, str, dict[str, object]]] = [
        (admin, "tokenCreate", {"name": "X", "memberId": owner}),
        (admin, "tokenCreate", {"name": "X", "memberId": owner, "role": "VIEWER", "scope": ["CLIENTS_READ"]}),
        (admin, "tokenCreate", {"name": "X", "role": "OWNER"}),
        (admin, "tokenRevoke", {"id": global_id("ApiToken", of_owner)}),
        (admin, "tokenRevoke", {"id": global_id("ApiToken", of_machine)}),
        (narrow, "tokenCreate", {"name": "X", "role": "MEMBER"}),
        (narrow, "tokenCreate", {"name": "X", "role": "FINANCE", "scope": ["CLIENTS_READ", "FINANCE_READ"]}),
        (narrow, "tokenCreate", {"name": "X", "memberId": await find_member(org, Role.ADMIN)}),
    ]
    before = await dump_rows(org)
    for api, mutation, arguments in tries:
        assert await is_forbidden(api, mutation, **arguments), (mutation, arguments)
    assert await dump_rows(org) == before
    _, made_by_narrow = await create_token(narrow, name="Y", memberId=viewer)
    assert await permissions_of(database, made_by_narrow) == ["CLIENTS_READ"]
    _, made_by_owner = await create_token(api_for(org), name="Y", memberId=owner)
    assert await permissions_of(database, made_by_owner) == sorted(ROLE_PERMISSIONS[Role.OWNER])


async def test_tokens_can_be_neither_changed_nor_seen_without_permission(api_for: Callable[..., Api], org: Tenant) -> None:
    token, _ = await create_token(api_for(org), **MACHINE)
    before = await dump_rows(org)
    for role in (Role.FINANCE, Role.MEMBER, Role.VIEWER):
        assert await is_forbidden(api_for(org, role), "tokenCreate", **MACHINE)
        assert await is_forbidden(api_for(org, role), "tokenRevoke", id=token["id"])
        query = "query ($id: ID!) { viewer { organization { tokens { nodes { id } } } } node(id: $id) { id } }"
        assert await api_for(org, role).data(query, id=token["id"]) == {"viewer": {"organization": {"tokens": None}}, "node": None}
    assert await dump_rows(org) == before


async def test_token_of_another_organization_is_not_found(api_for: Callable[..., Api], org: Tenant) -> None:
    """The same holds for its members. The error is the same as for an unknown id."""
    other = await create_tenant(org.owner, "Other")
    theirs, _ = await create_token(api_for(other), **MACHINE)
    before = await dump_rows(other), await dump_rows(org)
    for key in (theirs["id"], global_id("ApiToken", new_id()), global_id("Member", new_id())):
        error = await fetch_error(api_for(org), "tokenRevoke", id=key)
        assert (error["code"], error["path"], error["message"]) == (
            "NOT_FOUND",
            ["id"],
            "There is no token with this ID. It may have been deleted: look it up again.",
        )
    for key in (await find_member(other, Role.VIEWER), global_id("Member", new_id()), theirs["id"]):
        error = await fetch_error(api_for(org), "tokenCreate", name="X", memberId=key)
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["memberId"])
    assert (await dump_rows(other), await dump_rows(org)) == before


async def test_tokens_are_listed_newest_first(api_for: Callable[..., Api], org: Tenant) -> None:
    """Pages have a total, and each token has its member."""
    for number in range(2):
        await create_token(api_for(org), name=f"T{number}", role="VIEWER")
    query = """query ($first: Int, $after: String) { viewer { organization { tokens(first: $first, after: $after) {
      totalCount nodes { name member { role } } pageInfo { endCursor hasNextPage } } } } }"""
    page = (await api_for(org, Role.ADMIN).data(query, first=2))["viewer"]["organization"]["tokens"]
    assert (page["totalCount"], page["nodes"]) == (7, [{"name": "T1", "member": None}, {"name": "T0", "member": None}])
    rest = (await api_for(org, Role.ADMIN).data(query, after=page["pageInfo"]["endCursor"]))["viewer"]["organization"]["tokens"]
    assert [node["member"]["role"] for node in rest["nodes"]] == [role.value for role in reversed(Role)]
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_creator_of_a_token_can_revoke_it(api_for: Callable[..., Api], org: Tenant) -> None:
    """All roles and scopes are tried, for members and machines. A token that an admin may not revoke, an admin cannot create either."""
    admin, owner, created = api_for(org, Role.ADMIN), api_for(org), 0
    members: dict[Role | None, str | None] = {None: None, **{role: await find_member(org, role) for role in Role}}
    for member_role, key in members.items():
        for role in Role:
            for scope in (["CLIENTS_READ"], None):
                arguments: dict[str, object] = {
                    "name": "X",
                    "role": role,
                    **({"memberId": key} if key else {}),
                    **({"scope": scope} if scope else {}),
                }
                before = await dump_rows(org)
                if await is_forbidden(admin, "tokenCreate", **arguments):
                    assert Role.OWNER in {member_role, role}, arguments
                    assert await dump_rows(org) == before
                    continue
                body = await run_mutation(admin, "tokenCreate", "token { id }", arguments)
                if body["data"]["done"]["token"] is None:  # more than the member's own role
                    assert await dump_rows(org) == before
                    continue
                assert Role.OWNER not in {member_role, role}, arguments
                token = body["data"]["done"]["token"]["id"]
                assert (await mutate(admin, "tokenRevoke", TOKEN, id=token))["revokedAt"] is not None
                created += 1
    # Machines with four roles, and members with their own role or a lower one; each with a scope and without.
    assert created == 4 * 2 + 2 * (4 + 3 + 2 + 1)
    assert (await create_token(owner, name="X", role="OWNER", scope=["CLIENTS_READ"]))[0]["role"] == "OWNER"


async def test_owner_with_a_restricted_token_manages_its_own_tokens(api_for: Callable[..., Api], org: Tenant) -> None:
    """It may create tokens for itself with a role that it may manage, but none for another owner."""
    owner = decode_key(await find_member(org, Role.OWNER))
    other = new_id()
    await org.owner.execute(
        "INSERT INTO relaties.member SELECT tenant_id, $2, created_at, updated_at, version, name, 'other@test.example', role, is_active "
        "FROM (SELECT tenant_id, created_at, updated_at, version, name, role, is_active FROM relaties.member WHERE id = $1) one",
        owner, other,
    )  # fmt: skip
    secret = new_secret()
    await add_token(org.owner, org.id, secret, member_id=owner, role="OWNER", scope=["ORGANIZATION_WRITE", "CLIENTS_READ"])
    narrow, before = Api(api_for(org).http, secret), await dump_rows(org)
    for arguments in (
        {"name": "X", "memberId": global_id("Member", owner), "scope": ["CLIENTS_READ"]},
        {"name": "X", "memberId": global_id("Member", other), "role": "VIEWER"},
        {"name": "X", "role": "OWNER", "scope": ["CLIENTS_READ"]},
    ):
        assert await is_forbidden(narrow, "tokenCreate", **arguments), arguments
    assert await dump_rows(org) == before
    token, _ = await create_token(narrow, name="X", memberId=global_id("Member", owner), role="VIEWER")
    assert (await mutate(narrow, "tokenRevoke", TOKEN, id=token["id"]))["revokedAt"] is not None


async def test_creator_of_a_token_is_recorded(api_for: Callable[..., Api], org: Tenant) -> None:
    """The token and its event show the member. If a machine creates a token, the event has the machine's token instead."""
    selection = "token { id createdBy { role } member { role } } secret"
    body = await run_mutation(
        api_for(org, Role.ADMIN), "tokenCreate", selection, {"name": "X", "memberId": await find_member(org, Role.FINANCE)}
    )
    token = body["data"]["done"]["token"]
    assert {name: member_data["role"] for name, member_data in token.items() if name != "id"} == {"createdBy": "ADMIN", "member": "FINANCE"}
    listed = "{ viewer { organization { tokens { nodes { id createdBy { role } } } } } }"
    nodes = (await api_for(org).data(listed))["viewer"]["organization"]["tokens"]["nodes"]
    assert next(node["createdBy"] for node in nodes if node["id"] == token["id"]) == {"role": "ADMIN"}
    assert [node["createdBy"] for node in nodes if node["id"] != token["id"]] == [None] * 5
    secret = new_secret()
    machine = await add_token(org.owner, org.id, secret, role="ADMIN")
    second = (await run_mutation(Api(api_for(org).http, secret), "tokenCreate", selection, dict(MACHINE)))["data"]["done"]["token"]
    assert (second["createdBy"], second["member"]) == (None, None)
    origin_query = "SELECT member_id, token_id FROM relaties.audit_event WHERE tenant_id = $1 AND object_id = $2"
    events = [tuple(await org.owner.fetchrow(origin_query, org.id, decode_key(each["id"])) or ()) for each in (token, second)]
    assert (events[0][0], events[1]) == (decode_key(await find_member(org, Role.ADMIN)), (None, machine))

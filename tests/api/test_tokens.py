"""Tokens through the API: shown once, never more than who makes them has, and gone within seconds."""

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
from tests.api.test_members import MEMBER, known
from tests.ask import Api, connected
from tests.builders import Tenant, add_token, tenant
from tests.changing import asked, change, everything, forbidden, refusal, traced
from tests.ids import global_id, key_of

TOKEN = "token { id name role scope expiresAt createdAt revokedAt member { role } }"
MACHINE: dict[str, Any] = {"name": "Dashboard", "role": "VIEWER"}


async def made(api: Api, key: str | None = None, **input: object) -> tuple[dict[str, Any], str | None]:
    """The token and its secret."""
    body = await asked(api, "tokenCreate", f"{TOKEN} secret", input, key)
    assert body["data"]["done"]["userErrors"] == []
    return body["data"]["done"]["token"], body["data"]["done"]["secret"]


async def member(org: Tenant, role: Role) -> str:
    return str((await known(org, role))["id"])


async def rights(database: Database, secret: str | None) -> list[str] | None:
    """What a secret may; None when it signs nobody in."""
    found = await authenticate(database, secret or "")
    return sorted(found[0].permissions) if found else None


@pytest.fixture
async def fresh(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[str], Api]]:
    """A server that knows no token yet."""
    async with connected(schema, database) as http:
        yield lambda secret: Api(http, secret)


async def test_a_token_is_made_with_its_secret(as_: Callable[..., Api], org: Tenant, database: Database) -> None:
    """Of a member, with the member's role of today; or of a machine. It signs in with what it was given, and is read by its id."""
    end = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    api = as_(org, Role.ADMIN)
    token, secret = await made(
        api, name=" Import ", memberId=await member(org, Role.FINANCE), scope=["FINANCE_READ", "CLIENTS_READ", "FINANCE_READ"],
        expiresAt=end.isoformat(),
    )  # fmt: skip
    assert {**token, "createdAt": None, "id": None} == {
        "id": None, "name": "Import", "role": "FINANCE", "scope": ["FINANCE_READ", "CLIENTS_READ"],
        "expiresAt": f"{end:%Y-%m-%dT%H:%M:%S}.000Z",
        "createdAt": None, "revokedAt": None, "member": {"role": "FINANCE"},
    }  # fmt: skip
    assert TOKEN_PATTERN.fullmatch(secret or "")
    assert await rights(database, secret) == ["CLIENTS_READ", "FINANCE_READ"]
    machine, secret = await made(api, **MACHINE)
    assert (machine["role"], machine["scope"], machine["member"]) == ("VIEWER", None, None)
    assert await rights(database, secret) == ["CLIENTS_READ"]
    nothing, secret = await made(api, **MACHINE, scope=[])
    assert (nothing["scope"], await rights(database, secret)) == ([], [])
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on ApiToken {TOKEN.removeprefix('token')} }} }}"
    assert await api.data(query, id=token["id"]) == {"node": token}


async def test_the_secret_is_shown_once(as_: Callable[..., Api], org: Tenant) -> None:
    """The request sent again gives the same token without it; and no row of the organization has it, the trace and the outcome neither."""
    first, secret = await made(as_(org), key="once", **MACHINE)
    before = await everything(org)
    assert await made(as_(org), key="once", **MACHINE) == (first, None)
    both = await asyncio.gather(*(made(as_(org), key="at once", name="Twee", role="VIEWER") for _ in range(2)))
    assert both[0][0] == both[1][0]
    assert [found is None for _, found in both].count(True) == 1
    assert secret is not None
    kept = [row for rows in (await everything(org)).values() for row in rows]
    assert not [row for row in kept if secret in row or secret[4:] in row]
    assert [name for name, rows in before.items() if any(hash_secret(secret).hex() in row for row in rows)] == ["api_token"]
    outcomes = await org.owner.fetch("SELECT outcome::text AS kept FROM relaties.idempotency_key WHERE tenant_id = $1", org.id)
    assert [row["kept"].count("value") for row in outcomes] == [1, 1]
    ((_, action, changes),) = await traced(org, key_of(first["id"]))
    assert (action, sorted(changes)) == ("CREATED", ["name", "role"])


async def test_a4_a_revoked_token_signs_nobody_in(
    as_: Callable[..., Api], org: Tenant, fresh: Callable[[str], Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once what the server keeps for seconds is over; the second time nothing changes."""
    token, secret = await made(as_(org, Role.ADMIN), **MACHINE)
    assert secret is not None
    query = {"query": "{ viewer { permissions } }"}
    assert (await fresh(secret).post(query)).status_code == 200
    revoked = await change(as_(org, Role.ADMIN), "tokenRevoke", TOKEN, id=token["id"])
    assert revoked["revokedAt"] is not None
    assert (await fresh(secret).post(query)).status_code == 200
    monkeypatch.setattr("server.http.auth.TOKEN_CACHE_S", 0.0)
    assert (await fresh(secret).post(query)).status_code == 401
    before = await everything(org)
    assert await change(as_(org, Role.ADMIN), "tokenRevoke", TOKEN, id=token["id"]) == revoked
    assert await everything(org) == before
    assert [(operation, sorted(changes)) for operation, _, changes in await traced(org, key_of(token["id"]))][1:] == [
        ("tokenRevoke", ["revoked_at"])
    ]


async def test_a_token_of_a_removed_member_signs_nobody_in(as_: Callable[..., Api], org: Tenant, database: Database) -> None:
    """It is revoked for good, and no other is made; made at the very time of the removal, it is refused or revoked."""
    finance = await known(org, Role.FINANCE)
    _, secret = await made(as_(org), name="Een", memberId=finance["id"])
    assert await rights(database, secret) == sorted(ROLE_PERMISSIONS[Role.FINANCE])
    new = {"name": "Twee", "memberId": finance["id"]}
    bodies = await asyncio.gather(
        asked(as_(org), "memberRemove", "member { id }", finance), *(asked(as_(org), "tokenCreate", "secret", new) for _ in range(3))
    )
    secrets = [secret, *(body["data"]["done"]["secret"] for body in bodies[1:])]
    assert [await rights(database, each) for each in secrets] == [None] * 4
    before = await everything(org)
    found = await refusal(as_(org), "tokenCreate", **new)
    assert (found["code"], found["path"]) == ("INVALID", ["memberId"])
    assert await everything(org) == before


async def test_a_token_does_not_grow_with_its_member(as_: Callable[..., Api], org: Tenant, database: Database) -> None:
    """Else whoever makes one would have what the member is given later; with its member it shrinks."""
    someone = await known(org, Role.MEMBER)
    _, secret = await made(as_(org, Role.ADMIN), name="Een", memberId=someone["id"])
    await change(as_(org), "memberUpdate", MEMBER, **someone, role="OWNER")
    assert await rights(database, secret) == sorted(ROLE_PERMISSIONS[Role.MEMBER])
    await change(as_(org), "memberUpdate", MEMBER, id=someone["id"], expectedVersion=2, role="VIEWER")
    assert await rights(database, secret) == ["CLIENTS_READ"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": "Zonder rol"}, "role"),
        ({**MACHINE, "name": " "}, "name"),
        ({**MACHINE, "name": "x" * 101}, "name"),
        ({**MACHINE, "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ],
    ids=str,
)
async def test_a_wrong_token_is_refused(as_: Callable[..., Api], org: Tenant, given: dict[str, object], path: str) -> None:
    """At the field that is wrong, and nothing is made."""
    before = await everything(org)
    found = await refusal(as_(org), "tokenCreate", **given)
    assert (found["code"], found["path"]) == ("INVALID", [path])
    more = await refusal(as_(org), "tokenCreate", name="Te veel", memberId=await member(org, Role.VIEWER), role="MEMBER")
    assert (more["code"], more["path"]) == ("INVALID", ["role"])
    assert await everything(org) == before


async def test_a10_nobody_makes_a_token_with_more_than_they_have(as_: Callable[..., Api], org: Tenant, database: Database) -> None:
    """An admin none of an owner, whatever its scope, and none of a machine that is one; a narrowed token only what it has itself."""
    admin, secret = as_(org, Role.ADMIN), new_secret()
    owner, viewer = await member(org, Role.OWNER), await member(org, Role.VIEWER)
    of_owner = await add_token(org.owner, org.id, new_secret(), member_id=key_of(owner), role="VIEWER")
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
        (narrow, "tokenCreate", {"name": "X", "memberId": await member(org, Role.ADMIN)}),
    ]
    before = await everything(org)
    for api, mutation, given in tries:
        assert await forbidden(api, mutation, **given), (mutation, given)
    assert await everything(org) == before
    _, made_by_narrow = await made(narrow, name="Y", memberId=viewer)
    assert await rights(database, made_by_narrow) == ["CLIENTS_READ"]
    _, made_by_owner = await made(as_(org), name="Y", memberId=owner)
    assert await rights(database, made_by_owner) == sorted(ROLE_PERMISSIONS[Role.OWNER])


async def test_tokens_are_managed_by_whom_it_is_for(as_: Callable[..., Api], org: Tenant) -> None:
    """ORGANIZATION_WRITE; others neither change them nor see that there are any, by their id neither."""
    token, _ = await made(as_(org), **MACHINE)
    before = await everything(org)
    for role in (Role.FINANCE, Role.MEMBER, Role.VIEWER):
        assert await forbidden(as_(org, role), "tokenCreate", **MACHINE)
        assert await forbidden(as_(org, role), "tokenRevoke", id=token["id"])
        query = "query ($id: ID!) { viewer { organization { tokens { nodes { id } } } } node(id: $id) { id } }"
        assert await as_(org, role).data(query, id=token["id"]) == {"viewer": {"organization": {"tokens": None}}, "node": None}
    assert await everything(org) == before


async def test_another_organizations_token_is_not_found(as_: Callable[..., Api], org: Tenant) -> None:
    """Nor its member; the same as what never was, and nothing changes."""
    other = await tenant(org.owner, "Other")
    theirs, _ = await made(as_(other), **MACHINE)
    before = await everything(other), await everything(org)
    for key in (theirs["id"], global_id("ApiToken", new_id()), global_id("Member", new_id())):
        found = await refusal(as_(org), "tokenRevoke", id=key)
        assert (found["code"], found["path"], found["message"]) == (
            "NOT_FOUND",
            ["id"],
            "There is no such token. Look it up again: it may be gone.",
        )
    for key in (await member(other, Role.VIEWER), global_id("Member", new_id()), theirs["id"]):
        found = await refusal(as_(org), "tokenCreate", name="X", memberId=key)
        assert (found["code"], found["path"]) == ("NOT_FOUND", ["memberId"])
    assert (await everything(other), await everything(org)) == before


async def test_tokens_are_listed_the_newest_first(as_: Callable[..., Api], org: Tenant) -> None:
    """Page by page, with a total, each with its member."""
    for number in range(2):
        await made(as_(org), name=f"T{number}", role="VIEWER")
    query = """query ($first: Int, $after: String) { viewer { organization { tokens(first: $first, after: $after) {
      totalCount nodes { name member { role } } pageInfo { endCursor hasNextPage } } } } }"""
    page = (await as_(org, Role.ADMIN).data(query, first=2))["viewer"]["organization"]["tokens"]
    assert (page["totalCount"], page["nodes"]) == (7, [{"name": "T1", "member": None}, {"name": "T0", "member": None}])
    rest = (await as_(org, Role.ADMIN).data(query, after=page["pageInfo"]["endCursor"]))["viewer"]["organization"]["tokens"]
    assert [node["member"]["role"] for node in rest["nodes"]] == [role.value for role in reversed(Role)]
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_whoever_can_create_a_token_can_revoke_it(as_: Callable[..., Api], org: Tenant) -> None:
    """Of every role, of a machine and of every member, whole and narrowed: what an admin may not revoke, an admin cannot create."""
    admin, owner, created = as_(org, Role.ADMIN), as_(org), 0
    members: dict[Role | None, str | None] = {None: None, **{role: await member(org, role) for role in Role}}
    for of, key in members.items():
        for role in Role:
            for scope in (["CLIENTS_READ"], None):
                given: dict[str, object] = {
                    "name": "X",
                    "role": role,
                    **({"memberId": key} if key else {}),
                    **({"scope": scope} if scope else {}),
                }
                before = await everything(org)
                if await forbidden(admin, "tokenCreate", **given):
                    assert Role.OWNER in {of, role}, given
                    assert await everything(org) == before
                    continue
                body = await asked(admin, "tokenCreate", "token { id }", given)
                if body["data"]["done"]["token"] is None:  # more than the member's own role
                    assert await everything(org) == before
                    continue
                assert Role.OWNER not in {of, role}, given
                token = body["data"]["done"]["token"]["id"]
                assert (await change(admin, "tokenRevoke", TOKEN, id=token))["revokedAt"] is not None
                created += 1
    assert created == 4 * 2 + 2 * (4 + 3 + 2 + 1)
    assert (await made(owner, name="X", role="OWNER", scope=["CLIENTS_READ"]))[0]["role"] == "OWNER"


async def test_an_owner_with_a_narrow_token_manages_its_own_tokens(as_: Callable[..., Api], org: Tenant) -> None:
    """For oneself a token may always be made, of a role that the caller may manage; those of another owner stay untouched."""
    owner = key_of(await member(org, Role.OWNER))
    other = new_id()
    await org.owner.execute(
        "INSERT INTO relaties.member SELECT tenant_id, $2, created_at, updated_at, version, name, 'other@test.example', role, is_active "
        "FROM (SELECT tenant_id, created_at, updated_at, version, name, role, is_active FROM relaties.member WHERE id = $1) one",
        owner, other,
    )  # fmt: skip
    secret = new_secret()
    await add_token(org.owner, org.id, secret, member_id=owner, role="OWNER", scope=["ORGANIZATION_WRITE", "CLIENTS_READ"])
    narrow, before = Api(as_(org).http, secret), await everything(org)
    for given in (
        {"name": "X", "memberId": global_id("Member", owner), "scope": ["CLIENTS_READ"]},
        {"name": "X", "memberId": global_id("Member", other), "role": "VIEWER"},
        {"name": "X", "role": "OWNER", "scope": ["CLIENTS_READ"]},
    ):
        assert await forbidden(narrow, "tokenCreate", **given), given
    assert await everything(org) == before
    token, _ = await made(narrow, name="X", memberId=global_id("Member", owner), role="VIEWER")
    assert (await change(narrow, "tokenRevoke", TOKEN, id=token["id"]))["revokedAt"] is not None


async def test_who_created_a_token_is_recorded(as_: Callable[..., Api], org: Tenant) -> None:
    """On the token and in the trace; a machine is no member, and the trace has its token."""
    shown = "token { id createdBy { role } member { role } } secret"
    body = await asked(as_(org, Role.ADMIN), "tokenCreate", shown, {"name": "X", "memberId": await member(org, Role.FINANCE)})
    token = body["data"]["done"]["token"]
    assert {name: of["role"] for name, of in token.items() if name != "id"} == {"createdBy": "ADMIN", "member": "FINANCE"}
    listed = "{ viewer { organization { tokens { nodes { id createdBy { role } } } } } }"
    nodes = (await as_(org).data(listed))["viewer"]["organization"]["tokens"]["nodes"]
    assert next(node["createdBy"] for node in nodes if node["id"] == token["id"]) == {"role": "ADMIN"}
    assert [node["createdBy"] for node in nodes if node["id"] != token["id"]] == [None] * 5
    secret = new_secret()
    machine = await add_token(org.owner, org.id, secret, role="ADMIN")
    second = (await asked(Api(as_(org).http, secret), "tokenCreate", shown, dict(MACHINE)))["data"]["done"]["token"]
    assert (second["createdBy"], second["member"]) == (None, None)
    who = "SELECT member_id, token_id FROM relaties.audit_event WHERE tenant_id = $1 AND object_id = $2"
    events = [tuple(await org.owner.fetchrow(who, org.id, key_of(each["id"])) or ()) for each in (token, second)]
    assert (events[0][0], events[1]) == (key_of(await member(org, Role.ADMIN)), (None, machine))

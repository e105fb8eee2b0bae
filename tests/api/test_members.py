"""Test members: adding, changing and removing them, their permissions, and that an organization always keeps an active owner."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from domain.core.scope import Permission
from domain.organization.tokens import authenticate, new_secret
from tests.support.api import Api
from tests.support.builders import Tenant, add_token, create_tenant
from tests.support.ids import decode_key, global_id
from tests.support.members import MEMBER, member_arguments
from tests.support.mutations import dump_rows, fetch_audit_events, fetch_error, is_forbidden, mutate, run_mutation

JAN = {"name": "Jan van Dam", "email": "jan@vandam.example", "role": "FINANCE"}


async def revoked_by_secret(org: Tenant) -> list[bool]:
    """Return for each token of the organization whether it is revoked."""
    rows = await org.owner.fetch("SELECT revoked_at FROM relaties.api_token WHERE tenant_id = $1 ORDER BY id", org.id)
    return [row["revoked_at"] is not None for row in rows]


async def test_a_member_is_added_changed_and_removed(api_for: Callable[..., Api], org: Tenant) -> None:
    """Each change raises the version and is recorded. The events keep the name after the removal."""
    api = api_for(org, Role.ADMIN)
    member = await mutate(api, "memberAdd", MEMBER, **JAN)
    assert member == {"id": member["id"], **JAN, "isActive": True, "version": 1}
    arguments = {"name": "Jan", "email": "j@vandam.example", "role": "VIEWER"}
    changed = await mutate(api, "memberUpdate", MEMBER, id=member["id"], expectedVersion=1, **arguments)
    assert changed == {**member, **arguments, "version": 2}
    before = await dump_rows(org)
    assert await mutate(api, "memberUpdate", MEMBER, id=member["id"], expectedVersion=2, **arguments) == changed
    assert await dump_rows(org) == before
    removed = await mutate(api, "memberRemove", MEMBER, id=member["id"], expectedVersion=2)
    assert removed == {**changed, "isActive": False, "version": 3}
    assert [
        (operation, action, sorted(changes)) for operation, action, changes in await fetch_audit_events(org, decode_key(member["id"]))
    ] == [
        ("memberAdd", "CREATED", ["email", "is_active", "name", "role"]),
        ("memberUpdate", "CHANGED", ["email", "name", "role"]),
        ("memberRemove", "CHANGED", ["is_active"]),
    ]
    before = await dump_rows(org)
    assert await mutate(api, "memberRemove", MEMBER, id=member["id"], expectedVersion=3) == removed
    assert await dump_rows(org) == before


async def test_tokens_of_a_removed_member_are_revoked(api_for: Callable[..., Api], org: Tenant) -> None:
    """Tokens that were revoked before keep their time, and other members' tokens stay valid. Adding the member again restores none."""
    member = await member_arguments(org, Role.FINANCE)
    secret, older = new_secret(), new_secret()
    key = decode_key(member["id"])
    await add_token(org.owner, org.id, secret, member_id=key)
    token_key = await add_token(org.owner, org.id, older, member_id=key)
    await org.owner.execute("UPDATE relaties.api_token SET revoked_at = '2026-01-02Z' WHERE tenant_id = $1 AND id = $2", org.id, token_key)
    before = await revoked_by_secret(org)
    await mutate(api_for(org, Role.ADMIN), "memberRemove", MEMBER, **member)
    after = await revoked_by_secret(org)
    # One token for each of the five members and two more for this one, whose three tokens are all revoked afterwards.
    assert (before.count(True), after.count(True), len(after)) == (1, 3, 7)
    at = await org.owner.fetchval("SELECT revoked_at::text FROM relaties.api_token WHERE tenant_id = $1 AND id = $2", org.id, token_key)
    assert at.startswith("2026-01-02")
    back = await mutate(api_for(org, Role.ADMIN), "memberAdd", MEMBER, name="Terug", email="FINANCE@test.example", role="MEMBER")
    assert back == {
        "id": member["id"], "name": "Terug", "email": "FINANCE@test.example", "role": "MEMBER", "isActive": True, "version": 3
    }  # fmt: skip
    assert await revoked_by_secret(org) == after


async def test_email_address_is_unique(api_for: Callable[..., Api], org: Tenant) -> None:
    """Case is ignored, when adding and when updating. Of two concurrent additions one is rejected."""
    api, before = api_for(org), await dump_rows(org)
    taken_error = await fetch_error(api, "memberAdd", **{**JAN, "email": "Viewer@Test.example"})
    assert (taken_error["code"], taken_error["path"]) == ("NAME_TAKEN", ["email"])
    taken_error = await fetch_error(api, "memberUpdate", **await member_arguments(org, Role.MEMBER), email="VIEWER@test.example")
    assert (taken_error["code"], taken_error["path"]) == ("NAME_TAKEN", ["email"])
    assert await dump_rows(org) == before
    same = await mutate(api, "memberUpdate", MEMBER, **await member_arguments(org, Role.MEMBER), email="MEMBER@test.example")
    assert same["email"] == "MEMBER@test.example"
    both = await asyncio.gather(*(run_mutation(api, "memberAdd", "member { id }", {**JAN, "name": name}) for name in ("A", "B")))
    assert sorted(error["code"] for body in both for error in body["data"]["done"]["userErrors"]) == ["NAME_TAKEN"]


@pytest.mark.parametrize(
    ("arguments", "path"), [({"email": "nergens"}, "email"), ({"name": " "}, "name"), ({"name": "x" * 201}, "name")], ids=str
)
async def test_invalid_member_is_rejected(api_for: Callable[..., Api], org: Tenant, arguments: dict[str, object], path: str) -> None:
    """The error has the path of the invalid field, and nothing changes."""
    before = await dump_rows(org)
    for mutation, all_given in (
        ("memberAdd", {**JAN, **arguments}),
        ("memberUpdate", {**await member_arguments(org, Role.VIEWER), **arguments}),
    ):
        error = await fetch_error(api_for(org), mutation, **all_given)
        assert (error["code"], error["path"]) == ("INVALID", [path])
    assert await dump_rows(org) == before


async def test_last_active_owner_cannot_be_removed_deactivated_or_demoted(api_for: Callable[..., Api], org: Tenant) -> None:
    api, owner = api_for(org), await member_arguments(org, Role.OWNER)
    other = await mutate(api, "memberAdd", MEMBER, **{**JAN, "role": "OWNER"})
    resting = await mutate(api, "memberUpdate", MEMBER, id=other["id"], expectedVersion=1, isActive=False)
    assert (resting["isActive"], resting["role"]) == (False, "OWNER")
    before = await dump_rows(org)
    tries: list[tuple[str, dict[str, object], str]] = [
        ("memberRemove", {}, "id"),
        ("memberUpdate", {"isActive": False}, "isActive"),
        ("memberUpdate", {"role": "ADMIN", "name": "X"}, "role"),
    ]
    for mutation, arguments, path in tries:
        error = await fetch_error(api, mutation, **owner, **arguments)
        assert (error["code"], error["path"]) == ("LAST_OWNER", [path])
    assert await dump_rows(org) == before
    await mutate(api, "memberUpdate", MEMBER, id=other["id"], expectedVersion=2, isActive=True)
    assert (await mutate(api, "memberUpdate", MEMBER, **owner, role="ADMIN"))["role"] == "ADMIN"


@pytest.mark.parametrize("how", ["remove", "deactivate", "mixed"])
async def test_one_of_concurrently_removed_or_deactivated_owners_stays(api_for: Callable[..., Api], org: Tenant, how: str) -> None:
    api = api_for(org)
    owners = [await member_arguments(org, Role.OWNER)]
    for number in range(3):
        member = await mutate(api, "memberAdd", MEMBER, name=f"O{number}", email=f"o{number}@x.example", role="OWNER")
        owners.append({"id": member["id"], "expectedVersion": 1})

    async def leave(index: int, owner: dict[str, Any]) -> list[str]:
        is_removal = how == "remove" or (how == "mixed" and index % 2 == 0)
        mutation, more = ("memberRemove", {}) if is_removal else ("memberUpdate", {"isActive": False})
        body = await run_mutation(api, mutation, "member { isActive }", {**owner, **more})
        return [error["code"] for error in body["data"]["done"]["userErrors"]]

    errors = await asyncio.gather(*(leave(position, owner) for position, owner in enumerate(owners)))
    assert sorted(errors) == [[], [], [], ["LAST_OWNER"]]
    owner_count = await org.owner.fetchval(
        "SELECT count(*) FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER' AND is_active", org.id
    )
    assert owner_count == 1


async def test_a10_nobody_grants_more_permissions_than_they_have(api_for: Callable[..., Api], org: Tenant) -> None:
    """An admin cannot add, change, remove or restore an owner. A restricted token cannot grant a permission that it lacks."""
    admin, owner = api_for(org, Role.ADMIN), await member_arguments(org, Role.OWNER)
    former = await mutate(api_for(org), "memberAdd", MEMBER, **{**JAN, "role": "OWNER"})
    await mutate(api_for(org), "memberRemove", MEMBER, id=former["id"], expectedVersion=1)
    secret, key = new_secret(), await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'ADMIN'", org.id)
    await add_token(org.owner, org.id, secret, member_id=key, scope=["ORGANIZATION_WRITE", "CLIENTS_READ"])
    narrow = Api(admin.http, secret)
    tries: list[tuple[Api, str, dict[str, object]]] = [
        (admin, "memberAdd", {**JAN, "email": "nieuw@x.example", "role": "OWNER"}),
        (admin, "memberAdd", {**JAN, "role": "VIEWER"}),
        (admin, "memberUpdate", {**await member_arguments(org, Role.MEMBER), "role": "OWNER"}),
        (admin, "memberUpdate", {**await member_arguments(org, Role.ADMIN), "role": "OWNER"}),
        (admin, "memberUpdate", {**owner, "name": "X"}),
        (admin, "memberUpdate", {**owner, "role": "VIEWER"}),
        (admin, "memberUpdate", {**owner, "isActive": False}),
        (admin, "memberRemove", owner),
        (narrow, "memberAdd", {**JAN, "email": "nieuw@x.example", "role": "MEMBER"}),
        (narrow, "memberUpdate", {**await member_arguments(org, Role.VIEWER), "role": "FINANCE"}),
        (narrow, "memberUpdate", {**await member_arguments(org, Role.ADMIN), "email": "mijn@x.example"}),
    ]
    before = await dump_rows(org)
    for api, mutation, arguments in tries:
        assert await is_forbidden(api, mutation, **arguments), (mutation, arguments)
    assert await dump_rows(org) == before
    assert (await mutate(narrow, "memberAdd", MEMBER, **{**JAN, "email": "kijk@x.example", "role": "VIEWER"}))["role"] == "VIEWER"
    assert (await mutate(narrow, "memberRemove", MEMBER, **await member_arguments(org, Role.MEMBER)))["isActive"] is False


async def test_members_cannot_be_changed_without_permission(api_for: Callable[..., Api], org: Tenant) -> None:
    viewer, before = await member_arguments(org, Role.VIEWER), await dump_rows(org)
    for role in (Role.FINANCE, Role.MEMBER, Role.VIEWER):
        for mutation, arguments in (("memberAdd", JAN), ("memberUpdate", {**viewer, "name": "X"}), ("memberRemove", viewer)):
            assert await is_forbidden(api_for(org, role), mutation, **arguments)
    assert await dump_rows(org) == before


async def test_another_organizations_member_is_not_found(api_for: Callable[..., Api], org: Tenant) -> None:
    """The answer is the same for unknown ids. An outdated version is rejected with the current one. Nothing changes."""
    other = await create_tenant(org.owner, "Other")
    theirs, own = await member_arguments(other, Role.VIEWER), await member_arguments(org, Role.VIEWER)
    before = await dump_rows(other), await dump_rows(org)
    for mutation, arguments in (("memberUpdate", {"name": "X"}), ("memberRemove", {})):
        for key in (theirs["id"], global_id("Member", new_id()), global_id("Client", new_id())):
            error = await fetch_error(api_for(org), mutation, id=key, expectedVersion=1, **arguments)
            assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])
        error = await fetch_error(api_for(org), mutation, id=own["id"], expectedVersion=9, **arguments)
        assert (error["code"], error["currentVersion"]) == ("VERSION_CONFLICT", 1)
    assert (await dump_rows(other), await dump_rows(org)) == before


async def test_everybody_sees_active_and_removed_members(api_for: Callable[..., Api], org: Tenant) -> None:
    """They are paginated in the order of their creation."""
    await mutate(api_for(org), "memberRemove", MEMBER, **await member_arguments(org, Role.ADMIN))
    query = """query ($first: Int, $after: String) { viewer { organization { members(first: $first, after: $after) {
      totalCount nodes { role isActive } pageInfo { endCursor hasNextPage } } } } }"""
    page = (await api_for(org, Role.VIEWER).data(query, first=3))["viewer"]["organization"]["members"]
    rest = (await api_for(org, Role.VIEWER).data(query, after=page["pageInfo"]["endCursor"]))["viewer"]["organization"]["members"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (5, True, False)
    members = [(node["role"], node["isActive"]) for node in (*page["nodes"], *rest["nodes"])]
    assert members == [(role.value, role is not Role.ADMIN) for role in Role]


async def test_deactivated_member_signs_in_again_after_activation(api_for: Callable[..., Api], org: Tenant, database: Any) -> None:  # noqa: ANN401
    """Deactivation keeps the tokens."""
    secret, member = org.tokens[Role.MEMBER], await member_arguments(org, Role.MEMBER)
    await mutate(api_for(org), "memberUpdate", MEMBER, **member, isActive=False)
    assert await authenticate(database, secret) is None
    await mutate(api_for(org), "memberUpdate", MEMBER, id=member["id"], expectedVersion=2, isActive=True)
    actor = await authenticate(database, secret)
    assert actor is not None
    assert Permission.CLIENTS_WRITE in actor[0].permissions

"""Members: who they are, what they may, and that somebody always owns the organization."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from domain.core.scope import Permission
from domain.organization.tokens import authenticate, new_secret
from tests.ask import Api
from tests.builders import Tenant, add_token, tenant
from tests.changing import asked, change, everything, forbidden, refusal, traced
from tests.ids import global_id, key_of

MEMBER = "member { id name email role isActive version }"
JAN = {"name": "Jan van Dam", "email": "jan@vandam.example", "role": "FINANCE"}


async def known(org: Tenant, role: Role) -> dict[str, Any]:
    """The member of a role, as an argument names it."""
    found = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = $2 ORDER BY id LIMIT 1", org.id, role)
    return {"id": global_id("Member", found), "expectedVersion": 1}


async def secrets_of(org: Tenant) -> list[bool]:
    """Whether each token of the organization is revoked."""
    rows = await org.owner.fetch("SELECT revoked_at FROM relaties.api_token WHERE tenant_id = $1 ORDER BY id", org.id)
    return [row["revoked_at"] is not None for row in rows]


async def test_a_member_is_added_changed_and_removed(as_: Callable[..., Api], org: Tenant) -> None:
    """As it was filled in, one version on each time, and the trace tells of it; the name stays in it after the removal."""
    api = as_(org, Role.ADMIN)
    member = await change(api, "memberAdd", MEMBER, **JAN)
    assert member == {"id": member["id"], **JAN, "isActive": True, "version": 1}
    wanted = {"name": "Jan", "email": "j@vandam.example", "role": "VIEWER"}
    changed = await change(api, "memberUpdate", MEMBER, id=member["id"], expectedVersion=1, **wanted)
    assert changed == {**member, **wanted, "version": 2}
    before = await everything(org)
    assert await change(api, "memberUpdate", MEMBER, id=member["id"], expectedVersion=2, **wanted) == changed
    assert await everything(org) == before
    removed = await change(api, "memberRemove", MEMBER, id=member["id"], expectedVersion=2)
    assert removed == {**changed, "isActive": False, "version": 3}
    assert [(operation, action, sorted(changes)) for operation, action, changes in await traced(org, key_of(member["id"]))] == [
        ("memberAdd", "CREATED", ["email", "is_active", "name", "role"]),
        ("memberUpdate", "CHANGED", ["email", "name", "role"]),
        ("memberRemove", "CHANGED", ["is_active"]),
    ]
    before = await everything(org)
    assert await change(api, "memberRemove", MEMBER, id=member["id"], expectedVersion=3) == removed
    assert await everything(org) == before


async def test_a_removed_member_has_no_way_in(as_: Callable[..., Api], org: Tenant) -> None:
    """Every token is revoked, those that were revoked stay as they were, and others' are untouched; brought back, none works again."""
    member = await known(org, Role.FINANCE)
    secret, older = new_secret(), new_secret()
    key = key_of(member["id"])
    await add_token(org.owner, org.id, secret, member_id=key)
    gone = await add_token(org.owner, org.id, older, member_id=key)
    await org.owner.execute("UPDATE relaties.api_token SET revoked_at = '2026-01-02Z' WHERE tenant_id = $1 AND id = $2", org.id, gone)
    before = await secrets_of(org)
    await change(as_(org, Role.ADMIN), "memberRemove", MEMBER, **member)
    after = await secrets_of(org)
    assert (before.count(True), after.count(True), len(after)) == (1, 3, 7)
    at = await org.owner.fetchval("SELECT revoked_at::text FROM relaties.api_token WHERE tenant_id = $1 AND id = $2", org.id, gone)
    assert at.startswith("2026-01-02")
    back = await change(as_(org, Role.ADMIN), "memberAdd", MEMBER, name="Terug", email="FINANCE@test.example", role="MEMBER")
    assert back == {
        "id": member["id"], "name": "Terug", "email": "FINANCE@test.example", "role": "MEMBER", "isActive": True, "version": 3
    }  # fmt: skip
    assert await secrets_of(org) == after


async def test_an_address_is_used_once(as_: Callable[..., Api], org: Tenant) -> None:
    """Without regard to capitals, when adding and when changing; of two at once one is refused; nothing changes."""
    api, before = as_(org), await everything(org)
    taken = await refusal(api, "memberAdd", **{**JAN, "email": "Viewer@Test.example"})
    assert (taken["code"], taken["path"]) == ("NAME_TAKEN", ["email"])
    taken = await refusal(api, "memberUpdate", **await known(org, Role.MEMBER), email="VIEWER@test.example")
    assert (taken["code"], taken["path"]) == ("NAME_TAKEN", ["email"])
    assert await everything(org) == before
    same = await change(api, "memberUpdate", MEMBER, **await known(org, Role.MEMBER), email="MEMBER@test.example")
    assert same["email"] == "MEMBER@test.example"
    both = await asyncio.gather(*(asked(api, "memberAdd", "member { id }", {**JAN, "name": name}) for name in ("A", "B")))
    assert sorted(error["code"] for body in both for error in body["data"]["done"]["userErrors"]) == ["NAME_TAKEN"]


@pytest.mark.parametrize(
    ("given", "path"), [({"email": "nergens"}, "email"), ({"name": " "}, "name"), ({"name": "x" * 201}, "name")], ids=str
)
async def test_a_wrong_member_is_refused(as_: Callable[..., Api], org: Tenant, given: dict[str, object], path: str) -> None:
    """At the field that is wrong, and nothing changes."""
    before = await everything(org)
    for mutation, all_given in (("memberAdd", {**JAN, **given}), ("memberUpdate", {**await known(org, Role.VIEWER), **given})):
        found = await refusal(as_(org), mutation, **all_given)
        assert (found["code"], found["path"]) == ("INVALID", [path])
    assert await everything(org) == before


async def test_the_last_owner_stays(as_: Callable[..., Api], org: Tenant) -> None:
    """Neither removed, nor deactivated, nor given another role; another who cannot sign in is none; with another it is done."""
    api, owner = as_(org), await known(org, Role.OWNER)
    other = await change(api, "memberAdd", MEMBER, **{**JAN, "role": "OWNER"})
    resting = await change(api, "memberUpdate", MEMBER, id=other["id"], expectedVersion=1, isActive=False)
    assert (resting["isActive"], resting["role"]) == (False, "OWNER")
    before = await everything(org)
    tries: list[tuple[str, dict[str, object], str]] = [
        ("memberRemove", {}, "id"),
        ("memberUpdate", {"isActive": False}, "isActive"),
        ("memberUpdate", {"role": "ADMIN", "name": "X"}, "role"),
    ]
    for mutation, given, path in tries:
        found = await refusal(api, mutation, **owner, **given)
        assert (found["code"], found["path"]) == ("LAST_OWNER", [path])
    assert await everything(org) == before
    await change(api, "memberUpdate", MEMBER, id=other["id"], expectedVersion=2, isActive=True)
    assert (await change(api, "memberUpdate", MEMBER, **owner, role="ADMIN"))["role"] == "ADMIN"


@pytest.mark.parametrize("how", ["remove", "deactivate", "mixed"])
async def test_of_owners_who_leave_at_once_one_stays(as_: Callable[..., Api], org: Tenant, how: str) -> None:
    """Whatever way each goes."""
    api = as_(org)
    owners = [await known(org, Role.OWNER)]
    for number in range(3):
        made = await change(api, "memberAdd", MEMBER, name=f"O{number}", email=f"o{number}@x.example", role="OWNER")
        owners.append({"id": made["id"], "expectedVersion": 1})

    async def leave(place: int, owner: dict[str, Any]) -> list[str]:
        is_removal = how == "remove" or (how == "mixed" and place % 2 == 0)
        mutation, more = ("memberRemove", {}) if is_removal else ("memberUpdate", {"isActive": False})
        body = await asked(api, mutation, "member { isActive }", {**owner, **more})
        return [error["code"] for error in body["data"]["done"]["userErrors"]]

    refused = await asyncio.gather(*(leave(place, owner) for place, owner in enumerate(owners)))
    assert sorted(refused) == [[], [], [], ["LAST_OWNER"]]
    left = await org.owner.fetchval("SELECT count(*) FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER' AND is_active", org.id)
    assert left == 1


async def test_a10_nobody_gives_more_than_they_have(as_: Callable[..., Api], org: Tenant) -> None:
    """An admin neither makes nor changes nor removes an owner, and brings none back; a narrowed token gives no more than it has."""
    admin, owner = as_(org, Role.ADMIN), await known(org, Role.OWNER)
    former = await change(as_(org), "memberAdd", MEMBER, **{**JAN, "role": "OWNER"})
    await change(as_(org), "memberRemove", MEMBER, id=former["id"], expectedVersion=1)
    secret, key = new_secret(), await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'ADMIN'", org.id)
    await add_token(org.owner, org.id, secret, member_id=key, scope=["ORGANIZATION_WRITE", "CLIENTS_READ"])
    narrow = Api(admin.http, secret)
    tries: list[tuple[Api, str, dict[str, object]]] = [
        (admin, "memberAdd", {**JAN, "email": "nieuw@x.example", "role": "OWNER"}),
        (admin, "memberAdd", {**JAN, "role": "VIEWER"}),
        (admin, "memberUpdate", {**await known(org, Role.MEMBER), "role": "OWNER"}),
        (admin, "memberUpdate", {**await known(org, Role.ADMIN), "role": "OWNER"}),
        (admin, "memberUpdate", {**owner, "name": "X"}),
        (admin, "memberUpdate", {**owner, "role": "VIEWER"}),
        (admin, "memberUpdate", {**owner, "isActive": False}),
        (admin, "memberRemove", owner),
        (narrow, "memberAdd", {**JAN, "email": "nieuw@x.example", "role": "MEMBER"}),
        (narrow, "memberUpdate", {**await known(org, Role.VIEWER), "role": "FINANCE"}),
        (narrow, "memberUpdate", {**await known(org, Role.ADMIN), "email": "mijn@x.example"}),
    ]
    before = await everything(org)
    for api, mutation, given in tries:
        assert await forbidden(api, mutation, **given), (mutation, given)
    assert await everything(org) == before
    assert (await change(narrow, "memberAdd", MEMBER, **{**JAN, "email": "kijk@x.example", "role": "VIEWER"}))["role"] == "VIEWER"
    assert (await change(narrow, "memberRemove", MEMBER, **await known(org, Role.MEMBER)))["isActive"] is False


async def test_members_are_managed_by_whom_it_is_for(as_: Callable[..., Api], org: Tenant) -> None:
    """ORGANIZATION_WRITE; without it nothing changes."""
    viewer, before = await known(org, Role.VIEWER), await everything(org)
    for role in (Role.FINANCE, Role.MEMBER, Role.VIEWER):
        for mutation, given in (("memberAdd", JAN), ("memberUpdate", {**viewer, "name": "X"}), ("memberRemove", viewer)):
            assert await forbidden(as_(org, role), mutation, **given)
    assert await everything(org) == before


async def test_another_organizations_member_is_not_found(as_: Callable[..., Api], org: Tenant) -> None:
    """The same as nobody; another version than the one that was seen is refused with the one there is; nothing changes."""
    other = await tenant(org.owner, "Other")
    theirs, own = await known(other, Role.VIEWER), await known(org, Role.VIEWER)
    before = await everything(other), await everything(org)
    for mutation, given in (("memberUpdate", {"name": "X"}), ("memberRemove", {})):
        for key in (theirs["id"], global_id("Member", new_id()), global_id("Client", new_id())):
            found = await refusal(as_(org), mutation, id=key, expectedVersion=1, **given)
            assert (found["code"], found["path"]) == ("NOT_FOUND", ["id"])
        found = await refusal(as_(org), mutation, id=own["id"], expectedVersion=9, **given)
        assert (found["code"], found["currentVersion"]) == ("VERSION_CONFLICT", 1)
    assert (await everything(other), await everything(org)) == before


async def test_everybody_sees_who_the_members_are(as_: Callable[..., Api], org: Tenant) -> None:
    """In the order of their making, page by page, with a total; those who were removed too."""
    await change(as_(org), "memberRemove", MEMBER, **await known(org, Role.ADMIN))
    query = """query ($first: Int, $after: String) { viewer { organization { members(first: $first, after: $after) {
      totalCount nodes { role isActive } pageInfo { endCursor hasNextPage } } } } }"""
    page = (await as_(org, Role.VIEWER).data(query, first=3))["viewer"]["organization"]["members"]
    rest = (await as_(org, Role.VIEWER).data(query, after=page["pageInfo"]["endCursor"]))["viewer"]["organization"]["members"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (5, True, False)
    seen = [(node["role"], node["isActive"]) for node in (*page["nodes"], *rest["nodes"])]
    assert seen == [(role.value, role is not Role.ADMIN) for role in Role]


async def test_a_deactivated_member_signs_in_again_once_active(as_: Callable[..., Api], org: Tenant, database: Any) -> None:  # noqa: ANN401
    """The tokens are kept meanwhile."""
    secret, member = org.tokens[Role.MEMBER], await known(org, Role.MEMBER)
    await change(as_(org), "memberUpdate", MEMBER, **member, isActive=False)
    assert await authenticate(database, secret) is None
    await change(as_(org), "memberUpdate", MEMBER, id=member["id"], expectedVersion=2, isActive=True)
    found = await authenticate(database, secret)
    assert found is not None
    assert Permission.CLIENTS_WRITE in found[0].permissions

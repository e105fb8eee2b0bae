"""Test that the error about an outdated version has the object as it is now, for every mutation that expects a version."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
import strawberry
from graphql import GraphQLInputObjectType, get_named_type

from db.engine.database import Database
from db.tables import Role
from domain.core.scope import Permission
from domain.organization.tokens import new_secret
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, add_token
from tests.support.ids import global_id, type_of
from tests.support.mutation_inputs import MUTATIONS, SCHEMA, SHAPE_ONLY_WORLD, World, input_type, valid_input
from tests.support.mutations import mutate
from tests.support.snapshots import assert_unchanged

WRONG_VERSION = 99


def has_version(mutation: str) -> bool:
    kind: object = get_named_type(input_type(mutation))
    return isinstance(kind, GraphQLInputObjectType) and "expectedVersion" in kind.fields


VERSIONED = [name for name in MUTATIONS if has_version(name)]


def versioned_id(world: World, mutation: str) -> str:
    """Return the id of the object whose version the mutation expects."""
    values = valid_input(world, mutation)
    return str(values.get("id") or values.get("clientId") or world.ids["Organization"])


def versioned_type(world: World, mutation: str) -> str:
    """Return the type of the object whose version the mutation expects. A link has the ids of both its ends."""
    return "ClientContact" if {"clientId", "contactId"} <= valid_input(world, mutation).keys() else type_of(versioned_id(world, mutation))


def conflict_document(mutation: str, kind: str, directive: str = "") -> str:
    errors = f"... on {kind}VersionConflictError {{ currentVersion current {{ id version }} }}"
    return (
        f"mutation ($input: {input_type(mutation)}) {{ done: {mutation}(input: $input) {directive} "
        f"{{ userErrors {{ __typename code path {errors} }} }} }}"
    )


@pytest.mark.parametrize("name", VERSIONED)
async def test_outdated_version_is_rejected_with_the_current_object(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str
) -> None:
    """The type of the error is that of the object, so `current` needs no fragment. A link is shown by its client."""
    key, kind = versioned_id(own_world, name), versioned_type(own_world, name)
    document = conflict_document(name, kind)
    async with assert_unchanged(owner, own_world.id):
        data = await api_for(own_world.tenant).data(document, input={**valid_input(own_world, name), "expectedVersion": WRONG_VERSION})
    assert data["done"]["userErrors"] == [
        {
            "__typename": f"{kind}VersionConflictError",
            "code": "VERSION_CONFLICT",
            "path": ["expectedVersion"],
            "currentVersion": 1,
            "current": {"id": key, "version": 1},
        }
    ]


def test_every_type_of_conflict_is_covered() -> None:
    types = {f"{versioned_type(SHAPE_ONLY_WORLD, name)}VersionConflictError" for name in VERSIONED}
    interface: Any = SCHEMA.type_map["VersionConflictError"]
    assert types == {kind.name for kind in SCHEMA.get_possible_types(interface)}


async def test_current_object_is_null_after_its_deletion(api_for: Callable[..., Api], org: Tenant) -> None:
    """A repeated request returns the stored error, and reads the object again."""
    api, key = api_for(org), global_id("Contact", await org.add_contact("Jansen"))
    document = conflict_document("contactUpdate", "Contact", '@idempotent(key: "k")')
    outdated = {"id": key, "expectedVersion": WRONG_VERSION, "lastName": "X"}
    for current in ({"id": key, "version": 1}, None):
        (error,) = (await api.data(document, input=outdated))["done"]["userErrors"]
        assert (error["currentVersion"], error["current"]) == (1, current)
        if current:
            await mutate(api, "contactDelete", "deletedId", id=key, expectedVersion=1)


@pytest.mark.parametrize(
    ("name", "needed", "codes"), [("labelUpdate", Permission.CLIENTS_READ, ["FORBIDDEN"]), ("vatRateUpdate", Permission.FINANCE_READ, [])]
)
async def test_current_object_is_null_without_the_permission_to_read_it(
    database: Database, schema: strawberry.Schema, own_world: World, name: str, needed: Permission, codes: list[str]
) -> None:
    secret = new_secret()
    scope = [each for each in Permission if each is not needed]
    await add_token(own_world.tenant.owner, own_world.id, secret, role=Role.OWNER.value, scope=scope)
    document = conflict_document(name, type_of(versioned_id(own_world, name)))
    async with connect_client(schema, database) as http, assert_unchanged(own_world.tenant.owner, own_world.id):
        body = await Api(http, secret).execute(document, input={**valid_input(own_world, name), "expectedVersion": WRONG_VERSION})
    (error,) = body["data"]["done"]["userErrors"]
    assert (error["currentVersion"], error["current"]) == (1, None)
    assert [each["extensions"]["code"] for each in body.get("errors", ())] == codes

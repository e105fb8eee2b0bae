"""Test every role with every mutation: it succeeds if the role has all the permissions that it needs, and is forbidden otherwise."""

import re
from collections.abc import Callable, Iterator

import asyncpg
import pytest
from graphql import GraphQLInputObjectType

from db.tables import Role
from domain.core.scope import ROLE_PERMISSIONS, Permission
from tests.support.api import Api
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    MUTATIONS,
    SCHEMA,
    SHAPE_ONLY_WORLD,
    Value,
    World,
    create_world,
    input_type,
    iterate_locations,
    mutation_document,
    required_permissions,
    valid_input,
)
from tests.support.snapshots import assert_unchanged

TABLE = """
                     OWNER  ADMIN  FINANCE  MEMBER  VIEWER
CLIENTS_READ           x      x       x       x       x
CLIENTS_WRITE          x      x       x       x       -
REGISTRATIONS_WRITE    x      x       x       x       -
FINANCE_READ           x      x       x       -       -
FINANCE_WRITE          x      x       x       -       -
CLIENTS_ARCHIVE        x      x       -       -       -
CLIENTS_IMPORT         x      x       x       -       -
CLIENTS_EXPORT         x      x       x       -       -
ORGANIZATION_WRITE     x      x       -       -       -
OWNERS_WRITE           x      -       -       -       -
"""
ROLES, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
PERMISSIONS_BY_ROLE = {Role(role): {Permission(row[0]) for row in ROWS if row[1 + index] == "x"} for index, role in enumerate(ROLES)}
PART_PERMISSION, EXTRA_PERMISSION = re.compile(r"Requires `([A-Z_]+)`\."), re.compile(r"Also requires `([A-Z_]+)`\.")


def permissions_of_parts(name: str, input_value: Value) -> Iterator[Permission]:
    """Yield the permissions that the given fields of an input require, and those of a role that the input assigns."""
    for location in iterate_locations(input_type(name), input_value):
        owner = SCHEMA.type_map[location.owner]
        if isinstance(location.path[-1], str) and isinstance(owner, GraphQLInputObjectType):
            yield from map(Permission, PART_PERMISSION.findall(owner.fields[location.name].description or ""))
    yield from PERMISSIONS_BY_ROLE[Role(input_value["role"])] if "role" in input_value else ()


def permissions_for_input(name: str, input_value: Value) -> set[Permission]:
    """Return all the permissions that a mutation requires for an input. Of alternatives, the last one is sufficient for every object."""
    own = required_permissions(name)[-1]
    return {own, *map(Permission, EXTRA_PERMISSION.findall(MUTATIONS[name].description or "")), *permissions_of_parts(name, input_value)}


def is_allowed(name: str, alternative: int, role: Role) -> bool:
    return permissions_for_input(name, valid_input(SHAPE_ONLY_WORLD, name, alternative)) <= PERMISSIONS_BY_ROLE[role]


def is_forbidden(name: str, alternative: int, role: Role) -> bool:
    """Return whether the role lacks a permission. One of several alternatives may be sufficient only for one's own objects."""
    alternatives, permissions = {*required_permissions(name)}, PERMISSIONS_BY_ROLE[role]
    others = permissions_for_input(name, valid_input(SHAPE_ONLY_WORLD, name, alternative)) - alternatives
    return permissions.isdisjoint(alternatives) or not others <= permissions


CASES = [(name, alternative, role) for name, alternative in MUTATION_CASES for role in Role]


def test_permissions_of_roles_match_the_table() -> None:
    """Each mutation is tried both with a role that is allowed and with one that is not."""
    assert ROLE_PERMISSIONS == PERMISSIONS_BY_ROLE
    for is_case in (is_allowed, is_forbidden):
        assert {case[0] for case in CASES if is_case(*case)} == MUTATIONS.keys()


@pytest.mark.parametrize(("name", "alternative", "role"), [each for each in CASES if is_allowed(*each)])
async def test_role_with_all_permissions_succeeds(
    owner: asyncpg.Connection, api_for: Callable[..., Api], name: str, alternative: int, role: Role
) -> None:
    own_world = await create_world(owner)
    payload = (await api_for(own_world.tenant, role).data(mutation_document(name), input=valid_input(own_world, name, alternative)))[name]
    assert payload["userErrors"] == []


@pytest.mark.parametrize(("name", "alternative", "role"), [each for each in CASES if is_forbidden(*each)])
async def test_role_without_a_permission_is_forbidden(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int, role: Role
) -> None:
    """The error has no payload, and nothing changes."""
    async with assert_unchanged(owner, own_world.id):
        body = await api_for(own_world.tenant, role).execute(mutation_document(name), input=valid_input(own_world, name, alternative))
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({name: None}, ["FORBIDDEN"])

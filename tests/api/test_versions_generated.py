"""Test the versions of every mutation: which ones expect a version, what an outdated one does, and what increments a version.

The tests are generated from the schema (`tests/support/mutation_inputs.py`) and therefore include mutations that are added later.
"""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLInputObjectType, get_named_type

from resolvers.inputs import VERSION_DESCRIPTION
from tests.support.api import Api
from tests.support.mutation_inputs import MUTATION_CASES, MUTATIONS, World, create_world, input_type, mutation_document, valid_input
from tests.support.snapshots import ColumnChanges, Key, assert_unchanged, compare_snapshots, read_snapshot

WITHOUT_VERSION = {  # mutations of one object that expect no version, with the reason
    "clientDelete": "`previewToken` stands for the client and everything that is deleted with it",
    "jobCancel": "a job changes all the time, and cancelling it is right whatever it has done meanwhile",
    "tokenRevoke": "a token has no version: it cannot change otherwise",
}
LINK_TABLES = ("client_contact", "client_label")
BOOKKEEPING = {"version", "updated_at"}
CONFLICT = "... on UserError { ... on VersionConflictError { currentVersion } }"


def input_fields(mutation: str) -> dict[str, Any]:
    kind = get_named_type(input_type(mutation))
    assert isinstance(kind, GraphQLInputObjectType)
    return dict(kind.fields)


def identification(mutation: str) -> list[str]:
    """Return the fields that name the object that the mutation changes. The organization needs none."""
    names = input_fields(mutation)
    return ["id"] if "id" in names else [name for name in ("clientId", "contactId") if "contactId" in names]


VERSIONED = [name for name in MUTATIONS if "expectedVersion" in input_fields(name)]
VERSIONED_CASES = [(name, alternative) for name, alternative in MUTATION_CASES if name in VERSIONED]


@pytest.fixture(scope="module")
async def other_world(owner: asyncpg.Connection) -> World:
    return await create_world(owner, "Theirs")


def test_every_mutation_of_one_object_expects_a_version() -> None:
    """Creating a link changes nothing that was read. Lists of objects are only added to and removed from."""
    of_one = {name for name in MUTATIONS if identification(name)} - {"clientContactLink"} | {"organizationUpdate"}
    assert {*VERSIONED} == of_one - {*WITHOUT_VERSION}
    assert of_one > {*WITHOUT_VERSION}
    fields = [input_fields(name)["expectedVersion"] for name in VERSIONED]
    assert {(str(field.type), field.description) for field in fields} == {("Int!", VERSION_DESCRIPTION)}


async def run(api: Api, mutation: str, input: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the mutation and return its user errors."""
    query = mutation_document(mutation).replace("message path }", f"message path {CONFLICT} }}")
    errors: list[dict[str, Any]] = (await api.data(query, input=input))[mutation]["userErrors"]
    return errors


@pytest.mark.parametrize(("name", "alternative"), VERSIONED_CASES)
async def test_outdated_or_missing_version_is_rejected(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """The error has the current version (and the current object: `test_version_conflicts.py`). Without a version nothing runs."""
    api, input_values = api_for(own_world.tenant), valid_input(own_world, name, alternative)
    async with assert_unchanged(owner, own_world.id):
        for outdated in (0, 2):
            (error,) = await run(api, name, input_values | {"expectedVersion": outdated})
            assert "now has version 1. Read it again" in error.pop("message")
            assert error.pop("__typename").endswith("VersionConflictError")
            assert error == {"code": "VERSION_CONFLICT", "path": ["expectedVersion"], "currentVersion": 1}
        others = {field: value for field, value in input_values.items() if field != "expectedVersion"}
        for without in (others, others | {"expectedVersion": None}):
            body = await api.execute(mutation_document(name), input=without)
            assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(("name", "alternative"), [case for case in VERSIONED_CASES if identification(case[0])])
async def test_object_of_another_organization_is_not_found_at_any_version(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, other_world: World, name: str, alternative: int
) -> None:
    """Its version is never compared, so the answer does not tell which version it has."""
    input_values, theirs = valid_input(own_world, name, alternative), valid_input(other_world, name, alternative)
    async with assert_unchanged(owner, own_world.id, other_world.id):
        for field in identification(name):
            for version in (1, 9):
                errors = await run(api_for(own_world.tenant), name, input_values | {field: theirs[field], "expectedVersion": version})
                assert [(error["code"], error["path"]) for error in errors] == [("NOT_FOUND", [field])]


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_version_counts_the_changes_of_the_object_itself(
    owner: asyncpg.Connection, api_for: Callable[..., Api], name: str, alternative: int
) -> None:
    """The current version is accepted. A change of an object increments its version once; one of its labels or links does not.

    Each of them sets the client's `updatedAt`, so that `updatedSince` finds it.
    """
    own_world = await create_world(owner)
    before = await read_snapshot(owner, own_world.id)
    assert await run(api_for(own_world.tenant), name, valid_input(own_world, name, alternative)) == []
    after = await read_snapshot(owner, own_world.id)
    changes = compare_snapshots(before, after)
    for key, steps in changes.items():
        if key in before and key in after and "version" in after[key]:
            is_changed = steps.keys() - BOOKKEEPING or key in parents_of_parts(changes)
            assert steps.get("version") == ((1, 2) if is_changed else None), key
    clients = {("client", key[1]) for key in changes if key[0] in LINK_TABLES} & before.keys() & after.keys()
    assert all("updated_at" in changes[client] for client in clients)


def parents_of_parts(changes: dict[Key, ColumnChanges]) -> set[Key]:
    """Return the objects that have changed parts in other tables which their versions cover."""
    addresses = {("client", key[1]) for key in changes if key[0] == "client_address"}
    return addresses | {("registration", key[1]) for key in changes if key[0] == "registration_label"}

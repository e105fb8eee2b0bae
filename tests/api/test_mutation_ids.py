"""Test every id in the input of every mutation with ids that identify no object of the organization and its type.

The tests are generated from the schema (`tests/support/mutation_inputs.py`) and therefore include mutations that are added later.
"""

from collections.abc import Callable
from uuid import uuid4

import asyncpg
import pytest

from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.ids import global_id
from tests.support.literals import replace_literal
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    SHAPE_ONLY_WORLD,
    InputLocation,
    Value,
    World,
    create_world,
    input_type,
    mutation_document,
    replace_at,
    scalar_locations,
    type_of_id,
    valid_input,
)
from tests.support.snapshots import assert_unchanged

KEY = "AYcPNXmxeTOtA6jp4XV3Fw"
MALFORMED_IDS = [
    *("", "x", "Client", "Q2xpZW50Ong=", str(uuid4()), "é", KEY, f"xyz_{KEY}", f"cli_{KEY[:-1]}x", f"cli_{KEY}\n"),
    "=" * 100_000,
]
WRONG_IDS: list[Callable[[str], str]] = [
    lambda kind: global_id(kind, new_id()),
    lambda kind: f"no {kind} {new_id()}",
    lambda kind: global_id("Label" if kind == "Member" else "Member", new_id()),
]


@pytest.fixture(scope="module")
async def other_world(owner: asyncpg.Connection) -> World:
    return await create_world(owner, "Theirs")


def id_locations(name: str, input_values: Value) -> list[InputLocation]:
    return scalar_locations(input_type(name), input_values, "ID")


ID_CASES = [case for case in MUTATION_CASES if id_locations(case[0], valid_input(SHAPE_ONLY_WORLD, *case))]


@pytest.mark.parametrize(("name", "alternative"), ID_CASES)
async def test_t1_id_of_another_organization_is_not_found(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, other_world: World, name: str, alternative: int
) -> None:
    """The NOT_FOUND error is the same to the letter as for an id that does not exist."""
    input_values, api = valid_input(own_world, name, alternative), api_for(own_world.tenant)
    async with assert_unchanged(owner, own_world.id, other_world.id):
        for location in id_locations(name, input_values):
            kind = type_of_id(location.owner, location.name)
            wrong = "Member" if kind != "Member" else "Label"
            rejected_ids = (global_id(kind, new_id()), other_world.ids[kind], own_world.ids[wrong], other_world.ids[wrong])
            for_unknown_id, *others = [
                await api.execute(mutation_document(name), input=replace_at(input_values, location.path, key)) for key in rejected_ids
            ]
            assert "errors" not in for_unknown_id, (location.path, for_unknown_id)
            user_errors = for_unknown_id["data"][name]["userErrors"]
            assert [(each["code"], each["path"]) for each in user_errors] == [("NOT_FOUND", location.error_path)]
            assert others == [for_unknown_id] * 3, location.path


@pytest.mark.parametrize(("name", "alternative"), ID_CASES)
async def test_malformed_id_is_not_found(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """The NOT_FOUND error is the same to the letter as for an unknown id, in an input and in a literal.

    Every malformed id is tried as the first id of each input, and one as each of the others.
    """
    input_values, api = valid_input(own_world, name, alternative), api_for(own_world.tenant)
    async with assert_unchanged(owner, own_world.id):
        for index, location in enumerate(id_locations(name, input_values)):
            unknown = global_id(type_of_id(location.owner, location.name), new_id())
            expected = await api.execute(mutation_document(name), input=replace_at(input_values, location.path, unknown))
            assert [(each["code"], each["path"]) for each in expected["data"][name]["userErrors"]] == [("NOT_FOUND", location.error_path)]
            for malformed in MALFORMED_IDS[index * len(MALFORMED_IDS) :] or ["x"]:
                body = await api.execute(mutation_document(name), input=replace_at(input_values, location.path, malformed))
                assert body == expected, (location.path, malformed)
            as_literal = replace_literal(mutation_document(name, input=input_values), location.path, '"x"')
            assert await api.execute(as_literal) == expected, location.path


@pytest.mark.parametrize(("name", "alternative"), ID_CASES)
async def test_malformed_id_as_a_variable_of_its_own_is_not_found(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """The last id of each input is the variable, and then its default value."""
    input_values, api = valid_input(own_world, name, alternative), api_for(own_world.tenant)
    location = id_locations(name, input_values)[-1]
    document = replace_literal(mutation_document(name, input=input_values), location.path, "$id")
    async with assert_unchanged(owner, own_world.id):
        for head, variables in (("($id: ID!)", {"id": "x"}), ('($id: ID = "x")', {})):
            body = await api.execute(document.replace("mutation", f"mutation {head}", 1), **variables)
            assert [(each["code"], each["path"]) for each in body["data"][name]["userErrors"]] == [("NOT_FOUND", location.error_path)]


@pytest.mark.parametrize(("name", "alternative"), ID_CASES)
async def test_wrong_ids_are_reported_together_as_unknown_ids_are(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """All ids of the input are unknown, malformed or of another type. Each list has two of them."""
    input_values, api = valid_input(own_world, name, alternative), api_for(own_world.tenant)
    bodies = []
    async with assert_unchanged(owner, own_world.id):
        for make_wrong in WRONG_IDS:
            for location in id_locations(name, input_values):
                wrongs = [make_wrong(type_of_id(location.owner, location.name)) for _ in range(2)]
                *list_path, index = location.path
                is_entry = isinstance(index, int)
                input_values = replace_at(input_values, tuple(list_path) if is_entry else location.path, wrongs if is_entry else wrongs[0])
            bodies.append(await api.execute(mutation_document(name), input=input_values))
    assert "errors" not in bodies[0]
    assert bodies == bodies[:1] * len(WRONG_IDS)


@pytest.mark.parametrize(("name", "alternative"), ID_CASES)
async def test_wrong_ids_of_a_list_are_reported_in_its_order(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str, alternative: int
) -> None:
    """A repeated id is reported once, at its first place."""
    input_values, api = valid_input(own_world, name, alternative), api_for(own_world.tenant)
    async with assert_unchanged(owner, own_world.id):
        for location in id_locations(name, input_values):
            *list_path, index = location.path
            if isinstance(index, int):
                wrong = replace_at(input_values, tuple(list_path), ["b", "a", "b", "c"])
                user_errors = (await api.data(mutation_document(name), input=wrong))[name]["userErrors"]
                assert [(each["code"], each["path"]) for each in user_errors] == [
                    ("NOT_FOUND", [*map(str, list_path), str(place)]) for place in (0, 1, 3)
                ]

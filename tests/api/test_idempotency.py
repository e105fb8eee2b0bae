"""Test every mutation with a repeated idempotency key, given by the directive or by the request header.

The tests are generated from the schema (`tests/support/mutation_inputs.py`) and therefore include mutations that are added later.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from db.tables.keys import new_id
from server.documents.limits import exclusive_fields
from tests.support.api import Api
from tests.support.ids import global_id
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    MUTATIONS,
    SCHEMA,
    Value,
    World,
    create_world,
    input_type,
    max_text_length,
    mutation_document,
    payload_selection,
    replace_at,
    scalar_locations,
    valid_input,
)
from tests.support.snapshots import assert_unchanged, compare_snapshots, read_snapshot

NEVER_REJECTED = {"revenueRebuildStart"}  # its input is one choice, of which both values are valid


@pytest.fixture
async def changeable_world(owner: asyncpg.Connection) -> World:
    """Create test data that the test may change."""
    return await create_world(owner)


def change_one_value(name: str, input_value: dict[str, Value]) -> Value:
    """Return the same input with another valid value in one place."""
    for location in scalar_locations(input_type(name), input_value, "Int", "String", "ID"):
        return replace_at(
            input_value, location.path, {"Int": 2, "String": "Other", "ID": global_id("Client", new_id())}[location.type_name]
        )
    for location in scalar_locations(input_type(name), input_value, "Boolean"):
        return replace_at(input_value, location.path, not input_value[location.name])
    raise AssertionError(f"{name} has no number, text or id: add another input of it to tests/support/mutation_inputs.py.")


def drop_secret(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the response body with null for the secret, which is shown only once."""
    payload = body["data"][name]
    return {"data": {name: payload | {"secret": None} if "secret" in payload else payload}}


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
@pytest.mark.parametrize("is_header", [True, False], ids=["header", "directive"])
async def test_repeated_request_is_executed_once(
    owner: asyncpg.Connection, api_for: Callable[..., Api], changeable_world: World, name: str, alternative: int, is_header: bool
) -> None:
    """The second request changes nothing and gets the same response. The same key with another input is rejected."""
    input_values, api = valid_input(changeable_world, name, alternative), api_for(changeable_world.tenant)
    query, headers = (
        (mutation_document(name), {"idempotency-key": "k"}) if is_header else (mutation_document(name, '@idempotent(key: "k")'), {})
    )

    async def send(input: Value) -> dict[str, Any]:
        body: dict[str, Any] = (await api.post({"query": query, "variables": {"input": input}}, **headers)).json()
        return body

    before = await read_snapshot(owner, changeable_world.id)
    first = await send(input_values)
    assert "errors" not in first, first
    user_errors = first["data"][name]["userErrors"]
    assert user_errors == [], (
        f"The input of {name} that is generated from its types is rejected: "
        "add the values that it needs to EXTRA_VALUES of tests/support/mutation_inputs.py."
    )
    expected_tables = {"outbox_event", "idempotency_key", "deletion_record" if name == "clientDelete" else "audit_event"}
    assert {key[0] for key in compare_snapshots(before, await read_snapshot(owner, changeable_world.id))} > expected_tables
    async with assert_unchanged(owner, changeable_world.id):
        assert await send(input_values) == drop_secret(first, name)
        reused = (await send(change_one_value(name, input_values)))["data"][name]["userErrors"]
        assert [(each["code"], each["path"]) for each in reused] == [("IDEMPOTENCY_KEY_REUSED", [])]


@pytest.mark.parametrize("name", [name for name in MUTATIONS if name not in NEVER_REJECTED])
async def test_repeated_rejected_request_returns_the_same_error(
    owner: asyncpg.Connection, api_for: Callable[..., Api], changeable_world: World, name: str
) -> None:
    """The error is stored with all its fields, and nothing else is stored."""
    input_values = valid_input(changeable_world, name)
    if not (locations := scalar_locations(input_type(name), input_values, "String", "ID")):
        raise AssertionError(f"{name} has no text and no id: add a value that it rejects to tests/support/mutation_inputs.py.")
    wrong = "x" * (max_text_length(locations[0]) + 1) if locations[0].type_name == "String" else global_id("Client", new_id())
    before = await read_snapshot(owner, changeable_world.id)
    request_body = {
        "query": mutation_document(name, '@idempotent(key: "k")'),
        "variables": {"input": replace_at(input_values, locations[0].path, wrong)},
    }
    first, second = [(await api_for(changeable_world.tenant).post(request_body)).json() for _ in range(2)]
    assert first == second
    assert first["data"][name]["userErrors"]
    assert [key[0] for key in compare_snapshots(before, await read_snapshot(owner, changeable_world.id))] == ["idempotency_key"]


async def test_malformed_id_is_stored_as_any_user_error(
    owner: asyncpg.Connection, api_for: Callable[..., Api], changeable_world: World
) -> None:
    """The same text gets the stored error. Another text, or a valid id, is another input."""
    api, query = api_for(changeable_world.tenant), mutation_document("labelDelete", '@idempotent(key: "k")')
    valid = valid_input(changeable_world, "labelDelete")
    first = await api.data(query, input={**valid, "id": "x"})
    assert [(each["code"], each["path"]) for each in first["labelDelete"]["userErrors"]] == [("NOT_FOUND", ["id"])]
    async with assert_unchanged(owner, changeable_world.id):
        assert await api.data(query, input={**valid, "id": "x"}) == first
        for other in ({**valid, "id": "y"}, valid):
            reused = (await api.data(query, input=other))["labelDelete"]["userErrors"]
            assert [(each["code"], each["path"]) for each in reused] == [("IDEMPOTENCY_KEY_REUSED", [])]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_idempotency_header_is_for_one_mutation(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, name: str
) -> None:
    """With two mutations, directly or in a fragment, the header is ambiguous and neither runs. An exclusive mutation allows no second."""
    field_arguments = f"(input: $input) {payload_selection(name)}"
    head = f"mutation ($input: {input_type(name)})"
    fragment = f"fragment F on Mutation {{ a: {name}{field_arguments} b: {name}{field_arguments} }}"
    async with assert_unchanged(owner, own_world.id):
        for query in (f"{head} {{ a: {name}{field_arguments} b: {name}{field_arguments} }}", f"{head} {{ ...F }} {fragment}"):
            request_body = {"query": query, "variables": {"input": valid_input(own_world, name)}}
            body = (await api_for(own_world.tenant).post(request_body, **{"idempotency-key": "k"})).json()
            outcome = body.get("data"), {error["extensions"]["code"] for error in body["errors"]}
            assert outcome == (
                (None, {"ONE_AT_A_TIME"}) if name in exclusive_fields(SCHEMA) else ({"a": None, "b": None}, {"BAD_USER_INPUT"})
            )


async def test_key_can_be_a_variable_and_stand_anywhere_on_its_field(
    owner: asyncpg.Connection, api_for: Callable[..., Api], changeable_world: World
) -> None:
    """GraphQL merges equal fields into one, so the key counts on either occurrence."""
    head, field = "mutation ($key: String!, $input: LabelCreateInput!)", "labelCreate(input: $input)"
    query = f"{head} {{ {field} {{ userErrors {{ code }} }} {field} @idempotent(key: $key) {{ label {{ id }} }} }}"
    first = await api_for(changeable_world.tenant).data(query, key="k", input={"name": "Once"})
    async with assert_unchanged(owner, changeable_world.id):
        assert await api_for(changeable_world.tenant).data(query, key="k", input={"name": "Once"}) == first
    assert first["labelCreate"]["label"]["id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\tb", "\x7f"])
async def test_key_must_be_short_and_printable(owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, key: str) -> None:
    async with assert_unchanged(owner, own_world.id):
        body = await api_for(own_world.tenant).data(
            mutation_document("labelCreate", f"@idempotent(key: {json.dumps(key)})"), input=valid_input(own_world, "labelCreate")
        )
    assert [each["code"] for each in body["labelCreate"]["userErrors"]] == ["INVALID"]


async def test_key_expires_after_a_day(owner: asyncpg.Connection, api_for: Callable[..., Api], changeable_world: World) -> None:
    """It does not expire after 23 hours. The next use of an expired key also deletes other expired keys."""
    api, query = api_for(changeable_world.tenant), mutation_document("labelCreate", '@idempotent(key: "k")')
    for key in ("k", "other"):
        data = await api.data(query.replace('"k"', f'"{key}"'), input={"name": f"Made with {key}"})
        assert data["labelCreate"]["userErrors"] == []
    age = "UPDATE relaties.idempotency_key SET created_at = now() - $2::interval WHERE tenant_id = $1"
    for hours, expected_codes in ((23, ["IDEMPOTENCY_KEY_REUSED"]), (25, list[str]())):
        await owner.execute(age, changeable_world.id, timedelta(hours=hours))
        errors = (await api.data(query, input={"name": "Another"}))["labelCreate"]["userErrors"]
        assert [each["code"] for each in errors] == expected_codes
    assert [
        row["key"] for row in await owner.fetch("SELECT key FROM relaties.idempotency_key WHERE tenant_id = $1", changeable_world.id)
    ] == ["k"]

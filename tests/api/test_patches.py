"""Test what an update leaves, clears and changes: every field of every update, with its version and its audit event.

The tests are generated from the schema (`tests/support/mutation_inputs.py`) and therefore include fields that are added later.
"""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLObjectType,
    get_named_type,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_snake

from db.tables.keys import INVISIBLE
from tests.support.api import Api
from tests.support.mutation_inputs import (
    MUTATIONS,
    VALUES_BY_FIELD,
    InputLocation,
    Value,
    create_world,
    input_type,
    is_one_of,
    mutation_document,
)
from tests.support.snapshots import ColumnChanges, Key, assert_unchanged
from tests.support.update_cases import (
    PATCHES,
    UPDATES,
    UpdateCase,
    is_object_or_list,
    may_be_null,
    stored_value,
    value_at,
)

AUDIT_TABLES = ("audit_event", "outbox_event")
INTERNAL = re.compile(r"Maybe|Strawberry|0x|None|object")
FOLLOWING = {"name_key", "number_key", "updated_at"}  # columns that change with others


TOGETHER = {  # fields that depend on others; test_settings.py, test_projects.py or test_registrations.py tests them
    *(("projectUpdate", "startsOn"), ("vatRateUpdate", "category"), ("vatRateUpdate", "validFrom")),
    *(("invoiceLayoutUpdate", "isDefault"), ("organizationUpdate", "defaultLayoutId")),
    *(("registrationUpdate", "work", "time", name) for name in ("minutes", "startedAt", "endedAt", "rate")),
    ("registrationUpdate", "labelIds"),
}
VALUES = [(name, location) for name, location in PATCHES if not is_object_or_list(location)]
PARTS = [(name, location) for name, location in PATCHES if is_object_or_list(location)]


def describe_location(value: object) -> str:
    """Return the path of a location, for the test id."""
    return ".".join(value.error_path) if isinstance(value, InputLocation) else str(value)


@pytest.fixture
async def update_case(owner: asyncpg.Connection, api_for: Callable[..., Api], request: pytest.FixtureRequest) -> UpdateCase:
    """Create test data and an update case for the mutation of the test, and apply its first values."""
    own_world = await create_world(owner)
    case = UpdateCase(owner, api_for(own_world.tenant), own_world, request.getfixturevalue("name"))
    await case.apply_change(case.first_values)
    return case


def are_equal_values(one: object, other: object) -> bool:
    """Compare by number if possible: amounts are numbers in a row and texts in the audit log."""
    try:
        return one == other or (None not in {one, other} and Decimal(str(one)) == Decimal(str(other)))
    except (ArithmeticError, TypeError):
        return False


def assert_changed(updating: UpdateCase, changes: dict[Key, ColumnChanges], column: str, now: Callable[[object], bool]) -> None:
    """Check that one column of one row changed, with one new version and time, one audit event and one outbox event."""
    assert sorted(key[0] for key in changes if key[0] in AUDIT_TABLES) == [*AUDIT_TABLES]
    events = {key[0]: {name: step[1] for name, step in changes.pop(key).items()} for key in [*changes] if key[0] in AUDIT_TABLES}
    was, version = changes[updating.root].pop("version")
    assert version == was + 1
    assert "updated_at" in changes[updating.updated]
    ((key, steps),) = [(key, steps) for key, steps in ((key, drop_columns(steps, FOLLOWING)) for key, steps in changes.items()) if steps]
    assert [*steps] == [column]
    before, after = steps[column]
    assert now(after)
    ((recorded_column, (recorded_before, recorded_after)),) = events["audit_event"]["changes"].items()
    assert recorded_column == column
    assert are_equal_values(recorded_before, before)
    assert are_equal_values(recorded_after, after)
    assert [events[table]["action"] for table in AUDIT_TABLES] == ["CHANGED"] * 2
    assert to_snake(events["audit_event"]["object_type"]) == key[0]
    assert events["audit_event"]["object_id"] == events["outbox_event"]["object_id"] == key[-1]
    assert events["audit_event"]["operation"] == updating.mutation


def drop_columns(steps: ColumnChanges, names: set[str]) -> ColumnChanges:
    return {name: step for name, step in steps.items() if name not in names}


def test_cases_cover_known_updates() -> None:
    """Without cases the generated tests would check nothing."""
    assert len(UPDATES) >= 4
    assert {(name, *location.path) for name, location in VALUES} >= {
        ("clientUpdate", "financial", "iban"),
        ("clientContactUpdate", "link", "roles"),
    }
    assert {(name, *location.path) for name, location in PARTS} >= {("clientUpdate", "addresses"), ("clientUpdate", "financial")}


@pytest.mark.parametrize("name", UPDATES)
async def test_update_without_fields_changes_nothing(update_case: UpdateCase, name: str) -> None:
    """An update with empty parts has no effect either: no new version and no event."""
    parts = [
        location
        for mutation, location in PARTS
        if mutation == name and isinstance(location.kind, GraphQLInputObjectType) and not is_one_of(location.kind)
    ]
    for change in (update_case.required_input(), *(update_case.build_patch((location, {})) for location in parts)):
        assert await update_case.apply_change(change) == {}


@pytest.mark.parametrize("name", UPDATES)
async def test_update_with_all_current_values_changes_nothing(update_case: UpdateCase, name: str) -> None:
    mine = [location for mutation, location in VALUES if mutation == name]
    assert (
        await update_case.apply_change(
            update_case.build_patch(*((location, value_at(update_case.first_values, location)) for location in mine))
        )
        == {}
    )


def test_excluded_fields_exist() -> None:
    """A renamed field in `TOGETHER` would otherwise go unnoticed."""
    assert {(name, *location.path) for name, location in VALUES} > TOGETHER


@pytest.mark.parametrize(("name", "location"), [each for each in VALUES if (each[0], *each[1].path) not in TOGETHER], ids=describe_location)
async def test_i9_a_field_is_kept_changed_and_cleared(update_case: UpdateCase, name: str, location: InputLocation) -> None:
    """Its current value changes nothing, and another value is stored. Null or blank text clears it, or is rejected if it is required."""
    assert name == update_case.mutation
    column, first, second = (
        to_snake(location.name),
        value_at(update_case.first_values, location),
        value_at(update_case.second_values, location),
    )
    assert await update_case.apply_change(update_case.build_patch((location, first))) == {}
    if location.type_name != "ID":
        assert_changed(
            update_case,
            await update_case.apply_change(update_case.build_patch((location, second))),
            column,
            lambda now: are_equal_values(now, stored_value(location, second)),
        )
        assert_changed(
            update_case,
            await update_case.apply_change(update_case.build_patch((location, first))),
            column,
            lambda now: are_equal_values(now, stored_value(location, first)),
        )
    for empty in (None, "", " \t\n", "\u200b") if location.type_name == "String" else (None,):
        if may_be_null(location):
            assert_changed(
                update_case,
                await update_case.apply_change(update_case.build_patch((location, empty))),
                column,
                lambda now: now in [None, []],
            )
            assert await update_case.apply_change(update_case.build_patch((location, empty))) == {}
            await update_case.apply_change(update_case.build_patch((location, first)))
        else:
            await assert_rejected(update_case, location, empty)


@pytest.mark.parametrize(("name", "location"), PARTS, ids=describe_location)
async def test_null_clears_a_part_only_if_it_is_a_list(update_case: UpdateCase, name: str, location: InputLocation) -> None:
    """Null has the effect of an empty list. For an object it is rejected, with a message that users understand."""
    if isinstance(location.kind, GraphQLList):
        assert {key[0] for key in await update_case.apply_change(update_case.build_patch((location, None)))} > {
            "audit_event",
            "outbox_event",
            update_case.root[0],
        }
        assert await update_case.apply_change(update_case.build_patch((location, []))) == {}
    else:
        async with assert_unchanged(update_case.owner, update_case.world.id):
            patch = update_case.build_patch((location, None))
            is_choice = location.path[:-1] == ("work",)  # graphql-core checks `@oneOf`, in a literal before anything runs
            path = {"path": ["input", *location.path]} if is_choice else {}
            codes = ["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED" if is_choice else "BAD_USER_INPUT"]
            bodies = [await update_case.send(patch), await update_case.api.execute(mutation_document(name, input=patch))]
            for body, code in zip(bodies, codes, strict=True):
                (error,) = body["errors"]
                assert error["extensions"] == {"code": code} | path
                assert not INTERNAL.search(error["message"])


async def assert_rejected(updating: UpdateCase, location: InputLocation, empty: Value) -> None:
    """Check that the empty value is rejected at its path and that nothing changes."""
    async with assert_unchanged(updating.owner, updating.world.id):
        body = await updating.send(updating.build_patch((location, empty)))
    assert body["data"][updating.mutation]["userErrors"] == [{"code": "INVALID", "path": location.error_path}]


async def test_identical_parts_of_a_client_change_nothing(owner: asyncpg.Connection, api_for: Callable[..., Api]) -> None:
    """Addresses and labels may be sent in another order. Removing one changes one row of its table."""
    own_world = await create_world(owner)
    updating = UpdateCase(owner, api_for(own_world.tenant), own_world, "clientUpdate")
    addresses = [{"type": kind, "city": "Delft"} for kind in ("PRIMARY", "INVOICE")]
    labels = [{"id": own_world.ids[key]} for key in ("Label", "LabelOfClient")]
    input_value = updating.required_input() | {"addresses": addresses, "labelsAdd": labels}
    assert await updating.apply_change(input_value) != {}
    assert await updating.apply_change(input_value | {"addresses": addresses[::-1], "labelsAdd": labels[::-1] + labels}) == {}

    removals = {
        "client_address": {"addresses": addresses[:1]},
        "client_label": {"labelsRemove": [own_world.ids["LabelOfClient"]] * 2},
        "client_contact": {"contactsRemove": [own_world.ids["ContactOfClient"]] * 2},
    }
    for table, removal in removals.items():
        changes = await updating.apply_change(updating.required_input() | removal)
        assert sorted(key[0] for key in changes) == sorted(["audit_event", "client", table, "outbox_event"])
        assert changes[updating.root].keys() == ({"version", "updated_at"} if table == "client_address" else {"updated_at"})
        assert await updating.apply_change(updating.required_input() | removal) == {}


PIECES = ["👩‍👩‍👧‍👦", "👍🏽", "🇳🇱", "שלום", "مرحبا", "e\u0301", "u\u0308\u0304", "क्षि", "한", "𠮷", "ﬁ", "Å", "ẛ̣", "a b", "‎א‎", "%_\\'\"<b>"]
VISIBLE = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp"]).filter(lambda sign: not INVISIBLE.match(sign))
TEXTS = st.lists(st.sampled_from(PIECES) | VISIBLE, min_size=1, max_size=6).map("".join)
PLAIN_TEXTS = [(name, location) for name, location in VALUES if location.type_name == "String" and location.name not in VALUES_BY_FIELD]


def selection_path(mutation: str, name: str) -> tuple[str, ...]:
    """Return the shortest path to a field of this name in the payload of a mutation."""
    ahead: list[tuple[tuple[str, ...], Any]] = [((), get_named_type(MUTATIONS[mutation].type))]
    while ahead:
        path, kind = ahead.pop(0)
        for each, field in kind.fields.items() if isinstance(kind, GraphQLObjectType) else ():
            if each == name:
                return (*path, each)
            if each != "query" and len(path) < 4:
                ahead.append(((*path, each), get_named_type(field.type)))
    raise AssertionError(f"{mutation} takes `{name}`, and its payload does not show it.")


def values_at(answer: Any, path: tuple[str, ...]) -> list[Any]:  # noqa: ANN401 JSON
    """Return the values of an answer at a path, in each entry of the lists on the way."""
    if isinstance(answer, list):
        return [value for each in answer for value in values_at(each, path)]
    return values_at(answer[path[0]], path[1:]) if path else [answer]


@pytest.mark.parametrize("name", sorted({name for name, _ in PLAIN_TEXTS}))
@settings(max_examples=15)
@given(text=TEXTS)
async def test_i3_i7_text_is_returned_as_sent(update_case: UpdateCase, name: str, text: str) -> None:
    """Every field without a rule of its own accepts joined emoji, right-to-left text and combining marks, and stores them as NFC."""
    mine = [location for mutation, location in PLAIN_TEXTS if mutation == name]
    change = update_case.build_patch(*((location, text) for location in mine))
    version = (await update_case.snapshot_rows())[update_case.root]["version"]
    selection = ""
    for path in {selection_path(name, location.name) for location in mine}:
        inner = path[-1]
        for step in reversed(path[:-1]):
            inner = f"{step} {{ {inner} }}"
        selection += f" {inner}"
    query = f"mutation ($input: {input_type(name)}) {{ {name}(input: $input) {{ userErrors {{ code path message }} {selection} }} }}"
    payload = (await update_case.api.data(query, input=change | {"expectedVersion": version}))[name]
    assert payload["userErrors"] == [], (
        "Add values for a text with a rule of its own to VALUES_BY_FIELD of tests/support/mutation_inputs.py."
    )
    for location in mine:
        assert unicodedata.normalize("NFC", text).strip() in values_at(payload, selection_path(name, location.name))

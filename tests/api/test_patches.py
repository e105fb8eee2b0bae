"""What an update leaves alone, clears and changes: every field of every update there is, with the version and the trace that it leaves.

Made from the schema itself (`tests/inputs.py`), so that what is added later joins by itself.
"""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_args

import asyncpg
import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    is_leaf_type,
    is_required_input_field,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_snake
from strawberry.types.base import StrawberryMaybe, StrawberryOptional

from db.tables.keys import INVISIBLE
from tests.ask import Api
from tests.ids import key_of, kind_of
from tests.inputs import (
    ANYWHERE,
    CORE,
    FIELD_SETS,
    MUTATIONS,
    WORDS,
    Filling,
    Place,
    Value,
    World,
    document,
    input_type,
    is_one_of,
    kept,
    places,
    right,
    world,
)
from tests.snapshots import Key, Rows, Steps, differences, snapshot, unchanged

UPDATES = [name for name in MUTATIONS if name.endswith("Update")]
NAMES = {"id", "clientId", "contactId", "expectedVersion"}  # say what is changed, and are no change
LEFT = ("audit_event", "outbox_event")
INTERNAL = re.compile(r"Maybe|Strawberry|0x|None|object")
FOLLOWING = {"name_key", "number_key", "updated_at"}  # columns that go with others


def field_of(place: Place) -> Any:  # noqa: ANN401 graphql-core's
    kind = CORE.type_map[place.owner]
    assert isinstance(kind, GraphQLInputObjectType)
    return kind.fields[place.name]


def filled(mutation: str, of: World, *, is_second: bool = False) -> dict[str, Value]:
    """Everything that the update takes, filled in."""
    second: dict[str, Value] = Filling(of.ids, is_second).of(input_type(mutation))
    return second | {name: value for name, value in right(of, mutation).items() if name in NAMES or not is_second}


def patches(mutation: str) -> list[Place]:
    """The fields that may be left out, without a value to stand for them then; those of a list's entries belong to the list."""
    found = places(input_type(mutation), filled(mutation, ANYWHERE))
    own = [place for place in found if all(isinstance(step, str) for step in place.path)]
    return [place for place in own if not isinstance(field_of(place).type, GraphQLNonNull) and field_of(place).default_value is Undefined]


def is_part(place: Place) -> bool:
    """Objects and lists of objects; a list of words is a value."""
    return not is_leaf_type(get_named_type(place.kind))


def may_be_null(place: Place) -> bool:
    """As the field set has it; where none has, as the input."""
    fields = FIELD_SETS[place.owner].model_fields if place.owner in FIELD_SETS else {}
    if own := fields.get(to_snake(place.name)):
        return type(None) in get_args(own.annotation)
    kind = (field_of(place).extensions or {})["strawberry-definition"].type
    if (place.owner, place.name) in NEVER_EMPTY:
        return False
    return isinstance(kind, StrawberryMaybe) and isinstance(kind.of_type, StrawberryOptional)


TOGETHER = {  # with others, by a rule that has a test of its own in test_settings.py, test_projects.py or test_registrations.py
    *(("projectUpdate", "startsOn"), ("vatRateUpdate", "category"), ("vatRateUpdate", "validFrom")),
    *(("invoiceLayoutUpdate", "isDefault"), ("organizationUpdate", "defaultLayoutId")),
    *(("registrationUpdate", "work", "time", name) for name in ("minutes", "startedAt", "endedAt", "rate")),
    ("registrationUpdate", "labelIds"),
}
NEVER_EMPTY = {("RegistrationUpdateInput", "clientId"), ("RegistrationUpdateInput", "memberId")}  # links that are always there
PATCHES = [(name, place) for name in UPDATES for place in patches(name)]
VALUES = [(name, place) for name, place in PATCHES if not is_part(place)]
PARTS = [(name, place) for name, place in PATCHES if is_part(place)]


def told(value: object) -> str:
    """A place, as the name of a test."""
    return ".".join(value.shown_path) if isinstance(value, Place) else str(value)


def value_at(given: Value, place: Place) -> Value:
    for step in place.path:
        given = given[step]
    return given


def root(mutation: str, of: World) -> Key:
    """The row whose version counts the changes."""
    given = right(of, mutation)
    id_ = given.get("id") or given.get("clientId") or of.ids["Organization"]
    return to_snake(kind_of(id_)), str(key_of(id_))


class Updating:
    """An object with everything filled in, to be changed in one field at a time."""

    def __init__(self, owner: asyncpg.Connection, api: Api, of: World, mutation: str) -> None:
        self.owner = owner
        self.api = api
        self.world = of
        self.mutation = mutation
        self.first, self.second = filled(mutation, of), filled(mutation, of, is_second=True)
        self.root = root(mutation, of)

    async def rows(self) -> Rows:
        return await snapshot(self.owner, self.world.id)

    async def sent(self, given: Value) -> dict[str, Any]:
        """With the version that there is."""
        version = (await self.rows())[self.root]["version"]
        query = f"mutation ($input: {input_type(self.mutation)}) {{ {self.mutation}(input: $input) {{ userErrors {{ code path }} }} }}"
        return await self.api.ask(query, input=given | ({"expectedVersion": version} if "expectedVersion" in given else {}))

    async def change(self, given: Value) -> dict[Key, Steps]:
        """What a change that is not refused changes, its trace included."""
        before = await self.rows()
        body = await self.sent(given)
        assert body == {"data": {self.mutation: {"userErrors": []}}}
        return differences(before, await self.rows())

    def bare(self) -> Value:
        """What there must be, and no change."""
        kind = get_named_type(input_type(self.mutation))
        assert isinstance(kind, GraphQLInputObjectType)
        needed = [name for name, field in kind.fields.items() if name in NAMES or is_required_input_field(field)]
        return {name: self.first[name] if name in NAMES else {} for name in needed}

    def patch(self, *values: tuple[Place, Value]) -> Value:
        """A change of these fields and no others."""
        given = self.bare()
        for place, value in values:
            holder = given
            for step in place.path[:-1]:
                holder = holder.setdefault(step, {})
            holder[place.path[-1]] = value
        return given


@pytest.fixture
async def updating(owner: asyncpg.Connection, as_: Callable[..., Api], request: pytest.FixtureRequest) -> Updating:
    """Of the test's mutation."""
    made = await world(owner)
    found = Updating(owner, as_(made.tenant), made, request.getfixturevalue("name"))
    await found.change(found.first)
    return found


def same(one: object, other: object) -> bool:
    """Amounts are numbers in a row and texts in the trace."""
    try:
        return one == other or (None not in {one, other} and Decimal(str(one)) == Decimal(str(other)))
    except (ArithmeticError, TypeError):
        return False


def assert_changed(updating: Updating, found: dict[Key, Steps], column: str, now: Callable[[object], bool]) -> None:
    """Exactly one column of one row; one version more; one audit row with that change, and one row for others to be told."""
    assert sorted(key[0] for key in found if key[0] in LEFT) == [*LEFT]
    trace = {key[0]: {name: step[1] for name, step in found.pop(key).items()} for key in [*found] if key[0] in LEFT}
    was, version = found[updating.root].pop("version")
    assert version == was + 1
    assert "updated_at" in found[updating.root]
    ((key, steps),) = [(key, steps) for key, steps in ((key, _without(steps, FOLLOWING)) for key, steps in found.items()) if steps]
    assert [*steps] == [column]
    before, after = steps[column]
    assert now(after)
    ((told_column, (told_before, told_after)),) = trace["audit_event"]["changes"].items()
    assert told_column == column
    assert same(told_before, before)
    assert same(told_after, after)
    assert [trace[table]["action"] for table in LEFT] == ["CHANGED"] * 2
    assert to_snake(trace["audit_event"]["object_type"]) == key[0]
    assert trace["audit_event"]["object_id"] == trace["outbox_event"]["object_id"] == key[-1]
    assert trace["audit_event"]["operation"] == updating.mutation


def _without(steps: Steps, names: set[str]) -> Steps:
    return {name: step for name, step in steps.items() if name not in names}


def test_the_patches_are_made_of_something() -> None:
    """A schema without updates would let everything through."""
    assert len(UPDATES) >= 4
    assert {(name, *place.path) for name, place in VALUES} >= {
        ("clientUpdate", "financial", "iban"),
        ("clientContactUpdate", "link", "roles"),
    }
    assert {(name, *place.path) for name, place in PARTS} >= {("clientUpdate", "labels"), ("clientUpdate", "financial")}


@pytest.mark.parametrize("name", UPDATES)
async def test_what_is_left_out_stays(updating: Updating, name: str) -> None:
    """Without any change there is no new version and no trace; without any but empty parts neither."""
    parts = [place for of, place in PARTS if of == name and isinstance(place.kind, GraphQLInputObjectType) and not is_one_of(place.kind)]
    for change in (updating.bare(), *(updating.patch((place, {})) for place in parts)):
        assert await updating.change(change) == {}


@pytest.mark.parametrize("name", UPDATES)
async def test_all_values_as_they_are_are_no_change(updating: Updating, name: str) -> None:
    """Together, in one request."""
    mine = [place for of, place in VALUES if of == name]
    assert await updating.change(updating.patch(*((place, value_at(updating.first, place)) for place in mine))) == {}


def test_what_hangs_together_is_there() -> None:
    """Nothing is left out by a name that is no more."""
    assert {(name, *place.path) for name, place in VALUES} > TOGETHER


@pytest.mark.parametrize(("name", "place"), [each for each in VALUES if (each[0], *each[1].path) not in TOGETHER], ids=told)
async def test_i9_a_field_is_kept_changed_and_cleared(updating: Updating, name: str, place: Place) -> None:
    """As it is: nothing. Another value: that one. Null, or a text of blanks: cleared if it may be, and refused at its place if not."""
    assert name == updating.mutation
    column, first, second = to_snake(place.name), value_at(updating.first, place), value_at(updating.second, place)
    assert await updating.change(updating.patch((place, first))) == {}
    if place.of != "ID":
        assert_changed(updating, await updating.change(updating.patch((place, second))), column, lambda now: same(now, kept(place, second)))
        assert_changed(updating, await updating.change(updating.patch((place, first))), column, lambda now: same(now, kept(place, first)))
    for empty in (None, "", " \t\n", "\u200b") if place.of == "String" else (None,):
        if may_be_null(place):
            assert_changed(updating, await updating.change(updating.patch((place, empty))), column, lambda now: now in [None, []])
            assert await updating.change(updating.patch((place, empty))) == {}
            await updating.change(updating.patch((place, first)))
        else:
            await assert_refused(updating, place, empty)


@pytest.mark.parametrize(("name", "place"), PARTS, ids=told)
async def test_a_part_is_cleared_by_null_if_it_is_a_list(updating: Updating, name: str, place: Place) -> None:
    """As by an empty one. Anything else is left out to stay: null is refused, in words for users."""
    if isinstance(place.kind, GraphQLList):
        assert {key[0] for key in await updating.change(updating.patch((place, None)))} > {"audit_event", "outbox_event", updating.root[0]}
        assert await updating.change(updating.patch((place, []))) == {}
    else:
        async with unchanged(updating.owner, updating.world.id):
            given = updating.patch((place, None))
            for body in (await updating.sent(given), await updating.api.ask(document(name, input=given))):
                (error,) = body["errors"]
                assert error["extensions"] == {"code": "BAD_USER_INPUT"}
                assert not INTERNAL.search(error["message"])


async def assert_refused(updating: Updating, place: Place, empty: Value) -> None:
    """Where it lies, and nothing is changed."""
    async with unchanged(updating.owner, updating.world.id):
        body = await updating.sent(updating.patch((place, empty)))
    assert body["data"][updating.mutation]["userErrors"] == [{"code": "INVALID", "path": place.shown_path}]


async def test_the_parts_of_a_client_as_they_are_are_no_change(owner: asyncpg.Connection, as_: Callable[..., Api]) -> None:
    """Addresses, labels in any order, contacts with what they are to it, the primary one too; and one taken off is a change of one row."""
    made = await world(owner)
    updating = Updating(owner, as_(made.tenant), made, "clientUpdate")
    addresses = [{"type": kind, "city": "Delft"} for kind in ("PRIMARY", "INVOICE")]
    labels = [{"id": made.ids[key]} for key in ("Label", "LabelOfClient")]
    primary = {"isPrimary": True, "isInvoiceContact": True, "department": "Legal", "roles": ["QUOTE", "INVOICE"], "recipient": "CC"}
    contacts = [{"contact": {"id": made.ids["Contact"]}, "link": primary}, {"contact": {"id": made.ids["ContactOfClient"]}}]
    given = updating.bare() | {"addresses": addresses, "labels": labels, "contacts": contacts}
    assert await updating.change(given) != {}
    assert await updating.change(given | {"addresses": addresses[::-1], "labels": labels[::-1] + labels}) == {}

    for part, table in (("addresses", "client_address"), ("labels", "client_label"), ("contacts", "client_contact")):
        found = await updating.change(updating.bare() | {part: given[part][:1]})
        assert sorted(key[0] for key in found) == sorted(["audit_event", "client", table, "outbox_event"])
        assert found[updating.root].keys() == {"version", "updated_at"}
    without = await updating.change(
        updating.bare() | {"contacts": [{"contact": {"id": made.ids["Contact"]}, "link": primary | {"isPrimary": False}}]}
    )
    (link,) = [steps for key, steps in without.items() if key[0] == "client_contact"]
    assert link == {"is_primary": (True, False)}
    assert without[updating.root].keys() == {"version", "updated_at"}


PIECES = ["👩‍👩‍👧‍👦", "👍🏽", "🇳🇱", "שלום", "مرحبا", "e\u0301", "u\u0308\u0304", "क्षि", "한", "𠮷", "ﬁ", "Å", "ẛ̣", "a b", "‎א‎", "%_\\'\"<b>"]
VISIBLE = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp"]).filter(lambda sign: not INVISIBLE.match(sign))
TEXTS = st.lists(st.sampled_from(PIECES) | VISIBLE, min_size=1, max_size=6).map("".join)
PLAIN = [(name, place) for name, place in VALUES if place.of == "String" and place.name not in WORDS]


def way(mutation: str, name: str) -> tuple[str, ...]:
    """How to ask the payload of a mutation for a field of this name, the shortest."""
    ahead: list[tuple[tuple[str, ...], Any]] = [((), get_named_type(MUTATIONS[mutation].type))]
    while ahead:
        path, kind = ahead.pop(0)
        for each, field in kind.fields.items() if isinstance(kind, GraphQLObjectType) else ():
            if each == name:
                return (*path, each)
            if each != "query" and len(path) < 4:
                ahead.append(((*path, each), get_named_type(field.type)))
    raise AssertionError(f"{mutation} takes `{name}`, and its payload does not show it.")


def shown_at(answer: Any, path: tuple[str, ...]) -> list[Any]:  # noqa: ANN401 JSON
    """What an answer has at a path, in each entry of the lists on the way."""
    if isinstance(answer, list):
        return [found for each in answer for found in shown_at(each, path)]
    return shown_at(answer[path[0]], path[1:]) if path else [answer]


@pytest.mark.parametrize("name", sorted({name for name, _ in PLAIN}))
@settings(max_examples=15)
@given(text=TEXTS)
async def test_i3_i7_a_text_comes_back_as_it_was_written(updating: Updating, name: str, text: str) -> None:
    """In every field that has no rule of its own: emoji with joiners, writing from right to left, marks that combine. Composed, as NFC."""
    mine = [place for of, place in PLAIN if of == name]
    change = updating.patch(*((place, text) for place in mine))
    version = (await updating.rows())[updating.root]["version"]
    asked = ""
    for path in {way(name, place.name) for place in mine}:
        inner = path[-1]
        for step in reversed(path[:-1]):
            inner = f"{step} {{ {inner} }}"
        asked += f" {inner}"
    query = f"mutation ($input: {input_type(name)}) {{ {name}(input: $input) {{ userErrors {{ code path message }} {asked} }} }}"
    payload = (await updating.api.data(query, input=change | {"expectedVersion": version}))[name]
    assert payload["userErrors"] == [], "A text with a rule of its own has its values in WORDS of tests/inputs.py."
    for place in mine:
        assert unicodedata.normalize("NFC", text).strip() in shown_at(payload, way(name, place.name))

"""Update objects that have every field filled in, one field at a time."""

from typing import Any, get_args

import asyncpg
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    get_named_type,
    is_leaf_type,
    is_required_input_field,
)
from pydantic.alias_generators import to_snake
from strawberry.types.base import StrawberryMaybe, StrawberryOptional

from tests.support.api import Api
from tests.support.ids import decode_key, type_of
from tests.support.mutation_inputs import (
    FIELD_SETS,
    MUTATIONS,
    SCHEMA,
    SHAPE_ONLY_WORLD,
    InputFiller,
    InputLocation,
    Value,
    World,
    input_type,
    iterate_locations,
    valid_input,
)
from tests.support.snapshots import ColumnChanges, Key, Rows, compare_snapshots, read_snapshot

UPDATES = [name for name in MUTATIONS if name.endswith("Update")]
NAMES = {"id", "clientId", "contactId", "expectedVersion"}  # these name the object and are no change themselves


def field_at(location: InputLocation) -> Any:  # noqa: ANN401 graphql-core's
    kind = SCHEMA.type_map[location.owner]
    assert isinstance(kind, GraphQLInputObjectType)
    return kind.fields[location.name]


def fill_input(mutation: str, world: World, *, is_second: bool = False) -> dict[str, Value]:
    """Return an input of the update with every field filled in, by the first or second value of each field."""
    second: dict[str, Value] = InputFiller(world.ids, is_second).fill(input_type(mutation))
    return second | {name: value for name, value in valid_input(world, mutation).items() if name in NAMES or not is_second}


def patchable_locations(mutation: str) -> list[InputLocation]:
    """Return the fields that stay unchanged if they are omitted. Fields inside a list belong to the list."""
    locations = iterate_locations(input_type(mutation), fill_input(mutation, SHAPE_ONLY_WORLD))
    own = [location for location in locations if all(isinstance(step, str) for step in location.path)]
    return [location for location in own if isinstance(strawberry_type_at(location), StrawberryMaybe)]


def strawberry_type_at(location: InputLocation) -> Any:  # noqa: ANN401 Strawberry's
    return (field_at(location).extensions or {})["strawberry-definition"].type


def is_object_or_list(location: InputLocation) -> bool:
    """Return whether the field holds objects. A list of scalars counts as a value."""
    return not is_leaf_type(get_named_type(location.kind))


def may_be_null(location: InputLocation) -> bool:
    """Return whether the field accepts null, according to its field set or else its input type."""
    fields = FIELD_SETS[location.owner].model_fields if location.owner in FIELD_SETS else {}
    if own := fields.get(to_snake(location.name)):
        return type(None) in get_args(own.annotation)
    kind = strawberry_type_at(location)
    if (location.owner, location.name) in NEVER_EMPTY:
        return False
    return isinstance(kind, StrawberryMaybe) and isinstance(kind.of_type, StrawberryOptional)


NEVER_EMPTY = {("RegistrationUpdateInput", "clientId"), ("RegistrationUpdateInput", "memberId")}  # links that always exist
PATCHES = [(name, location) for name in UPDATES for location in patchable_locations(name)]


def value_at(value: Value, location: InputLocation) -> Value:
    for step in location.path:
        value = value[step]
    return value


def root_key(mutation: str, world: World) -> Key:
    """Return the key of the row whose version counts the changes: an object, or the link between a contact and a client."""
    input_value = valid_input(world, mutation)
    if "contactId" in input_value:
        return "client_contact", str(decode_key(input_value["clientId"])), str(decode_key(input_value["contactId"]))
    id_ = input_value.get("id") or world.ids["Organization"]
    return to_snake(type_of(id_)), str(decode_key(id_))


class UpdateCase:
    """An object with every field filled in, to be changed one field at a time."""

    def __init__(self, owner: asyncpg.Connection, api: Api, world: World, mutation: str) -> None:
        self.owner = owner
        self.api = api
        self.world = world
        self.mutation = mutation
        self.first_values, self.second_values = fill_input(mutation, world), fill_input(mutation, world, is_second=True)
        self.root = root_key(mutation, world)
        self.updated = ("client", self.root[1]) if self.root[0] == "client_contact" else self.root  # the row whose `updated_at` follows

    async def snapshot_rows(self) -> Rows:
        return await read_snapshot(self.owner, self.world.id)

    async def send(self, input_value: Value) -> dict[str, Any]:
        """Send the input with the current version and return the response body."""
        version = (await self.snapshot_rows())[self.root]["version"]
        query = f"mutation ($input: {input_type(self.mutation)}) {{ {self.mutation}(input: $input) {{ userErrors {{ code path }} }} }}"
        return await self.api.execute(query, input=input_value | {"expectedVersion": version})

    async def apply_change(self, input_value: Value) -> dict[Key, ColumnChanges]:
        """Apply a change that must succeed, and return the changed rows, including audit and outbox rows."""
        before = await self.snapshot_rows()
        body = await self.send(input_value)
        assert body == {"data": {self.mutation: {"userErrors": []}}}
        return compare_snapshots(before, await self.snapshot_rows())

    def required_input(self) -> Value:
        """Return the required fields without any change."""
        kind = get_named_type(input_type(self.mutation))
        assert isinstance(kind, GraphQLInputObjectType)
        required_names = [name for name, field in kind.fields.items() if name in NAMES or is_required_input_field(field)]
        return {name: self.first_values[name] if name in NAMES else {} for name in required_names}

    def build_patch(self, *values: tuple[InputLocation, Value]) -> Value:
        """Return an input that changes only these fields."""
        input_value = self.required_input()
        for location, value in values:
            holder = input_value
            for step in location.path[:-1]:
                holder = holder.setdefault(step, {})
            holder[location.path[-1]] = value
        return input_value


def stored_value(location: InputLocation, value: Value) -> Value:
    """Return the value as stored. The database may store another word for an enum value."""
    kind = get_named_type(location.kind)
    if not isinstance(kind, GraphQLEnumType) or value is None:
        return value
    return [stored_value(location, each) for each in value] if isinstance(value, list) else kind.parse_value(value).value

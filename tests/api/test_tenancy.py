"""Test that no organization sees data of another one: for every type, every field that takes an id, and every cursor.

The tests are generated from the schema and therefore include fields that are added later.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import asyncpg
import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
)

from db.engine.database import Database
from db.tables import Role
from schema.build import build
from tests.support.api import UNLIMITED, Api, connect_client
from tests.support.builders import Tenant, create_tenant
from tests.support.ids import type_of

CORE = build()._schema  # noqa: SLF001
CURSORS = ("after", "before")
MAX_DEPTH = 7
OTHER_TENANT_TEXTS = re.compile(r"Client 0|Person 0|Label \d|test\.example")
Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


def full_selection(kind: GraphQLOutputType, depth: int = MAX_DEPTH, above: frozenset[str] = frozenset()) -> str:
    """Return a selection of all fields without required arguments, down to a depth. A type within itself is not selected again."""
    named_type = get_named_type(kind)
    if is_leaf_type(named_type):
        return ""
    if isinstance(named_type, GraphQLObjectType):
        return "{ __typename " + " ".join(field_selections(named_type, depth, above | {named_type.name})) + " }"
    kinds = [f"... on {each.name} {full_selection(each, depth, above)}" for each in CORE.get_possible_types(named_type)]  # type: ignore[arg-type]
    return "{ __typename " + " ".join(kinds) + " }"


def field_selections(kind: GraphQLObjectType, depth: int, above: frozenset[str]) -> Iterator[str]:
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        is_askable = not any(is_required_argument(argument) for argument in field.args.values())
        if is_askable and below.name not in above and (depth > 1 or is_leaf_type(below)):
            is_again = kind.name.endswith("Edge") and name == "node"  # `nodes` selects the same objects with all their fields
            yield f"{kind.name}_{name}: {name} {full_selection(field.type, 1 if is_again else depth - 1, above)}"


@pytest.fixture(scope="module")
async def unlimited_api(database: Database) -> AsyncIterator[Callable[[Tenant], Api]]:
    """Yield API clients without document limits, because one query selects everything."""
    async with connect_client(build(), database, UNLIMITED) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])


@dataclass(frozen=True)
class ArgumentField:
    """Field with an argument to try, and its path from the root."""

    path: tuple[str, ...]
    field: GraphQLField
    argument: str

    def query(self) -> str:
        """Return a query that passes the variable `value` as the argument."""
        kind = self.field.args[self.argument].type
        inner = f"{self.path[-1]}({self.argument}: $value) {full_selection(self.field.type, 2)}"
        for step in reversed(self.path[:-1]):
            inner = f"{step} {{ {inner} }}"
        return f"query ($value: {kind}) {{ {inner} }}"


def argument_fields(is_wanted: Callable[[str, GraphQLInputType], bool]) -> list[ArgumentField]:
    """Return each field with a wanted argument that can be reached from the root without required arguments."""
    fields: list[ArgumentField] = []
    seen_types: set[object] = set()
    ahead: list[tuple[tuple[str, ...], object]] = [((), CORE.query_type)]
    while ahead:
        path, kind = ahead.pop(0)
        for name, field in kind.fields.items() if isinstance(kind, GraphQLObjectType) else ():
            fields += [ArgumentField((*path, name), field, arg) for arg, has in field.args.items() if is_wanted(arg, has.type)]
            below = get_named_type(field.type)
            if below not in seen_types and not any(is_required_argument(argument) for argument in field.args.values()):
                seen_types.add(below)
                ahead.append(((*path, name), below))
    return fields


def holds_id(kind: GraphQLInputType) -> bool:
    """Return whether the type is an id, a list of ids, or an input that contains one."""
    named_type = get_named_type(kind)
    if isinstance(named_type, GraphQLInputObjectType):
        return any(holds_id(field.type) for field in named_type.fields.values())
    return named_type.name == "ID"


ID_FIELDS = argument_fields(lambda _, kind: holds_id(kind))
CURSOR_FIELDS = argument_fields(lambda name, _: name in CURSORS)


def collect_texts(answer: object, keys: tuple[str, ...]) -> set[str]:
    """Return every text under one of the keys, at any depth. Aliases end in the field's name."""
    if isinstance(answer, list):
        return {text for each in answer for text in collect_texts(each, keys)}
    if not isinstance(answer, dict):
        return set()
    own = {text for key, text in answer.items() if isinstance(text, str) and key.rpartition("_")[2] in keys}
    return own | {text for each in answer.values() for text in collect_texts(each, keys)}


@pytest.fixture(scope="module")
async def stranger(owner: asyncpg.Connection) -> Tenant:
    org = await create_tenant(owner, "Stranger")
    client = await org.add_client("Mine")
    await org.add_contact("Mine", client)
    await org.add_label("Mine", client)
    await org.add_registration(client, await org.add_project(client, "Mine"))
    await owner.execute("UPDATE relaties.member SET email = 'x@' || id, name = 'X' WHERE tenant_id = $1", org.id)
    return org


@pytest.fixture(scope="module")
async def other_data(unlimited_api: Callable[[Tenant], Api], sample_org: Tenant) -> dict[str, object]:
    """Return everything that the other organization sees of itself."""
    answers = {}
    for name, field in CORE.query_type.fields.items() if CORE.query_type else ():
        if not any(is_required_argument(argument) for argument in field.args.values()):
            answers[name] = await unlimited_api(sample_org).data(f"{{ {name} {full_selection(field.type)} }}")
    return answers


def test_cases_cover_known_ids_and_cursors() -> None:
    """Without cases the generated tests would check nothing."""
    assert {(field.path[-1], field.argument) for field in ID_FIELDS} >= {("node", "id")}
    assert {(field.path[-1], field.argument) for field in CURSOR_FIELDS} >= {("clients", "after"), ("contacts", "after")}


async def test_t1_another_organization_sees_nothing(
    unlimited_api: Callable[[Tenant], Api], other_data: dict[str, object], stranger: Tenant
) -> None:
    """All fields of every type are read: none shows an id or a name of the other organization. The stranger's own client is found."""
    ids = collect_texts(other_data, ("id",))
    assert len(ids) > 100
    assert OTHER_TENANT_TEXTS.search(json.dumps(other_data))
    for name in other_data:
        field = CORE.query_type.fields[name]  # type: ignore[union-attr]
        answer = json.dumps(await unlimited_api(stranger).data(f"{{ {name} {full_selection(field.type)} }}"))
        assert not OTHER_TENANT_TEXTS.search(answer)
        assert not [key for key in ids if key in answer]
    assert "Mine" in json.dumps(await unlimited_api(stranger).data("{ clients { nodes { name } } }"))


def id_values(kind: GraphQLInputType, key: str) -> Iterator[object]:
    """Yield every way to pass an id in an argument: as it is, in a list, or in a field of an input."""
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        yield from ([id_value] for id_value in id_values(bare.of_type, key))
    elif isinstance(bare, GraphQLInputObjectType):
        yield from ({name: id_value} for name, field in bare.fields.items() for id_value in id_values(field.type, key))
    elif bare.name == "ID":
        yield key


@pytest.mark.parametrize("target", ID_FIELDS, ids=lambda target: ".".join(target.path))
async def test_t1_id_of_another_organization_is_not_found(
    unlimited_api: Callable[[Tenant], Api], other_data: dict[str, object], sample_org: Tenant, stranger: Tenant, target: ArgumentField
) -> None:
    """Ids of every type are tried in every position. The same query finds something for their own organization."""
    ids, found_count = sorted(collect_texts(other_data, ("id",))), 0
    by_type: dict[str, list[str]] = {}
    for key in ids:
        by_type.setdefault(type_of(key), []).append(key)
    assert len(by_type) >= 5
    for key in (key for keys in by_type.values() for key in keys[:10]):
        for value in id_values(target.field.args[target.argument].type, key):
            found_count += bool(OTHER_TENANT_TEXTS.search(json.dumps(await unlimited_api(sample_org).execute(target.query(), value=value))))
            answer = json.dumps((await unlimited_api(stranger).execute(target.query(), value=value)).get("data"))
            assert not OTHER_TENANT_TEXTS.search(answer)
            assert not [other for other in ids if other in answer]
    assert found_count > 0


@pytest.mark.parametrize("target", CURSOR_FIELDS, ids=lambda target: ".".join((*target.path, target.argument)))
async def test_t3_cursor_of_another_organization_is_rejected(
    unlimited_api: Callable[[Tenant], Api], other_data: dict[str, object], stranger: Tenant, target: ArgumentField
) -> None:
    """The error is `BAD_USER_INPUT`, without data."""
    cursors = collect_texts(other_data, ("cursor", "startCursor", "endCursor"))
    assert len(cursors) > 60
    for cursor in sorted(cursors)[:50]:
        body = await unlimited_api(stranger).execute(target.query(), value=cursor)
        assert {error["extensions"]["code"] for error in body["errors"]} == {"BAD_USER_INPUT"}
        assert not OTHER_TENANT_TEXTS.search(json.dumps(body))

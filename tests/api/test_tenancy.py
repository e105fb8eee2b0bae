"""Nobody sees anything of another organization: tried for every type, every field that takes an id, and every cursor there is.

Made from the schema itself, so that what is added later joins by itself.
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
DEEPEST = 7
OTHER_TENANT_TEXTS = re.compile(r"Client 0|Person 0|Label \d|test\.example")
Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


def full_selection(kind: GraphQLOutputType, depth: int = DEEPEST, above: frozenset[str] = frozenset()) -> str:
    """Return a selection of all that can be asked without an argument, down to a depth; a type within itself is not asked again."""
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
            is_again = kind.name.endswith("Edge") and name == "node"  # `nodes` are the same, with all that is below
            yield f"{kind.name}_{name}: {name} {full_selection(field.type, 1 if is_again else depth - 1, above)}"


@pytest.fixture(scope="module")
async def unlimited_api(database: Database) -> AsyncIterator[Callable[[Tenant], Api]]:
    """Asks without the limits of a document, since everything is asked at once."""
    async with connect_client(build(), database, UNLIMITED) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])


@dataclass(frozen=True)
class ArgumentField:
    """A field with an argument to try something on, and how to get there from the root."""

    path: tuple[str, ...]
    field: GraphQLField
    argument: str

    def query(self) -> str:
        """The argument's value is the variable."""
        kind = self.field.args[self.argument].type
        inner = f"{self.path[-1]}({self.argument}: $value) {full_selection(self.field.type, 2)}"
        for step in reversed(self.path[:-1]):
            inner = f"{step} {{ {inner} }}"
        return f"query ($value: {kind}) {{ {inner} }}"


def argument_fields(is_wanted: Callable[[str, GraphQLInputType], bool]) -> list[ArgumentField]:
    """Return every field that can be reached from the root without a required argument and has such an argument, each once."""
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
    """An id, a list of them, or an input with one in it."""
    named_type = get_named_type(kind)
    if isinstance(named_type, GraphQLInputObjectType):
        return any(holds_id(field.type) for field in named_type.fields.values())
    return named_type.name == "ID"


TAKE_ID = argument_fields(lambda _, kind: holds_id(kind))
TAKE_CURSOR = argument_fields(lambda name, _: name in CURSORS)


def collect_texts(answer: object, keys: tuple[str, ...]) -> set[str]:
    """Return every text under one of the keys, at any depth; aliases end in the field's name."""
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
    """Return all that the other organization sees of itself."""
    answers = {}
    for name, field in CORE.query_type.fields.items() if CORE.query_type else ():
        if not any(is_required_argument(argument) for argument in field.args.values()):
            answers[name] = await unlimited_api(sample_org).data(f"{{ {name} {full_selection(field.type)} }}")
    return answers


def test_cases_cover_something() -> None:
    """A schema without ids or cursors would let everything through."""
    assert {(take.path[-1], take.argument) for take in TAKE_ID} >= {("node", "id")}
    assert {(take.path[-1], take.argument) for take in TAKE_CURSOR} >= {("clients", "after"), ("contacts", "after")}


async def test_t1_another_organization_sees_nothing(
    unlimited_api: Callable[[Tenant], Api], other_data: dict[str, object], stranger: Tenant
) -> None:
    """Every type, all its fields: none of the ids, none of the names; and the stranger's own are there."""
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
    """Yield every way to put an id into an argument: itself, in a list, in one of an input's fields."""
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        yield from ([id_value] for id_value in id_values(bare.of_type, key))
    elif isinstance(bare, GraphQLInputObjectType):
        yield from ({name: id_value} for name, field in bare.fields.items() for id_value in id_values(field.type, key))
    elif bare.name == "ID":
        yield key


@pytest.mark.parametrize("take", TAKE_ID, ids=lambda take: ".".join(take.path))
async def test_t1_id_of_another_organization_is_not_found(
    unlimited_api: Callable[[Tenant], Api], other_data: dict[str, object], sample_org: Tenant, stranger: Tenant, take: ArgumentField
) -> None:
    """Whatever type the id is of and wherever it is put; its own organization finds something by the same query."""
    ids, found_count = sorted(collect_texts(other_data, ("id",))), 0
    by_type: dict[str, list[str]] = {}
    for key in ids:
        by_type.setdefault(type_of(key), []).append(key)
    assert len(by_type) >= 5
    for key in (key for keys in by_type.values() for key in keys[:10]):
        for value in id_values(take.field.args[take.argument].type, key):
            found_count += bool(OTHER_TENANT_TEXTS.search(json.dumps(await unlimited_api(sample_org).execute(take.query(), value=value))))
            answer = json.dumps((await unlimited_api(stranger).execute(take.query(), value=value)).get("data"))
            assert not OTHER_TENANT_TEXTS.search(answer)
            assert not [other for other in ids if other in answer]
    assert found_count > 0


@pytest.mark.parametrize("take", TAKE_CURSOR, ids=lambda take: ".".join((*take.path, take.argument)))
async def test_t3_cursor_of_another_organization_is_rejected(
    unlimited_api: Callable[[Tenant], Api], other_data: dict[str, object], stranger: Tenant, take: ArgumentField
) -> None:
    """With its code, and no data."""
    cursors = collect_texts(other_data, ("cursor", "startCursor", "endCursor"))
    assert len(cursors) > 60
    for cursor in sorted(cursors)[:50]:
        body = await unlimited_api(stranger).execute(take.query(), value=cursor)
        assert {error["extensions"]["code"] for error in body["errors"]} == {"BAD_USER_INPUT"}
        assert not OTHER_TENANT_TEXTS.search(json.dumps(body))

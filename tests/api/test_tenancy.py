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
from tests.ask import UNLIMITED, Api, connected
from tests.builders import Tenant, tenant
from tests.ids import kind_of

CORE = build()._schema  # noqa: SLF001
CURSORS = ("after", "before")
DEEPEST = 7
THEIRS = re.compile(r"Client 0|Person 0|Label \d|test\.example")
Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


def everything(kind: GraphQLOutputType, depth: int = DEEPEST, above: frozenset[str] = frozenset()) -> str:
    """A selection of all that can be asked without an argument, down to a depth; a type within itself is not asked again."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if isinstance(named, GraphQLObjectType):
        return "{ __typename " + " ".join(_fields(named, depth, above | {named.name})) + " }"
    kinds = [f"... on {each.name} {everything(each, depth, above)}" for each in CORE.get_possible_types(named)]  # type: ignore[arg-type]
    return "{ __typename " + " ".join(kinds) + " }"


def _fields(kind: GraphQLObjectType, depth: int, above: frozenset[str]) -> Iterator[str]:
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        is_askable = not any(is_required_argument(argument) for argument in field.args.values())
        if is_askable and below.name not in above and (depth > 1 or is_leaf_type(below)):
            is_again = kind.name.endswith("Edge") and name == "node"  # `nodes` are the same, with all that is below
            yield f"{kind.name}_{name}: {name} {everything(field.type, 1 if is_again else depth - 1, above)}"


@pytest.fixture(scope="module")
async def wide(database: Database) -> AsyncIterator[Callable[[Tenant], Api]]:
    """Asks without the limits of a document, since everything is asked at once."""
    async with connected(build(), database, UNLIMITED) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])


@dataclass(frozen=True)
class Taking:
    """A field with an argument to try something on, and how to get there from the root."""

    path: tuple[str, ...]
    field: GraphQLField
    argument: str

    def query(self) -> str:
        """The argument's value is the variable."""
        kind = self.field.args[self.argument].type
        inner = f"{self.path[-1]}({self.argument}: $value) {everything(self.field.type, 2)}"
        for step in reversed(self.path[:-1]):
            inner = f"{step} {{ {inner} }}"
        return f"query ($value: {kind}) {{ {inner} }}"


def taking(is_wanted: Callable[[str, GraphQLInputType], bool]) -> list[Taking]:
    """Every field that can be reached from the root without a required argument and has such an argument, each once."""
    found: list[Taking] = []
    seen: set[object] = set()
    ahead: list[tuple[tuple[str, ...], object]] = [((), CORE.query_type)]
    while ahead:
        path, kind = ahead.pop(0)
        for name, field in kind.fields.items() if isinstance(kind, GraphQLObjectType) else ():
            found += [Taking((*path, name), field, arg) for arg, has in field.args.items() if is_wanted(arg, has.type)]
            below = get_named_type(field.type)
            if below not in seen and not any(is_required_argument(argument) for argument in field.args.values()):
                seen.add(below)
                ahead.append(((*path, name), below))
    return found


def holds_id(kind: GraphQLInputType) -> bool:
    """An id, a list of them, or an input with one in it."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        return any(holds_id(field.type) for field in named.fields.values())
    return named.name == "ID"


TAKE_ID = taking(lambda _, kind: holds_id(kind))
TAKE_CURSOR = taking(lambda name, _: name in CURSORS)


def held(answer: object, keys: tuple[str, ...]) -> set[str]:
    """Every text under one of the keys, at any depth; aliases end in the field's name."""
    if isinstance(answer, list):
        return {text for each in answer for text in held(each, keys)}
    if not isinstance(answer, dict):
        return set()
    own = {text for key, text in answer.items() if isinstance(text, str) and key.rpartition("_")[2] in keys}
    return own | {text for each in answer.values() for text in held(each, keys)}


@pytest.fixture(scope="module")
async def stranger(owner: asyncpg.Connection) -> Tenant:
    made = await tenant(owner, "Stranger")
    client = await made.add_client("Mine")
    await made.add_contact("Mine", client)
    await made.add_label("Mine", client)
    await made.add_registration(client, await made.add_project(client, "Mine"))
    await owner.execute("UPDATE relaties.member SET email = 'x@' || id, name = 'X' WHERE tenant_id = $1", made.id)
    return made


@pytest.fixture(scope="module")
async def theirs(wide: Callable[[Tenant], Api], crowded: Tenant) -> dict[str, object]:
    """All that the other organization sees of itself."""
    answers = {}
    for name, field in CORE.query_type.fields.items() if CORE.query_type else ():
        if not any(is_required_argument(argument) for argument in field.args.values()):
            answers[name] = await wide(crowded).data(f"{{ {name} {everything(field.type)} }}")
    return answers


def test_the_tries_are_made_of_something() -> None:
    """A schema without ids or cursors would let everything through."""
    assert {(take.path[-1], take.argument) for take in TAKE_ID} >= {("node", "id")}
    assert {(take.path[-1], take.argument) for take in TAKE_CURSOR} >= {("clients", "after"), ("contacts", "after")}


async def test_t1_a_stranger_sees_nothing_of_anything(wide: Callable[[Tenant], Api], theirs: dict[str, object], stranger: Tenant) -> None:
    """Every type, all its fields: none of the ids, none of the names; and the stranger's own are there."""
    ids = held(theirs, ("id",))
    assert len(ids) > 100
    assert THEIRS.search(json.dumps(theirs))
    for name in theirs:
        field = CORE.query_type.fields[name]  # type: ignore[union-attr]
        answer = json.dumps(await wide(stranger).data(f"{{ {name} {everything(field.type)} }}"))
        assert not THEIRS.search(answer)
        assert not [key for key in ids if key in answer]
    assert "Mine" in json.dumps(await wide(stranger).data("{ clients { nodes { name } } }"))


def ways(kind: GraphQLInputType, key: str) -> Iterator[object]:
    """Every way to put an id into an argument: itself, in a list, in one of an input's fields."""
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        yield from ([way] for way in ways(bare.of_type, key))
    elif isinstance(bare, GraphQLInputObjectType):
        yield from ({name: way} for name, field in bare.fields.items() for way in ways(field.type, key))
    elif bare.name == "ID":
        yield key


@pytest.mark.parametrize("take", TAKE_ID, ids=lambda take: ".".join(take.path))
async def test_t1_a_strangers_id_is_as_unknown_as_none(
    wide: Callable[[Tenant], Api], theirs: dict[str, object], crowded: Tenant, stranger: Tenant, take: Taking
) -> None:
    """Whatever type the id is of and wherever it is put; its own organization finds something by the same query."""
    ids, found = sorted(held(theirs, ("id",))), 0
    by_type: dict[str, list[str]] = {}
    for key in ids:
        by_type.setdefault(kind_of(key), []).append(key)
    assert len(by_type) >= 5
    for key in (key for keys in by_type.values() for key in keys[:10]):
        for value in ways(take.field.args[take.argument].type, key):
            found += bool(THEIRS.search(json.dumps(await wide(crowded).ask(take.query(), value=value))))
            answer = json.dumps((await wide(stranger).ask(take.query(), value=value)).get("data"))
            assert not THEIRS.search(answer)
            assert not [other for other in ids if other in answer]
    assert found > 0


@pytest.mark.parametrize("take", TAKE_CURSOR, ids=lambda take: ".".join((*take.path, take.argument)))
async def test_t3_a_strangers_cursor_is_refused(
    wide: Callable[[Tenant], Api], theirs: dict[str, object], stranger: Tenant, take: Taking
) -> None:
    """With its code, and no data."""
    cursors = held(theirs, ("cursor", "startCursor", "endCursor"))
    assert len(cursors) > 60
    for cursor in sorted(cursors)[:50]:
        body = await wide(stranger).ask(take.query(), value=cursor)
        assert {error["extensions"]["code"] for error in body["errors"]} == {"BAD_USER_INPUT"}
        assert not THEIRS.search(json.dumps(body))

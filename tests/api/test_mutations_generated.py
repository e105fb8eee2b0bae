"""Every mutation there is, tried with what it must refuse: without its right, with others' ids, with values that are none, a second time.

Made from the schema itself (`tests/inputs.py`), so that what is added later joins by itself.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInputType, GraphQLList, get_named_type

from db.engine.database import Database
from db.tables import Role
from db.tables.keys import new_id
from domain.core.scope import Permission
from domain.organization.tokens import new_secret
from tests.ask import Api, connected
from tests.builders import add_token
from tests.ids import global_id
from tests.inputs import (
    ANYWHERE,
    MUTATIONS,
    TRIES,
    Place,
    Value,
    World,
    document,
    input_type,
    leaves,
    longest,
    needed,
    places,
    replaced,
    right,
    type_of_id,
    world,
)
from tests.snapshots import unchanged

REQUEST_ERRORS = {"BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
RIGHT_OF_PART = re.compile(r"Needs ([A-Z_]+)\.")
UNSTORABLE = ["\0", "a\0b", "\ud800", "a\udfff"]
NONE_OF_TYPE: dict[str, list[Value]] = {
    "Boolean": ["true", 1, "", 0.5],
    "Date": ["2026-02-30", "0000-01-01", "31-01-2026", "+12026-01-01", 20260131, True, "2026-01-31T00:00:00Z"],
    "DateTime": ["2026-01-31", "2026-01-31T09:00:00", "2026-02-30T09:00:00Z", 1, True],
    "Decimal": ["NaN", "1e999", "Infinity", "-Infinity", "sNaN", 1.5, True, "", "1,50", "9" * 31, "0x10", " 1", "1_000"],
    "ID": [1.5, True],
    "Int": [2**31, -(2**31) - 1, 2**63, 10**400, "7", 1.5, True, ""],
    "String": [1, 1.5, True],
}


@pytest.fixture(scope="module")
async def mine(owner: asyncpg.Connection) -> World:
    """What no test here changes: it is only asked for what must be refused."""
    return await world(owner)


@pytest.fixture(scope="module")
async def theirs(owner: asyncpg.Connection) -> World:
    return await world(owner, "Theirs")


@pytest.fixture
async def fresh(owner: asyncpg.Connection) -> World:
    """One to be changed."""
    return await world(owner)


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(schema, database) as client:
        yield client


async def post(api: Api, query: str, **variables: Value) -> httpx.Response:
    """As bytes of our own making: half a surrogate pair goes as an escape."""
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    return await api.http.post("/graphql", content=json.dumps({"query": query, "variables": variables}), headers=headers)


def codes(body: dict[str, Any]) -> set[str]:
    return {error["extensions"]["code"] for error in body["errors"]}


def is_refused_at(response: httpx.Response, mutation: str, place: Place) -> bool:
    """By a coded error of the request, or by user errors of which one lies there."""
    body = response.json()
    if "errors" in body:
        return response.status_code in {200, 400} and codes(body) <= REQUEST_ERRORS and not (body.get("data") or {}).get(mutation)
    refusals = body["data"][mutation]["userErrors"]
    return response.status_code == 200 and any(each["path"] == place.shown_path for each in refusals)


@asynccontextmanager
async def without(owner: asyncpg.Connection, http: httpx.AsyncClient, world: World, *lacking: Permission) -> AsyncIterator[Api]:
    """Asks as a machine that may do everything else; nothing comes of it."""
    secret = new_secret()
    await add_token(owner, world.id, secret, role=Role.OWNER.value, scope=[each for each in Permission if each not in lacking])
    async with unchanged(owner, world.id):
        yield Api(http, secret)


def test_the_tries_are_made_of_something() -> None:
    """A schema without mutations, or one whose inputs hold nothing, would let everything through."""
    assert len(MUTATIONS) >= 13
    filled = {place.of for name, turn in TRIES for place in places(input_type(name), right(ANYWHERE, name, turn))}
    assert filled >= {"ID", "Int", "String", "Boolean", "Decimal", "ClientKind", "ClientAddressInput", "ClientFinancialInput"}


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("directive", ["", '@idempotent(key: "k")'])
async def test_a8_without_its_right_a_mutation_is_forbidden(
    owner: asyncpg.Connection, http: httpx.AsyncClient, mine: World, name: str, directive: str
) -> None:
    """An error of the operation and no payload; nothing is changed, and no key is kept."""
    async with without(owner, http, mine, *needed(name)) as api:
        body = await api.ask(document(name, directive), input=right(mine, name))
        assert (body["data"], codes(body)) == ({name: None}, {"FORBIDDEN"})


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a8_who_may_only_look_changes_nothing(owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, name: str) -> None:
    """Whatever right the mutation asks for, a viewer has it not."""
    async with unchanged(owner, mine.id):
        body = await as_(mine.tenant, Role.VIEWER).ask(document(name), input=right(mine, name))
    assert (body["data"], codes(body)) == ({name: None}, {"FORBIDDEN"})


def parts_with_a_right(kind: GraphQLInputType) -> Iterator[Permission]:
    """The rights that fields of an input say they need."""
    bare = get_named_type(kind)
    for field in bare.fields.values() if isinstance(bare, GraphQLInputObjectType) else ():
        yield from (Permission(found) for found in RIGHT_OF_PART.findall(field.description or ""))
        yield from parts_with_a_right(field.type)


OF_PARTS = [(name, needs) for name in MUTATIONS for needs in sorted(set(parts_with_a_right(input_type(name))))]


@pytest.mark.parametrize(("name", "needs"), OF_PARTS)
async def test_without_the_right_of_a_part_the_whole_is_forbidden(
    owner: asyncpg.Connection, http: httpx.AsyncClient, mine: World, name: str, needs: Permission
) -> None:
    """The rest is not done either, nor is the key kept."""
    async with without(owner, http, mine, needs) as api:
        body = await api.ask(document(name, '@idempotent(key: "k")'), input=right(mine, name))
        assert (body["data"], codes(body)) == ({name: None}, {"FORBIDDEN"})


@pytest.mark.parametrize(("name", "turn"), TRIES)
async def test_t1_a_strangers_id_is_as_unknown_as_none(
    owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, theirs: World, name: str, turn: int
) -> None:
    """Wherever an id stands: the answer is NOT_FOUND at its place, letter for letter the same as for an id that nobody has."""
    given, api = right(mine, name, turn), as_(mine.tenant)
    async with unchanged(owner, mine.id, theirs.id):
        for place in leaves(input_type(name), given, "ID"):
            kind = type_of_id(place.owner, place.name)
            wrong = "Member" if kind != "Member" else "Label"
            tried = (global_id(kind, new_id()), theirs.ids[kind], mine.ids[wrong], theirs.ids[wrong])
            nobodys, *others = [await api.ask(document(name), input=replaced(given, place.path, key)) for key in tried]
            assert "errors" not in nobodys, (place.path, nobodys)
            refusals = nobodys["data"][name]["userErrors"]
            assert [(each["code"], each["path"]) for each in refusals] == [("NOT_FOUND", place.shown_path)]
            assert others == [nobodys] * 3, place.path


@pytest.mark.parametrize(("name", "turn"), TRIES)
async def test_what_is_no_id_is_refused(owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, name: str, turn: int) -> None:
    """With a code: not found where it lies, or an error of the request."""
    given = right(mine, name, turn)
    async with unchanged(owner, mine.id):
        for place in leaves(input_type(name), given, "ID"):
            for key in ("", "x", "Client", "Q2xpZW50", "Q2xpZW50Ong=", str(uuid4()), "=" * 1000, 5, "é"):
                response = await post(as_(mine.tenant), document(name), input=replaced(given, place.path, key))
                assert is_refused_at(response, name, place), (place.path, key, response.text)


@pytest.mark.parametrize(("name", "turn"), TRIES)
async def test_i1_a_text_that_cannot_be_kept_is_refused(
    owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, name: str, turn: int
) -> None:
    """U+0000 and half a surrogate pair, by variable and written in the document, and one character too many: refused at its place."""
    given, api = right(mine, name, turn), as_(mine.tenant)
    async with unchanged(owner, mine.id):
        for place in leaves(input_type(name), given, "String"):
            for text in (*UNSTORABLE, "x" * (longest(place) + 1)):
                wrong = replaced(given, place.path, text)
                response = await post(api, document(name), input=wrong)
                assert is_refused_at(response, name, place), (place.path, text[:9], response.text)
                if text in UNSTORABLE[1::2]:
                    response = await post(api, document(name, input=wrong))
                    assert is_refused_at(response, name, place), (place.path, text[:9], response.text)


@pytest.mark.parametrize(("name", "turn"), TRIES)
async def test_i5_a_value_of_another_type_is_refused(
    owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, name: str, turn: int
) -> None:
    """Numbers that are none, words that an enum does not have, what is too large, texts for numbers and the other way about."""
    given = right(mine, name, turn)
    async with unchanged(owner, mine.id):
        for place in leaves(input_type(name), given):
            wrongs = ["WRONG", "", 5, True] if isinstance(place.kind, GraphQLEnumType) else NONE_OF_TYPE[place.of]
            for wrong in wrongs:
                response = await post(as_(mine.tenant), document(name), input=replaced(given, place.path, wrong))
                assert is_refused_at(response, name, place), (place.path, wrong, response.text)


@pytest.mark.parametrize(("name", "turn"), TRIES)
async def test_a_number_beyond_its_limits_is_refused(
    owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, name: str, turn: int
) -> None:
    """More digits than are kept, and less than nothing; a version that is not the object's is refused as any other."""
    given, kind = right(mine, name, turn), input_type(name)
    async with unchanged(owner, mine.id):
        tries: list[tuple[Place, Value]] = [
            (place, wrong) for place in leaves(kind, given, "Decimal") for wrong in ["9" * 30, "-0.01", "1.00001"]
        ]
        tries += [(place, wrong) for place in leaves(kind, given, "Int") for wrong in [-1, -(2**31)]]
        for place, wrong in tries:
            response = await post(as_(mine.tenant), document(name), input=replaced(given, place.path, wrong))
            assert is_refused_at(response, name, place), (place.path, wrong, response.text)


@pytest.mark.parametrize(("name", "turn"), TRIES)
async def test_t3_a_value_of_another_shape_is_refused(
    owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, name: str, turn: int
) -> None:
    """A list for an object or a text, an object for a list, a field that there is not; another's organization cannot be slipped in."""
    given, kind = right(mine, name, turn), input_type(name)
    async with unchanged(owner, mine.id):
        for place in places(kind, given):
            is_object = isinstance(place.kind, GraphQLInputObjectType)
            wrongs = [[], [[]], "x", {"tenantId": str(uuid4())}] if is_object else [{}, {"a": 1}, [[[]]]]
            for wrong in wrongs:
                response = await post(as_(mine.tenant), document(name), input=replaced(given, place.path, wrong))
                assert is_refused_at(response, name, place), (place.path, wrong, response.text)
            if is_object:
                response = await post(as_(mine.tenant), document(name), input=replaced(given, (*place.path, "tenantId"), str(mine.id)))
                assert codes(response.json()) == {"BAD_USER_INPUT"}
        for whole in ([], [given, given], "x", 1, None, {**given, "tenantId": str(mine.id)}):
            body = (await post(as_(mine.tenant), document(name), input=whole)).json()
            assert codes(body) == {"BAD_USER_INPUT"}


async def test_i3_what_is_too_large_or_no_json_is_refused_whole(owner: asyncpg.Connection, as_: Callable[..., Api], mine: World) -> None:
    """Ten million bytes, and the words for what is no number that JavaScript writes."""
    api, query = as_(mine.tenant), document("clientCreate")
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    async with unchanged(owner, mine.id):
        large = await post(api, query, input=replaced(right(mine, "clientCreate"), ("notes",), "x" * 10_000_000))
        assert (large.status_code, codes(large.json())) == (413, {"PAYLOAD_TOO_LARGE"})
        for word in ("NaN", "Infinity", "-Infinity"):
            rate = replaced(right(mine, "clientCreate"), ("financial", "defaultHourlyRate"), "WORD")
            content = json.dumps({"query": query, "variables": {"input": rate}}).replace('"WORD"', word)
            bare = await api.http.post("/graphql", content=content, headers=headers)
            assert (bare.status_code, codes(bare.json())) == (400, {"BAD_REQUEST"})


def test_every_list_of_an_input_has_a_try() -> None:
    """An empty one would leave what it holds untried."""
    for name in MUTATIONS:
        tried = _values(input_type(name), right(ANYWHERE, name))
        assert [place for place, value in tried if isinstance(place.kind, GraphQLList) and not value] == []


def _values(kind: GraphQLInputType, value: Value) -> Iterator[tuple[Place, Value]]:
    for place in places(kind, value):
        found = value
        for step in place.path:
            found = found[step]
        yield place, found

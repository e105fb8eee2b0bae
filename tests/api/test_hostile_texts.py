"""Every text of every input and argument, tried with what takes long to normalise: refused where it lies before that is done.

Made from the schema itself (`tests/inputs.py`), so that what is added later joins by itself.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLObjectType, get_named_type, is_required_argument

from domain.core.validation import max_length as limit_of
from domain.standards.text import MAX_MARKS, RAW_FACTOR
from resolvers.inputs import INPUT_TYPES
from tests.ask import Api
from tests.inputs import (
    ANYWHERE,
    CORE,
    MUTATIONS,
    NODES,
    TRIES,
    Path,
    Place,
    Value,
    World,
    document,
    input_type,
    leaves,
    longest,
    replaced,
    right,
    world,
)
from tests.normalizing import Normalizing
from tests.snapshots import unchanged

OPAQUE = {"previewToken", "after", "before"}  # texts that the server itself gives out
MOST = 200  # the longest limit of an argument
TOO_MANY_MARKS = "a" + "\u0300" * (MAX_MARKS + 1)


def hostile(most: int) -> str:
    """One character more than is looked at, of which CPython would compare each mark with each."""
    half = (RAW_FACTOR * most) // 2
    return "a" + "\u0300" * half + "\u0316" * half


@pytest.fixture(scope="module")
async def mine(owner: asyncpg.Connection) -> World:
    """What no test here changes: it is only asked for what must be refused."""
    return await world(owner)


@dataclass(frozen=True)
class Argument:
    """A text somewhere in the arguments of a field of a type."""

    owner: str
    field: str
    argument: str
    type: str
    path: Path

    @property
    def name(self) -> str:
        return str(self.path[-1]) if self.path else self.argument

    def query(self, ids: dict[str, str]) -> str:
        """The field alone, of any object of its type."""
        asked = f"{self.field}({self.argument}: $value) {{ __typename }}"
        if self.owner == "Query":
            return f"query ($value: {self.type}) {{ {asked} }}"
        return f'query ($value: {self.type}) {{ node(id: "{ids[self.owner]}") {{ ... on {self.owner} {{ {asked} }} }} }}'

    def value(self, text: str) -> Value:
        found: Value = text
        for step in reversed(self.path):
            found = {step: found}
        return found


def texts(kind: GraphQLInputType, path: Path = ()) -> Iterator[Path]:
    """Where texts are in a value of this type."""
    bare = get_named_type(kind)
    if isinstance(bare, GraphQLInputObjectType):
        for name, field in bare.fields.items():
            yield from texts(field.type, (*path, name))
    elif bare.name == "String":
        yield path


def arguments() -> Iterator[Argument]:
    for kind in CORE.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind is not CORE.mutation_type and not kind.name.startswith("__"):
            for field_name, field in kind.fields.items():
                for name, argument in field.args.items():
                    for path in texts(argument.type):
                        assert not any(is_required_argument(other) for each, other in field.args.items() if each != name)
                        yield Argument(kind.name, field_name, name, str(argument.type), path)


ARGUMENTS = [*arguments()]


def refusal(body: dict[str, Any], mutation: str, place: Place) -> bool:
    """Whether a user error with a code lies at the place; a request error has none."""
    refusals = body["data"][mutation]["userErrors"]
    return any(each["path"] == place.shown_path and each["code"] and each["message"] for each in refusals)


@pytest.mark.parametrize(("name", "turn"), TRIES)
async def test_a_text_of_an_input_is_limited_before_it_is_normalized(
    owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, monkeypatch: pytest.MonkeyPatch, name: str, turn: int
) -> None:
    """Refused at its place, and nothing changes; nobody normalises it, nor more than 30 marks of a character."""
    given, api, seen = right(mine, name, turn), as_(mine.tenant), Normalizing.watched(monkeypatch)
    async with unchanged(owner, mine.id):
        for place in leaves(input_type(name), given, "String"):
            most = MOST if place.name in OPAQUE else longest(place)
            for text in (hostile(most), TOO_MANY_MARKS):
                body = await api.ask(document(name), input=replaced(given, place.path, text))
                assert refusal(body, name, place), (place.path, text[:40], body)
    assert seen.most_marks <= MAX_MARKS


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda each: f"{each.owner}.{each.field}.{each.name}")
async def test_a_text_of_an_argument_is_limited_before_it_is_normalized(
    as_: Callable[..., Api], mine: World, monkeypatch: pytest.MonkeyPatch, argument: Argument
) -> None:
    """The error has its code and the field's path, and names the argument; of a cursor it says where to take another from."""
    api, seen = as_(mine.tenant), Normalizing.watched(monkeypatch)
    for text in (hostile(MOST), TOO_MANY_MARKS):
        body = await api.ask(argument.query(mine.ids), value=argument.value(text))
        (error,) = body["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["path"][-1] == argument.field
        assert ("cursor" if argument.name in OPAQUE else f"`{argument.name}`") in error["message"]
    assert seen.most_marks <= MAX_MARKS


def test_the_tries_are_made_of_something() -> None:
    """Of the arguments that are known by name, and of no type that cannot be asked for."""
    named = {(each.owner, each.field, each.name) for each in ARGUMENTS}
    assert {("Query", "clients", "search"), ("Query", "client", "number"), ("Client", "invoices", "after")} < named
    assert {("Query", "clients", name) for name in ("country", "kvkNumber", "vatNumber")} < named
    assert {each.owner for each in ARGUMENTS} - {"Query"} < set(NODES)
    assert {place.name for name in MUTATIONS for place in leaves(input_type(name), right(ANYWHERE, name), "String")} > {"name", "note"}


def test_every_text_of_a_field_set_has_a_limit() -> None:
    """By name; what has none would be as long as a request may be."""
    without = [
        f"{fields.__name__}.{name}"
        for _, fields in INPUT_TYPES
        for name, field in fields.model_fields.items()
        if field.annotation in {str, str | None} and not any(getattr(rule, "max_length", None) for rule in field.metadata)
    ]
    assert without == []
    assert all(limit_of(fields, name) for _, fields in INPUT_TYPES for name in fields.model_fields)


@pytest.mark.parametrize("composed", ["é" * 200, "ệ" * 200, "한" * 200])
async def test_a_decomposed_text_is_taken_up_to_its_limit(as_: Callable[..., Api], mine: World, composed: str) -> None:
    """As it comes from a Mac: kept composed, and one more is one too many."""
    query = "mutation ($name: String!) { clientCreate(input: {name: $name}) { client { name } userErrors { message } } }"
    apart = unicodedata.normalize("NFD", composed)
    made = (await as_(mine.tenant).data(query, name=apart))["clientCreate"]
    assert made == {"client": {"name": composed}, "userErrors": []}
    more = (await as_(mine.tenant).data(query, name=apart + "e"))["clientCreate"]
    assert more == {"client": None, "userErrors": [{"message": "`name` has at most 200 characters; this has 201."}]}

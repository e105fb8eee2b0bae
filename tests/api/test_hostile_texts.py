"""Test that every text of every input and argument is limited before it is normalized, because normalization can be slow.

The tests are generated from the schema (`tests/support/mutation_inputs.py`) and therefore include fields that are added later.
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
from tests.support.api import Api
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    MUTATIONS,
    NODES,
    SCHEMA,
    SHAPE_ONLY_WORLD,
    InputLocation,
    Path,
    Value,
    World,
    input_type,
    max_text_length,
    mutation_document,
    replace_at,
    scalar_locations,
    valid_input,
)
from tests.support.normalization import NormalizationMonitor
from tests.support.snapshots import assert_unchanged

OPAQUE = {"previewToken", "after", "before"}  # texts that the server itself issues
MAX_ARGUMENT_LENGTH = 200  # the longest limit of an argument
TOO_MANY_MARKS = "a" + "\u0300" * (MAX_MARKS + 1)


def build_hostile_text(most: int) -> str:
    """Return a text one character over the limit whose normalization by CPython takes time quadratic in its marks."""
    half = (RAW_FACTOR * most) // 2
    return "a" + "\u0300" * half + "\u0316" * half


@dataclass(frozen=True)
class Argument:
    """Text in an argument of a field, possibly within an input object."""

    owner: str
    field: str
    argument: str
    type: str
    path: Path

    @property
    def name(self) -> str:
        return str(self.path[-1]) if self.path else self.argument

    def query(self, ids: dict[str, str]) -> str:
        """Return a query of this field alone, of some object of its type."""
        field_text = f"{self.field}({self.argument}: $value) {{ __typename }}"
        if self.owner == "Query":
            return f"query ($value: {self.type}) {{ {field_text} }}"
        return f'query ($value: {self.type}) {{ node(id: "{ids[self.owner]}") {{ ... on {self.owner} {{ {field_text} }} }} }}'

    def value(self, text: str) -> Value:
        nested_value: Value = text
        for step in reversed(self.path):
            nested_value = {step: nested_value}
        return nested_value


def text_paths(kind: GraphQLInputType, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each text in a value of this type."""
    bare = get_named_type(kind)
    if isinstance(bare, GraphQLInputObjectType):
        for name, field in bare.fields.items():
            yield from text_paths(field.type, (*path, name))
    elif bare.name == "String":
        yield path


def text_arguments() -> Iterator[Argument]:
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind is not SCHEMA.mutation_type and not kind.name.startswith("__"):
            for field_name, field in kind.fields.items():
                for name, argument in field.args.items():
                    for path in text_paths(argument.type):
                        assert not any(is_required_argument(other) for each, other in field.args.items() if each != name)
                        yield Argument(kind.name, field_name, name, str(argument.type), path)


ARGUMENTS = [*text_arguments()]


def has_error_at(body: dict[str, Any], mutation: str, location: InputLocation) -> bool:
    """Return whether a user error has the path of the location; a request error has none."""
    user_errors = body["data"][mutation]["userErrors"]
    return any(each["path"] == location.error_path and each["code"] and each["message"] for each in user_errors)


@pytest.mark.parametrize(("name", "alternative"), MUTATION_CASES)
async def test_input_text_is_limited_before_normalization(
    owner: asyncpg.Connection, api_for: Callable[..., Api], own_world: World, monkeypatch: pytest.MonkeyPatch, name: str, alternative: int
) -> None:
    """The error has the path of the text, and nothing changes. No character with more than 30 marks is normalized."""
    input_values, api, monitor = (
        valid_input(own_world, name, alternative),
        api_for(own_world.tenant),
        NormalizationMonitor.install(monkeypatch),
    )
    async with assert_unchanged(owner, own_world.id):
        for location in scalar_locations(input_type(name), input_values, "String"):
            most = MAX_ARGUMENT_LENGTH if location.name in OPAQUE else max_text_length(location)
            for text in (build_hostile_text(most), TOO_MANY_MARKS):
                body = await api.execute(mutation_document(name), input=replace_at(input_values, location.path, text))
                assert has_error_at(body, name, location), (location.path, text[:40], body)
    assert monitor.most_marks <= MAX_MARKS


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda each: f"{each.owner}.{each.field}.{each.name}")
async def test_argument_text_is_limited_before_normalization(
    api_for: Callable[..., Api], own_world: World, monkeypatch: pytest.MonkeyPatch, argument: Argument
) -> None:
    """The error has a code and the field's path, and names the argument. For a cursor it says where to get a valid one."""
    api, monitor = api_for(own_world.tenant), NormalizationMonitor.install(monkeypatch)
    for text in (build_hostile_text(MAX_ARGUMENT_LENGTH), TOO_MANY_MARKS):
        body = await api.execute(argument.query(own_world.ids), value=argument.value(text))
        (error,) = body["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["path"][-1] == argument.field
        assert ("cursor" if argument.name in OPAQUE else f"`{argument.name}`") in error["message"]
    assert monitor.most_marks <= MAX_MARKS


def test_cases_cover_known_arguments_and_only_types_with_an_id() -> None:
    argument_names = {(each.owner, each.field, each.name) for each in ARGUMENTS}
    assert {("Query", "clients", "search"), ("Query", "client", "number"), ("Client", "invoices", "after")} < argument_names
    assert {("Query", "clients", name) for name in ("country", "kvkNumber", "vatNumber")} < argument_names
    assert {each.owner for each in ARGUMENTS} - {"Query"} < set(NODES)
    assert {
        location.name
        for name in MUTATIONS
        for location in scalar_locations(input_type(name), valid_input(SHAPE_ONLY_WORLD, name), "String")
    } > {"name", "note"}


def test_every_text_of_a_field_set_has_a_limit() -> None:
    """A text without a limit could be as long as a request may be."""
    without = [
        f"{fields.__name__}.{name}"
        for _, fields in INPUT_TYPES
        for name, field in fields.model_fields.items()
        if field.annotation in {str, str | None} and not any(getattr(rule, "max_length", None) for rule in field.metadata)
    ]
    assert without == []
    assert all(limit_of(fields, name) for _, fields in INPUT_TYPES for name in fields.model_fields)


@pytest.mark.parametrize("composed", ["é" * 200, "ệ" * 200, "한" * 200])
async def test_text_is_composed_before_its_length_is_checked(api_for: Callable[..., Api], own_world: World, composed: str) -> None:
    """Text from macOS is decomposed. The limit counts composed characters, and one more is rejected."""
    query = "mutation ($name: String!) { clientCreate(input: {name: $name}) { client { name } userErrors { message } } }"
    apart = unicodedata.normalize("NFD", composed)
    payload = (await api_for(own_world.tenant).data(query, name=apart))["clientCreate"]
    assert payload == {"client": {"name": composed}, "userErrors": []}
    more = (await api_for(own_world.tenant).data(query, name=apart + "e"))["clientCreate"]
    assert more == {"client": None, "userErrors": [{"message": "`name` must have at most 200 characters; this has 201."}]}

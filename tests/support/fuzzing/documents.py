"""Generate hostile GraphQL documents: valid ones with hostile values, and valid ones whose text was broken."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.support import mutation_inputs
from tests.support.fuzzing import values
from tests.support.random_documents import documents

Body = dict[str, Any]
LARGE = 5_000  # characters of an input as JSON
TOKEN = re.compile(r"\.\.\.|\$?\w+|\S")
PARTS = [
    "{", "}", "(", ")", "[", "]", "!", "$", "=", ":", "@", "...", "|", "&", "#", "\n", "\r", ",", "\ufeff", "\0", "\ud800", '"',
    '"""', '"\\ud800"', '"\\u{110000}"', '"\\u{D83D}\\u{DE00}"', '"\\u0000"', '"""\\""" """', "null", "true", "9" * 5_000,
    "-" + "9" * 400, "1e400", "1e-400", "1" + "e9" * 3, "1.0", "-0", "0x1", "é", "query", "mutation", "subscription",
    "fragment", "fragment F on Query { ...F }", "...F", "on", "on Query", "... on Node", "{ __typename }",
    "__schema { types { name } }", '__type(name: "Query") { name }', "__typename", "id", "(first: 2147483648)",
    "(first: 100.0)", "(first: $v0)", "(by: {})", "(by: {id: null})", '(filter: {updatedSince: "0001-01-01T00:00:00+14:00"})',
    "@skip(if: $no)", "@include(if: null)", "@skip(if: true) @skip(if: true)", "@defer", "@stream", "@oneOf",
    "type T { a: Int }", "extend schema @a", "$x: [[[Int]]] = [[[1]]]", "$x: Int = 1.5",
]  # fmt: skip
BIG = ["{ ", "[", "{a: ", "@skip(if: true) ", "... { ", "a: id ", "!", "#\n", ", ", '"" ', "$x: Int "]


@st.composite
def break_document(draw: DrawFn, text: str) -> str:
    """Return the document with some tokens removed, repeated or replaced, or with others inserted."""
    tokens = TOKEN.findall(text)
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, max(len(tokens) - 1, 0)))
        until = min(len(tokens), index + draw(st.integers(1, 5)))
        how = draw(st.integers(0, 5))
        if how == 0:
            tokens[index:until] = []
        elif how == 1:
            tokens[index:index] = tokens[index:until] * draw(st.sampled_from([1, 2, 30, 300]))
        elif how == 2:
            tokens[index:index] = [draw(st.sampled_from(BIG)) * draw(st.sampled_from([9, 31, 500, 5_000]))]
        elif how == 3:
            tokens[index:until] = [draw(st.sampled_from(PARTS))]
        else:
            tokens[index:index] = [draw(st.sampled_from(PARTS))]
    return " ".join(tokens)


@st.composite
def hostile_queries(draw: DrawFn, schema: GraphQLSchema, ids: list[str], cursors: list[str]) -> Body:
    """Return a query whose text or variables were changed."""
    if draw(st.integers(0, 3)):
        return draw(_hostile_field(schema, ids))
    random_document = draw(documents(schema, ids, cursors))
    text, variables = random_document.text, dict(random_document.variables)
    types: dict[str, str] = dict(re.findall(r"\$(\w+): ([^,)]+)", text.partition("{")[0]))
    for name, kind in types.items():
        if draw(st.integers(0, 2)) == 0:
            variables[name] = draw(_hostile_variable(schema, kind, ids))
    if draw(st.integers(0, 2)) == 0:
        text = draw(break_document(text))
    elif draw(st.integers(0, 2)) == 0 and types:
        text = _inline_variables(draw, text, variables)
    return {"query": text, "variables": variables}


Path = tuple[str, ...]


@lru_cache
def _scalar_argument_paths(schema: GraphQLSchema) -> list[Path]:
    """Return the path of every scalar in the arguments of the root fields: the field, the argument, and the input fields below it."""
    query = schema.query_type
    assert query
    arguments = [((name, each), argument.type) for name, field in query.fields.items() for each, argument in field.args.items()]
    return [(*path, *below) for path, kind in arguments for below in _scalar_paths(kind)]


def _scalar_paths(kind: GraphQLInputType, depth: int = 4) -> list[Path]:
    named_type = get_named_type(kind)
    if not isinstance(named_type, GraphQLInputObjectType) or not depth:
        return [()]
    return [(name, *below) for name, field in named_type.fields.items() for below in _scalar_paths(field.type, depth - 1)]


@st.composite
def _hostile_field(draw: DrawFn, schema: GraphQLSchema, ids: list[str]) -> Body:
    """Return a root field with a hostile value in one place of its arguments, as a variable or as a literal."""
    query = schema.query_type
    assert query
    name, argument_name, *path = draw(st.sampled_from(_scalar_argument_paths(schema)))
    field = query.fields[name]
    required_arguments = {
        each: argument for each, argument in field.args.items() if each == argument_name or is_required_argument(argument)
    }
    argument_values = {each: draw(_hostile_at_path(argument.type, path, ids)) for each, argument in required_arguments.items()}
    below = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    if draw(st.integers(0, 2)) == 0:
        arguments = ", ".join(f"{each}: {write_literal(draw, value)}" for each, value in argument_values.items())
        return {"query": f"{{ {name}({arguments}) {below} }}"}
    declarations = ", ".join(f"${each}: {argument.type}" for each, argument in required_arguments.items())
    arguments = ", ".join(f"{each}: ${each}" for each in required_arguments)
    return {"query": f"query ({declarations}) {{ {name}({arguments}) {below} }}", "variables": argument_values}


@st.composite
def _hostile_at_path(draw: DrawFn, kind: GraphQLInputType, path: Sequence[str], ids: list[str]) -> object:
    """Return a value that is hostile at the end of the path, with only the required fields beside it."""
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        value = draw(_hostile_at_path(bare.of_type, path, ids))
        return draw(st.one_of(st.just([value]), values.long_lists(value)))
    if not isinstance(bare, GraphQLInputObjectType):
        return draw(values.values_of_type(bare.name, ids))
    field_name = path[0] if path and path[0] in bare.fields else next(iter(bare.fields))
    fields = {name: field for name, field in bare.fields.items() if name == field_name or is_required_input_field(field)}
    return {name: draw(_hostile_at_path(field.type, path[1:], ids)) for name, field in fields.items()}


@st.composite
def _hostile_variable(draw: DrawFn, schema: GraphQLSchema, kind: str, ids: list[str]) -> object:
    """Return a hostile value for a variable of the type that the document declares."""
    named_type = schema.type_map.get(kind.strip("[]! "))
    if isinstance(named_type, GraphQLInputObjectType):
        value: object = draw(_hostile_objects(named_type, ids))
    else:
        value = draw(values.values_of_type(named_type.name if named_type else "", ids))
    return draw(values.long_lists(value)) if "[" in kind else value


@st.composite
def _hostile_objects(draw: DrawFn, kind: GraphQLInputObjectType, ids: list[str], depth: int = 3) -> object:
    """Return an input object with hostile values in some of its fields, and perhaps with unknown fields."""
    if draw(st.integers(0, 15)) == 0:
        return draw(values.any_json())
    body: Body = {}
    for name, field in kind.fields.items():
        if draw(st.integers(0, 2)) == 0:
            named_type = get_named_type(field.type)
            below = (
                _hostile_objects(named_type, ids, depth - 1)
                if isinstance(named_type, GraphQLInputObjectType) and depth
                else values.values_of_type(named_type.name, ids)
            )
            value = draw(below)
            is_list = "[" in str(field.type)
            body[name] = draw(values.long_lists(value)) if is_list and draw(st.booleans()) else [value] if is_list else value
    if draw(st.integers(0, 15)) == 0:
        body |= draw(st.dictionaries(values.hostile_texts(), values.any_json(1), max_size=2))
    return body


def _inline_variables(draw: DrawFn, text: str, variables: Body) -> str:
    """Return the document with its variables replaced by literals and without their declarations."""
    head, brace, rest = text.partition("{")
    for name, value in variables.items():
        literal_text = write_literal(draw, value).replace("\\", r"\\")
        rest = re.sub(rf"\${name}\b", literal_text, rest)
    return re.sub(r"\(.*\)", "", head, flags=re.DOTALL) + brace + rest


def write_literal(draw: DrawFn, value: object) -> str:
    """Return a value as a GraphQL literal, sometimes a number that only a document can contain."""
    if isinstance(value, dict):
        names = {name if re.fullmatch(r"[A-Za-z_]\w*", str(name), re.ASCII) else "a": each for name, each in value.items()}
        return "{" + ", ".join(f"{name}: {write_literal(draw, each)}" for name, each in names.items()) + "}"
    if isinstance(value, list):
        first = write_literal(draw, value[0]) if value else ""
        last = first if not value or value[-1] is value[0] else write_literal(draw, value[-1])  # or it would be written twice
        times = min(len(value), 400, 1 + LARGE // max(len(first), 1))  # nested lists would become endless
        return "[" + ", ".join([first] * (times - 1) + [last]) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool) and draw(st.booleans()):
        return draw(st.sampled_from(["9" * 5_000, "-" + "9" * 5_000, "9" * 20, "1e400", "1.0", "1e2", "-0", "5e-324"]))
    if isinstance(value, str) and re.fullmatch("[A-Z_]+", value):
        return value
    return json.dumps(value)


@st.composite
def hostile_mutations(draw: DrawFn, world: mutation_inputs.World) -> Body:
    """Return a mutation that is valid except for a few places of its input, which contain hostile values."""
    name, alternative = draw(st.sampled_from(mutation_inputs.MUTATION_CASES))
    input_values: Any = mutation_inputs.valid_input(world, name, alternative)
    known_ids = [*world.ids.values()]
    for _ in range(draw(st.integers(1, 3))):
        locations = (
            [*mutation_inputs.iterate_locations(mutation_inputs.input_type(name), input_values)] if isinstance(input_values, dict) else []
        )
        if not locations:
            break
        location = draw(st.sampled_from(locations))
        input_values = mutation_inputs.replace_at(input_values, location.path, draw(_hostile_at_location(location, known_ids)))
        if not _has_shape(name, input_values) or len(json.dumps(input_values)) > LARGE:
            break  # searching for another place would take too long
    if draw(st.integers(0, 2)) == 0:
        text = f"mutation {{ {name}(input: {write_literal(draw, input_values)}) {mutation_inputs.payload_selection(name)} }}"
        return {"query": draw(break_document(text)) if draw(st.booleans()) else text}
    return {"query": mutation_inputs.mutation_document(name), "variables": {"input": input_values}}


def _has_shape(name: str, input_value: object) -> bool:
    """Return whether the input still has the shape of its type, so that another place can be found in it.

    A text in the place of a list can be iterated too, but none of its entries can be replaced.
    """
    try:
        for location in mutation_inputs.iterate_locations(mutation_inputs.input_type(name), input_value):
            mutation_inputs.replace_at(input_value, location.path, None)
    except (AttributeError, KeyError, TypeError):
        return False
    return True


@st.composite
def _hostile_at_location(draw: DrawFn, location: mutation_inputs.InputLocation, known_ids: list[str]) -> object:
    named_type = get_named_type(location.kind)
    if isinstance(named_type, GraphQLInputObjectType):
        value: object = draw(_hostile_objects(named_type, known_ids))
    else:
        value = draw(values.values_of_type(named_type.name, known_ids))
    is_list = isinstance(location.kind, GraphQLList)
    return draw(values.long_lists(value)) if is_list else value

"""Hostile documents: right ones with hostile variables or literals, and the text of right ones broken."""

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

from tests import inputs
from tests.asking import documents
from tests.fuzzing import values

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
def broken_texts(draw: DrawFn, text: str) -> str:
    """The document with some of its tokens taken out, doubled, moved, or others put in."""
    tokens = TOKEN.findall(text)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(tokens) - 1, 0)))
        until = min(len(tokens), place + draw(st.integers(1, 5)))
        how = draw(st.integers(0, 5))
        if how == 0:
            tokens[place:until] = []
        elif how == 1:
            tokens[place:place] = tokens[place:until] * draw(st.sampled_from([1, 2, 30, 300]))
        elif how == 2:
            tokens[place:place] = [draw(st.sampled_from(BIG)) * draw(st.sampled_from([9, 31, 500, 5_000]))]
        elif how == 3:
            tokens[place:until] = [draw(st.sampled_from(PARTS))]
        else:
            tokens[place:place] = [draw(st.sampled_from(PARTS))]
    return " ".join(tokens)


@st.composite
def queries(draw: DrawFn, schema: GraphQLSchema, ids: list[str], cursors: list[str]) -> Body:
    """A query whose text or variables were changed."""
    if draw(st.integers(0, 3)):
        return draw(_pointed(schema, ids))
    made = draw(documents(schema, ids, cursors))
    text, given = made.text, dict(made.variables)
    types: dict[str, str] = dict(re.findall(r"\$(\w+): ([^,)]+)", text.partition("{")[0]))
    for name, kind in types.items():
        if draw(st.integers(0, 2)) == 0:
            given[name] = draw(_hostile(schema, kind, ids))
    if draw(st.integers(0, 2)) == 0:
        text = draw(broken_texts(text))
    elif draw(st.integers(0, 2)) == 0 and types:
        text = _with_literals(draw, text, given)
    return {"query": text, "variables": given}


Path = tuple[str, ...]


@lru_cache
def _places(schema: GraphQLSchema) -> list[Path]:
    """Every scalar in the arguments of every field of the root: the field, the argument, and the fields of inputs on the way."""
    query = schema.query_type
    assert query
    arguments = [((name, each), argument.type) for name, field in query.fields.items() for each, argument in field.args.items()]
    return [(*path, *below) for path, kind in arguments for below in _below(kind)]


def _below(kind: GraphQLInputType, depth: int = 4) -> list[Path]:
    named = get_named_type(kind)
    if not isinstance(named, GraphQLInputObjectType) or not depth:
        return [()]
    return [(name, *below) for name, field in named.fields.items() for below in _below(field.type, depth - 1)]


@st.composite
def _pointed(draw: DrawFn, schema: GraphQLSchema, ids: list[str]) -> Body:
    """A field of the root with a hostile value in one place of its arguments, as a variable or in the document."""
    query = schema.query_type
    assert query
    name, chosen, *path = draw(st.sampled_from(_places(schema)))
    field = query.fields[name]
    wanted = {each: argument for each, argument in field.args.items() if each == chosen or is_required_argument(argument)}
    given = {each: draw(_in_one_place(argument.type, path, ids)) for each, argument in wanted.items()}
    below = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    if draw(st.integers(0, 2)) == 0:
        arguments = ", ".join(f"{each}: {literal(draw, value)}" for each, value in given.items())
        return {"query": f"{{ {name}({arguments}) {below} }}"}
    declared = ", ".join(f"${each}: {argument.type}" for each, argument in wanted.items())
    arguments = ", ".join(f"{each}: ${each}" for each in wanted)
    return {"query": f"query ({declared}) {{ {name}({arguments}) {below} }}", "variables": given}


@st.composite
def _in_one_place(draw: DrawFn, kind: GraphQLInputType, path: Sequence[str], ids: list[str]) -> object:
    """A value that is hostile at the end of the path, with nothing beside it but what must be."""
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        value = draw(_in_one_place(bare.of_type, path, ids))
        return draw(st.one_of(st.just([value]), values.lists(value)))
    if not isinstance(bare, GraphQLInputObjectType):
        return draw(values.of_type(bare.name, ids))
    chosen = path[0] if path and path[0] in bare.fields else next(iter(bare.fields))
    fields = {name: field for name, field in bare.fields.items() if name == chosen or is_required_input_field(field)}
    return {name: draw(_in_one_place(field.type, path[1:], ids)) for name, field in fields.items()}


@st.composite
def _hostile(draw: DrawFn, schema: GraphQLSchema, kind: str, ids: list[str]) -> object:
    """A value for a variable of that type, as the document writes it."""
    named = schema.type_map.get(kind.strip("[]! "))
    if isinstance(named, GraphQLInputObjectType):
        value: object = draw(_objects(named, ids))
    else:
        value = draw(values.of_type(named.name if named else "", ids))
    return draw(values.lists(value)) if "[" in kind else value


@st.composite
def _objects(draw: DrawFn, kind: GraphQLInputObjectType, ids: list[str], depth: int = 3) -> object:
    """An input object with hostile values in some of its fields, and perhaps fields that it has not."""
    if draw(st.integers(0, 15)) == 0:
        return draw(values.anything())
    found: Body = {}
    for name, field in kind.fields.items():
        if draw(st.integers(0, 2)) == 0:
            named = get_named_type(field.type)
            below = (
                _objects(named, ids, depth - 1) if isinstance(named, GraphQLInputObjectType) and depth else values.of_type(named.name, ids)
            )
            value = draw(below)
            is_list = "[" in str(field.type)
            found[name] = draw(values.lists(value)) if is_list and draw(st.booleans()) else [value] if is_list else value
    if draw(st.integers(0, 15)) == 0:
        found |= draw(st.dictionaries(values.texts(), values.anything(1), max_size=2))
    return found


def _with_literals(draw: DrawFn, text: str, given: Body) -> str:
    """The variables written into the document, the declarations left out."""
    head, brace, rest = text.partition("{")
    for name, value in given.items():
        shown = literal(draw, value).replace("\\", r"\\")
        rest = re.sub(rf"\${name}\b", shown, rest)
    return re.sub(r"\(.*\)", "", head, flags=re.DOTALL) + brace + rest


def literal(draw: DrawFn, value: object) -> str:
    """A value as it stands in a document; now and then a number that only a document can hold."""
    if isinstance(value, dict):
        names = {name if re.fullmatch(r"[A-Za-z_]\w*", str(name), re.ASCII) else "a": each for name, each in value.items()}
        return "{" + ", ".join(f"{name}: {literal(draw, each)}" for name, each in names.items()) + "}"
    if isinstance(value, list):
        first = literal(draw, value[0]) if value else ""
        last = first if not value or value[-1] is value[0] else literal(draw, value[-1])  # else twice at each level
        times = min(len(value), 400, 1 + LARGE // max(len(first), 1))  # lists of lists of lists would have no end
        return "[" + ", ".join([first] * (times - 1) + [last]) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool) and draw(st.booleans()):
        return draw(st.sampled_from(["9" * 5_000, "-" + "9" * 5_000, "9" * 20, "1e400", "1.0", "1e2", "-0", "5e-324"]))
    if isinstance(value, str) and re.fullmatch("[A-Z_]+", value):
        return value
    return json.dumps(value)


@st.composite
def mutations(draw: DrawFn, world: inputs.World) -> Body:
    """A mutation that is right but for a few places of its input, which hold hostile values."""
    name, turn = draw(st.sampled_from(inputs.TRIES))
    given: Any = inputs.right(world, name, turn)
    known = [*world.ids.values()]
    for _ in range(draw(st.integers(1, 3))):
        places = [*inputs.places(inputs.input_type(name), given)] if isinstance(given, dict) else []
        if not places:
            break
        place = draw(st.sampled_from(places))
        given = inputs.replaced(given, place.path, draw(_of_place(place, known)))
        if not _is_walkable(name, given) or len(json.dumps(given)) > LARGE:
            break  # to look for another place would take too long
    if draw(st.integers(0, 2)) == 0:
        text = f"mutation {{ {name}(input: {literal(draw, given)}) {inputs.answer(name)} }}"
        return {"query": draw(broken_texts(text)) if draw(st.booleans()) else text}
    return {"query": inputs.document(name), "variables": {"input": given}}


def _is_walkable(name: str, given: object) -> bool:
    """Whether the given still has the shape of its type, so that another place can be found in it.

    A text in the place of a list has entries too, but none that can be replaced.
    """
    try:
        for place in inputs.places(inputs.input_type(name), given):
            inputs.replaced(given, place.path, None)
    except (AttributeError, KeyError, TypeError):
        return False
    return True


@st.composite
def _of_place(draw: DrawFn, place: inputs.Place, known: list[str]) -> object:
    named = get_named_type(place.kind)
    if isinstance(named, GraphQLInputObjectType):
        value: object = draw(_objects(named, known))
    else:
        value = draw(values.of_type(named.name, known))
    is_list = isinstance(place.kind, GraphQLList)
    return draw(values.lists(value)) if is_list else value

"""The sizes of lists are checked before anything is coerced, and coercion is never free."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import strawberry
from graphql import (
    GraphQLInputType,
    GraphQLNonNull,
    get_named_type,
    is_composite_type,
    is_input_object_type,
    is_list_type,
    is_object_type,
)

from db.engine.database import Database
from db.tables import Role
from resolvers.execution.operation import MAX_VARIABLE_ERRORS
from schema.build import build
from server.documents.cost import BASE_COST
from server.documents.variables import MAX_LIST_ITEMS, MAX_OBJECT_FIELDS, VALUES_PER_POINT
from server.settings import Settings
from tests.ask import Api, connected
from tests.builders import Tenant
from tests.snapshots import unchanged

Path = tuple[str, ...]
NESTED = 4  # levels of inputs: deeper ones are the same types again


def lists_of(of: GraphQLInputType, path: Path = ()) -> Iterator[Path]:
    """Every list within an input, as the path to it; an entry of a list is the first."""
    bare = of.of_type if isinstance(of, GraphQLNonNull) else of
    if is_list_type(bare):
        yield path
        path = (*path, "0")
    named = get_named_type(of)
    if is_input_object_type(named) and len(path) < NESTED:
        for name, field in named.fields.items():
            yield from lists_of(field.type, (*path, name))


def all_lists() -> Iterator[tuple[str, str, Path]]:
    """Every list that a field at the root takes: the kind of operation, the field, and the path, which begins with the argument."""
    core = build()._schema  # noqa: SLF001
    for kind, root in (("query", core.query_type), ("mutation", core.mutation_type)):
        assert root is not None
        for name, field in root.fields.items():
            for argument, definition in field.args.items():
                yield from ((kind, name, path) for path in lists_of(definition.type, (argument,)))


LISTS = [*all_lists()]


def test_lists_are_taken_by_fields_at_the_root_alone(schema: strawberry.Schema) -> None:
    """So that the tests below reach all of them."""
    roots = {"Query", "Mutation"}
    for kind in schema._schema.type_map.values():  # noqa: SLF001
        if is_object_type(kind) and kind.name not in roots and not kind.name.startswith("__"):
            assert [
                (kind.name, name) for name, field in kind.fields.items() for each in field.args.values() if [*lists_of(each.type)]
            ] == []
    assert len(LISTS) > 20


def value_at(path: Path, inner: object) -> object:
    """An input with that at the path and nothing else: what is required elsewhere is missing."""
    for step in reversed(path):
        inner = [inner] if step == "0" else {step: inner}
    return inner


def call(schema: strawberry.Schema, kind: str, name: str) -> str:
    """A document that passes each argument of a field by a variable of its name."""
    root = schema._schema.query_type if kind == "query" else schema._schema.mutation_type  # noqa: SLF001
    assert root is not None
    field = root.fields[name]
    declared = ", ".join(f"${each}: {definition.type}" for each, definition in field.args.items())
    given = ", ".join(f"{each}: ${each}" for each in field.args)
    below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return f"{kind} ({declared}) {{ {name}({given}){below} }}"


@pytest.fixture
def api(as_: Callable[..., Api], crowded: Tenant) -> Api:
    return as_(crowded)


@pytest.mark.parametrize(("kind", "name", "path"), LISTS, ids=[f"{name} {'.'.join(path)}" for _, name, path in LISTS])
async def test_a_long_list_is_refused_before_its_entries_are_looked_at(
    schema: strawberry.Schema, api: Api, crowded: Tenant, kind: str, name: str, path: Path
) -> None:
    """The entries are of no type at all and required fields are missing: were anything coerced, that would be said instead."""
    text = call(schema, kind, name)
    argument, *rest = path
    async with unchanged(crowded.owner, crowded.id):
        for length in (MAX_LIST_ITEMS + 1, 15_000):
            body = await api.ask(text, **{argument: value_at(tuple(rest), [{}] * length)})
            (error,) = body["errors"]
            where = ".".join((f"${argument}", *rest))
            assert error["message"] == f"`{where}` has {length} entries; a list has at most {MAX_LIST_ITEMS}. Send several requests."
            assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    body = await api.ask(text, **{argument: value_at(tuple(rest), [{}] * MAX_LIST_ITEMS)})
    assert not any("Send several requests." in error["message"] for error in body["errors"])


async def test_a_long_literal_is_refused_with_its_place(api: Api) -> None:
    """Once for the document, before it is validated."""
    ids = " ".join(['"x"'] * (MAX_LIST_ITEMS + 1))
    body = await api.ask(f"{{\n nodes(ids: [{ids}]) {{ id }} }}")
    (error,) = body["errors"]
    assert error["message"] == f"A list has {MAX_LIST_ITEMS + 1} entries; a list has at most {MAX_LIST_ITEMS}. Send several requests."
    assert (error["locations"], error["extensions"]) == ([{"line": 2, "column": 13}], {"code": "BAD_USER_INPUT"})


async def test_a_variable_that_is_not_declared_is_checked_too(api: Api) -> None:
    """Whether anything takes it is known only later."""
    body = await api.ask("{ __typename }", other={"deep": [[1] * (MAX_LIST_ITEMS + 1)]})
    assert [error["message"][:20] for error in body["errors"]] == ["`$other.deep.0` has "]


def test_no_input_has_as_many_fields_as_an_object_may_have(schema: strawberry.Schema) -> None:
    inputs = [kind for kind in schema._schema.type_map.values() if is_input_object_type(kind)]  # noqa: SLF001
    assert 10 < max(len(kind.fields) for kind in inputs) <= MAX_OBJECT_FIELDS


async def test_an_object_of_too_many_fields_is_refused_before_they_are_looked_at(api: Api) -> None:
    """Each would be an error that shows all of them."""
    query = "query ($f: ClientFilterInput) { clients(filter: $f) { nodes { id } } }"
    for fields in (MAX_OBJECT_FIELDS + 1, 9_000):
        body = await api.ask(query, f={"labels": {f"k{place}": 0 for place in range(fields)}})
        message = f"`$f.labels` has {fields} fields; an object has at most {MAX_OBJECT_FIELDS}."
        assert body["errors"] == [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]
    body = await api.ask(query, f={f"k{place}": {f"k{place}": 0 for place in range(50)} for place in range(50)})
    assert len(body["errors"]) == MAX_VARIABLE_ERRORS + 1


async def test_a_long_name_is_refused_before_anything_is_compared_with_it(api: Api) -> None:
    """A suggestion for it would take time with the square of its length."""
    query = "query ($f: ClientFilterInput) { clients(filter: $f) { nodes { id } } }"
    body = await api.ask(query, f={"labels": {"any" * 200_000: []}})
    message = "`$f.labels` has a field with a name of 600000 characters. No field has such a name."
    assert body["errors"] == [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]


@pytest.mark.parametrize(("text", "has_suggestion"), [("ACTIV", True), ("ACTIV" + "E" * 300, False)])
async def test_nothing_is_suggested_for_a_long_text(api: Api, text: str, has_suggestion: bool) -> None:
    query = "query ($s: ClientStatus!) { clients(filter: {status: $s}) { nodes { id } } }"
    (error,) = (await api.ask(query, s=text))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert ("Did you mean" in error["message"]) == has_suggestion


@pytest.mark.parametrize("text", ["\u0130\u0130\u0130", "\u0130" * 50])
async def test_a_capital_of_several_small_letters_is_no_failure(api: Api, text: str) -> None:
    """As the value of an enum in a variable and in the document, and as the name of a field."""
    query = "query ($o: ClientOrderInput) { clients(orderBy: $o) { __typename } }"
    literal = f'{{ clients(orderBy: {{field: "{text}"}}) {{ __typename }} }}'
    answers = [await api.ask(query, o={"field": text}), await api.ask(query, o={"field": "NAME", text: 1}), await api.ask(literal)]
    codes = [error["extensions"]["code"] for answer in answers for error in answer["errors"]]
    assert codes == ["BAD_USER_INPUT", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"]


@pytest.fixture
async def poor(database: Database, schema: strawberry.Schema, crowded: Tenant) -> AsyncIterator[Api]:
    """A token that has few points and gets none back soon."""
    settings = Settings(rate_limit_burst=3 * BASE_COST + 20, rate_limit_restore=1, max_auth_failures=10**6)
    async with connected(schema, database, settings) as http:
        yield Api(http, crowded.tokens[Role.VIEWER])


async def test_an_empty_bucket_is_refused_before_coercion(poor: Api) -> None:
    """Each request whose variables are refused costs what reading a request costs; then nothing is coerced any more."""
    query = "query ($n: Int) { clients(first: $n) { nodes { id } } }"
    answers = [await poor.post({"query": query, "variables": {"n": "x"}}) for _ in range(5)]
    codes = [(answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) for answer in answers]
    assert codes == [(200, "BAD_USER_INPUT")] * 3 + [(429, "RATE_LIMITED")] * 2
    assert answers[-1].headers["retry-after"] == "5"


async def test_what_is_refused_after_coercion_is_not_free(poor: Api) -> None:
    """Whether it may cost more than any operation or more than what is left."""
    below = "contacts(first: $m) { nodes { clients(first: $m) { nodes { id } } } }"
    query = f"query ($n: Int, $m: Int) {{ clients(first: $n) {{ nodes {{ {below} }} }} }}"
    asked = [{"n": 100, "m": 100}, {"n": 100, "m": 0}, {"n": 100, "m": 0}, {"n": 1, "m": 0}]
    answers = [(await poor.post({"query": query, "variables": variables})).json()["errors"][0] for variables in asked]
    assert [answer["extensions"]["code"] for answer in answers] == ["QUERY_TOO_COMPLEX", *["RATE_LIMITED"] * 3]
    assert answers[1]["message"].startswith("This may cost 226 points")
    assert answers[3]["message"] == f"This costs at least {BASE_COST} points, and there are not as many left. Try again in 5 seconds."


async def test_many_values_that_are_refused_cost_more(poor: Api) -> None:
    """Coercing a thousand takes as long as a hundred objects do."""
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    wrong = {"ids": [{"a": [0] * 90} for _ in range(10)]}  # 921 values
    answers = [await poor.post({"query": query, "variables": wrong}) for _ in range(2)]
    assert [answer.json()["errors"][0]["extensions"]["code"] for answer in answers] == ["BAD_USER_INPUT", "RATE_LIMITED"]
    owed = BASE_COST - (3 * BASE_COST + 20 - BASE_COST - 921 // VALUES_PER_POINT)
    assert owed - 1 <= int(answers[1].headers["retry-after"]) <= owed

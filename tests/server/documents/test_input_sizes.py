"""The sizes of lists and objects are checked before coercion, and coercion costs points."""

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
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant
from tests.support.snapshots import assert_unchanged

Path = tuple[str, ...]
MAX_INPUT_LEVELS = 4  # deeper inputs repeat the same types


def list_paths(input_type: GraphQLInputType, path: Path = ()) -> Iterator[Path]:
    """Yield the path to every list within an input type. `0` stands for an entry of a list."""
    bare = input_type.of_type if isinstance(input_type, GraphQLNonNull) else input_type
    if is_list_type(bare):
        yield path
        path = (*path, "0")
    named_type = get_named_type(input_type)
    if is_input_object_type(named_type) and len(path) < MAX_INPUT_LEVELS:
        for name, field in named_type.fields.items():
            yield from list_paths(field.type, (*path, name))


def root_field_lists() -> Iterator[tuple[str, str, Path]]:
    """Yield every list in the arguments of root fields: the kind of operation, the field, and the path from the argument on."""
    core = build()._schema  # noqa: SLF001
    for kind, root in (("query", core.query_type), ("mutation", core.mutation_type)):
        assert root is not None
        for name, field in root.fields.items():
            for argument, definition in field.args.items():
                yield from ((kind, name, path) for path in list_paths(definition.type, (argument,)))


LISTS = [*root_field_lists()]


def test_only_root_fields_have_list_arguments(schema: strawberry.Schema) -> None:
    """The tests below cover root fields only."""
    roots = {"Query", "Mutation"}
    for kind in schema._schema.type_map.values():  # noqa: SLF001
        if is_object_type(kind) and kind.name not in roots and not kind.name.startswith("__"):
            assert [
                (kind.name, name) for name, field in kind.fields.items() for each in field.args.values() if [*list_paths(each.type)]
            ] == []
    assert len(LISTS) > 20


def build_value_at(path: Path, inner: object) -> object:
    """Return an input that has only the value at the path, without the required fields beside it."""
    for step in reversed(path):
        inner = [inner] if step == "0" else {step: inner}
    return inner


def build_call(schema: strawberry.Schema, kind: str, name: str) -> str:
    """Return a document that passes each argument of a field as a variable of the same name."""
    root = schema._schema.query_type if kind == "query" else schema._schema.mutation_type  # noqa: SLF001
    assert root is not None
    field = root.fields[name]
    declared = ", ".join(f"${each}: {definition.type}" for each, definition in field.args.items())
    arguments = ", ".join(f"{each}: ${each}" for each in field.args)
    below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return f"{kind} ({declared}) {{ {name}({arguments}){below} }}"


@pytest.fixture
def api(api_for: Callable[..., Api], sample_org: Tenant) -> Api:
    return api_for(sample_org)


@pytest.mark.parametrize(("kind", "name", "path"), LISTS, ids=[f"{name} {'.'.join(path)}" for _, name, path in LISTS])
async def test_too_long_list_is_rejected_before_its_entries_are_read(
    schema: strawberry.Schema, api: Api, sample_org: Tenant, kind: str, name: str, path: Path
) -> None:
    """The entries have no valid type and required fields are missing: coercion would report that instead."""
    text = build_call(schema, kind, name)
    argument, *rest = path
    async with assert_unchanged(sample_org.owner, sample_org.id):
        for length in (MAX_LIST_ITEMS + 1, 15_000):
            body = await api.execute(text, **{argument: build_value_at(tuple(rest), [{}] * length)})
            (error,) = body["errors"]
            where = ".".join((f"${argument}", *rest))
            assert error["message"] == f"`{where}` has {length} entries; a list has at most {MAX_LIST_ITEMS}. Send several requests."
            assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": [argument, *rest]}
    body = await api.execute(text, **{argument: build_value_at(tuple(rest), [{}] * MAX_LIST_ITEMS)})
    assert not any("Send several requests." in error["message"] for error in body["errors"])


async def test_too_long_literal_is_rejected_with_its_location(api: Api) -> None:
    """There is one error for the document, before it is validated."""
    ids = " ".join(['"x"'] * (MAX_LIST_ITEMS + 1))
    body = await api.execute(f"{{\n nodes(ids: [{ids}]) {{ id }} }}")
    (error,) = body["errors"]
    assert error["message"] == f"A list has {MAX_LIST_ITEMS + 1} entries; a list has at most {MAX_LIST_ITEMS}. Send several requests."
    assert (error["locations"], error["extensions"]) == ([{"line": 2, "column": 13}], {"code": "BAD_USER_INPUT"})


async def test_undeclared_variable_is_checked_too(api: Api) -> None:
    """At this point it is not known yet which variables are used."""
    body = await api.execute("{ __typename }", other={"deep": [[1] * (MAX_LIST_ITEMS + 1)]})
    assert [(error["message"][:20], error["extensions"]["path"]) for error in body["errors"]] == [
        ("`$other.deep.0` has ", ["other", "deep", "0"])
    ]


def test_no_input_has_as_many_fields_as_an_object_may_have(schema: strawberry.Schema) -> None:
    inputs = [kind for kind in schema._schema.type_map.values() if is_input_object_type(kind)]  # noqa: SLF001
    assert 10 < max(len(kind.fields) for kind in inputs) <= MAX_OBJECT_FIELDS


async def test_object_with_too_many_fields_is_rejected_first(api: Api) -> None:
    """Otherwise each unknown field would cause an error that lists all fields."""
    query = "query ($f: ClientFilterInput) { clients(filter: $f) { nodes { id } } }"
    for fields in (MAX_OBJECT_FIELDS + 1, 9_000):
        body = await api.execute(query, f={"labels": {f"k{index}": 0 for index in range(fields)}})
        message = f"`$f.labels` has {fields} fields; an object has at most {MAX_OBJECT_FIELDS}."
        assert body["errors"] == [{"message": message, "extensions": {"code": "BAD_USER_INPUT", "path": ["f", "labels"]}}]
    body = await api.execute(query, f={f"k{index}": {f"k{index}": 0 for index in range(50)} for index in range(50)})
    assert len(body["errors"]) == MAX_VARIABLE_ERRORS + 1


async def test_too_long_name_is_rejected_before_comparisons(api: Api) -> None:
    """The time to compute a suggestion grows with the square of the name's length."""
    query = "query ($f: ClientFilterInput) { clients(filter: $f) { nodes { id } } }"
    body = await api.execute(query, f={"labels": {"any" * 200_000: []}})
    message = "`$f.labels` has a field with a name of 600000 characters. No field has a name that long."
    assert body["errors"] == [{"message": message, "extensions": {"code": "BAD_USER_INPUT", "path": ["f", "labels"]}}]


@pytest.mark.parametrize(("text", "has_suggestion"), [("ACTIV", True), ("ACTIV" + "E" * 300, False)])
async def test_no_suggestions_for_a_long_text(api: Api, text: str, has_suggestion: bool) -> None:
    query = "query ($s: ClientStatus!) { clients(filter: {status: $s}) { nodes { id } } }"
    (error,) = (await api.execute(query, s=text))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": ["s"]}
    assert ("Did you mean" in error["message"]) == has_suggestion


@pytest.mark.parametrize("text", ["\u0130\u0130\u0130", "\u0130" * 50])
async def test_letter_with_a_longer_lower_case_form_causes_no_error(api: Api, text: str) -> None:
    """The letter occurs as an enum value in a variable and in the document, and as the name of a field."""
    query = "query ($o: ClientOrderInput) { clients(orderBy: $o) { __typename } }"
    literal = f'{{ clients(orderBy: {{field: "{text}"}}) {{ __typename }} }}'
    answers = [
        await api.execute(query, o={"field": text}),
        await api.execute(query, o={"field": "NAME", text: 1}),
        await api.execute(literal),
    ]
    codes = [error["extensions"]["code"] for answer in answers for error in answer["errors"]]
    assert codes == ["BAD_USER_INPUT", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"]


@pytest.fixture
async def api_with_few_points(database: Database, schema: strawberry.Schema, sample_org: Tenant) -> AsyncIterator[Api]:
    """Create an API client whose token has few points and gets none back soon."""
    settings = Settings(rate_limit_burst=3 * BASE_COST + 20, rate_limit_restore=1, max_auth_failures=10**6)
    async with connect_client(schema, database, settings) as http:
        yield Api(http, sample_org.tokens[Role.VIEWER])


async def test_an_empty_bucket_is_refused_before_coercion(api_with_few_points: Api) -> None:
    """Each request with rejected variables costs the base cost. Without points nothing is coerced any more."""
    query = "query ($n: Int) { clients(first: $n) { nodes { id } } }"
    answers = [await api_with_few_points.post({"query": query, "variables": {"n": "x"}}) for _ in range(5)]
    codes = [(answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) for answer in answers]
    assert codes == [(200, "BAD_USER_INPUT")] * 3 + [(429, "RATE_LIMITED")] * 2
    assert answers[-1].headers["retry-after"] == "5"


async def test_rejected_variables_cost_points(api_with_few_points: Api) -> None:
    """This holds if the operation may cost more than is allowed, or more than is left."""
    below = "contacts(first: $m) { nodes { clients(first: $m) { nodes { id } } } }"
    query = f"query ($n: Int, $m: Int) {{ clients(first: $n) {{ nodes {{ {below} }} }} }}"
    variable_sets = [{"n": 100, "m": 100}, {"n": 100, "m": 0}, {"n": 100, "m": 0}, {"n": 1, "m": 0}]
    answers = [
        (await api_with_few_points.post({"query": query, "variables": variables})).json()["errors"][0] for variables in variable_sets
    ]
    assert [answer["extensions"]["code"] for answer in answers] == ["QUERY_TOO_COMPLEX", *["RATE_LIMITED"] * 3]
    assert answers[1]["message"].startswith("The operation may cost 226 points")
    assert answers[3]["message"] == f"The request costs at least {BASE_COST} points, but fewer are left. Try again in 5 seconds."


async def test_many_rejected_values_cost_more(api_with_few_points: Api) -> None:
    """Coercing a thousand values takes as long as reading a hundred objects."""
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    wrong = {"ids": [{"a": [0] * 90} for _ in range(10)]}  # 921 values
    answers = [await api_with_few_points.post({"query": query, "variables": wrong}) for _ in range(2)]
    assert [answer.json()["errors"][0]["extensions"]["code"] for answer in answers] == ["BAD_USER_INPUT", "RATE_LIMITED"]
    expected_debt = BASE_COST - (3 * BASE_COST + 20 - BASE_COST - 921 // VALUES_PER_POINT)
    assert expected_debt - 1 <= int(answers[1].headers["retry-after"]) <= expected_debt

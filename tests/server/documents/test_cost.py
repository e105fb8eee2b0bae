"""The cost of an operation equals the cost calculated by hand from the weights and list sizes in the schema."""

from collections.abc import Callable
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, parse
from hypothesis import given
from hypothesis import strategies as some

from db.engine.database import Database
from db.tables import Role
from server.documents.cache import Document, DocumentCache
from server.documents.cost import BASE_COST, INTROSPECTION_COST, compute_field_costs
from server.documents.limits import check_limits
from server.limit_settings import DocumentLimits
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, Api, connect_client
from tests.support.builders import Tenant

LIMITS = DocumentLimits()
FIRST_ID, SECOND_ID = "cli_AAAAAAAAAAAAAAAAAAAAAQ", "lab_AAAAAAAAAAAAAAAAAAAAAg"


@pytest.fixture(scope="module")
def parse_document(schema: strawberry.Schema) -> Callable[[str], Document]:
    return DocumentCache(schema._schema, LIMITS, max_bytes=HUGE_LIMIT, shows_schema=True).get_or_parse  # noqa: SLF001


def estimate_cost(document: Document, **variables: object) -> int:
    assert not document.errors, document.errors
    (operation,) = document.operations
    return operation.estimate_cost(operation.coerce(variables)).maximum - BASE_COST


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ __typename }", {}, 0),
        ("{ viewer { permissions } }", {}, 1),
        ("{ clients { nodes { name } } }", {}, 1 + 25),
        ("{ clients(first: 7) { nodes { name number } } }", {}, 1 + 7),
        ("{ clients(last: 7) { nodes { name } } }", {}, 1 + 7),
        ("{ clients(first: 7) { edges { node { name } } } }", {}, 1 + 7 * 2),
        ("{ clients(first: 7) { nodes { id } pageInfo { endCursor } } }", {}, 1 + 7 + 1),
        ("{ clients(first: 7) { nodes { labels { name } } } }", {}, 1 + 7 * (1 + 10)),
        ("{ clients(first: 2) { nodes { contacts(first: 3) { nodes { id } } } } }", {}, 1 + 2 * (1 + 1 + 3)),
        ("{ a: clients(first: 2) { nodes { id } } b: clients(first: 3) { nodes { id } } }", {}, 1 + 2 + 1 + 3),
        ("query ($n: Int) { clients(first: $n) { nodes { id } } }", {"n": 9}, 1 + 9),
        ("query ($n: Int) { clients(first: $n) { nodes { id } } }", {}, 1 + 25),
        ("query ($n: Int = 4) { clients(first: $n) { nodes { id } } }", {}, 1 + 4),
        ("query ($n: Int = 4) { clients(first: $n) { nodes { id } } }", {"n": None}, 1 + 25),
        ("query ($n: Int) { clients(first: $n) { nodes { id } } }", {"n": 10**9}, 1 + 100),
        ("query ($n: Int) { clients(first: $n) { nodes { id } } }", {"n": -5}, 1),
        ("query ($n: Int) { clients(first: $n) { nodes { id } } }", {"n": 100.0}, 1 + 100),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [FIRST_ID, SECOND_ID, FIRST_ID]}, 3),
        (f'{{ nodes(ids: ["{FIRST_ID}", "{SECOND_ID}"]) {{ id ... on Client {{ labels {{ id }} }} }} }}', {}, 2 * (1 + 10)),
        ("query ($no: Boolean!) { clients(first: 2) { nodes { id labels @include(if: $no) { id } } } }", {"no": False}, 1 + 2),
        ("query ($no: Boolean!) { clients(first: 2) { nodes { id labels @skip(if: $no) { id } } } }", {"no": False}, 1 + 2 * 11),
        (
            "{ clients(first: 2) { ...A } } fragment A on ClientConnection { nodes { ...B } } fragment B on Client { labels { id } }",
            {},
            1 + 2 * 11,
        ),
        ("{ clients(first: 2) { ... { nodes { ... on Node { id } ... on Client { address { city } } } } } }", {}, 1 + 2 * 2),
        (
            "mutation ($x: ClientBulkUpsertInput!) { clientBulkUpsert(input: $x) { userErrors { code } } }",
            {"x": {"clients": [{"name": "a"}] * 3}},
            3 * 100 + 1 + 5,
        ),
        (
            "mutation ($c: [ClientUpsertInput!]!) { clientBulkUpsert(input: {clients: $c}) { userErrors { code } } }",
            {"c": [{"name": "a"}] * 2},
            2 * 100 + 1 + 5,
        ),
        (
            "mutation ($x: ClientBulkUpsertInput!) { clientBulkUpsert(input: $x) { results { client { name } } } }",
            {"x": {"clients": [{"name": "a"}] * 3}},
            1 + 3 * (100 + 1 + 1),
        ),
        ('mutation { clientBulkUpsert(input: {clients: [{name: "a"}]}) { userErrors { code } } }', {}, 100 + 1 + 5),
        ("{ __schema { types { name } } }", {}, INTROSPECTION_COST),
        (  # `totalCount` at the root counts all rows of the organization; below an object or a page it counts few
            "{" + " ".join(f"a{n}: registrations(first: 1, filter: {{isBillable: true}}) {{ totalCount }}" for n in range(20)) + "}",
            {},
            20 * (1 + 450),
        ),
        ('{ clients(search: "a") { totalCount } contacts(search: "a") { totalCount } }', {}, 1 + 300 + 1 + 180),
        ("{ clients(first: 9) { nodes { registrations { totalCount } } } }", {}, 1 + 9 * (1 + 1 + 2)),
        ("{ clients { revenue { since } } }", {}, 1 + 1 + 600),
    ],
)
def test_cost_is_the_maximum_number_of_objects(
    parse_document: Callable[[str], Document], query: str, variables: dict[str, Any], cost: int
) -> None:
    """The cost follows from the requested page sizes and the variables of the request. It is the same for the second request."""
    document = parse_document(query)
    assert [estimate_cost(document, **variables), estimate_cost(document, **variables)] == [cost, cost]


def test_cost_is_cached_by_relevant_variables(parse_document: Callable[[str], Document]) -> None:
    """The key of a cached cost contains all variables that can matter, even those that did not matter this time."""
    document = parse_document(
        "query ($all: Boolean!, $n: Int) { clients(first: 1) { nodes { id contacts(first: $n) @include(if: $all) { nodes { id } } } } }"
    )
    costs = [estimate_cost(document, all=is_all, n=n) for is_all, n in ((False, 1), (True, 1), (True, 50), (False, 50), (True, None))]
    assert costs == [2, 2 + 2, 2 + 51, 2, 2 + 26]


def paged_fields(schema: strawberry.Schema) -> list[tuple[str, str]]:
    """Return the root fields with a paging argument, and the name of that argument."""
    root_prices = compute_field_costs(schema._schema)["Query"]  # noqa: SLF001
    return [
        (name, argument)
        for name, price in root_prices.items()
        for argument in price.slicing_arguments
        if "." not in argument and price.sized_fields
    ]


@pytest.mark.parametrize("number", [100.0, 7.0, 7])
def test_float_costs_the_same_as_an_int(schema: strawberry.Schema, parse_document: Callable[[str], Document], number: float) -> None:
    """A float without a fraction is a valid Int. An earlier version counted 25 entries for 100.0 on a page of 100."""
    assert paged_fields(schema)
    for field, argument in paged_fields(schema):
        text = "{ %s(%s: %s) { nodes { id } edges { node { id } } } }"
        variable = parse_document("query ($n: Int) " + text % (field, argument, "$n"))
        literal = parse_document(text % (field, argument, str(int(number))))
        assert estimate_cost(variable, n=number) == estimate_cost(literal) > int(number)


SIZES = some.none() | some.integers(0, 100)
FLAGS = some.booleans()


@given(SIZES, SIZES, FLAGS, FLAGS)
def test_variables_cost_the_same_as_literals(
    parse_document: Callable[[str], Document], first: int | None, inner: int | None, is_in: bool, is_out: bool
) -> None:
    """The example nests pages, has conditions on fields and fragments, and spreads a fragment twice."""
    text = """{ clients(first: FIRST) { edges @include(if: IS_IN) { node { ...A } } nodes { id ...A @skip(if: IS_OUT) ...B } } }
        fragment A on Client { contacts(first: INNER) { nodes @skip(if: IS_OUT) { id } totalCount }
            ... @include(if: IS_IN) { labels { id } } }
        fragment B on Client { contacts(first: INNER) { nodes { clients(last: INNER) { edges { node { id } } } } } }"""
    values = {"FIRST": first, "INNER": inner, "IS_IN": is_in, "IS_OUT": is_out}
    literal = variable = text
    for name, value in values.items():
        literal = literal.replace(name, "null" if value is None else str(value).lower())
        variable = variable.replace(name, f"${name}")
    declared = "query ($FIRST: Int, $INNER: Int, $IS_IN: Boolean!, $IS_OUT: Boolean!) "
    assert estimate_cost(parse_document(declared + variable), **values) == estimate_cost(parse_document(literal))


async def test_cost_is_returned_on_request(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    """The extension contains the maximum cost, the actual cost and the points that are left."""
    query = "query { clients(first: 70) { nodes { id labels { id } } } }"
    api = api_for(sample_org)
    plain = (await api.post({"query": query})).json()
    body = (await api.post({"query": query, "extensions": {"cost": True}})).json()
    assert "extensions" not in plain
    assert body["data"] == plain["data"]
    nodes = body["data"]["clients"]["nodes"]
    actual = 1 + len(nodes) + sum(len(node["labels"]) for node in nodes)
    cost = body["extensions"]["cost"]
    assert (cost["requested"], cost["actual"]) == (BASE_COST + 1 + 70 * 11, BASE_COST + actual)
    assert cost["throttle"].keys() == {"maximumAvailable", "restoreRate", "currentlyAvailable"}
    assert 0 < cost["throttle"]["currentlyAvailable"] <= cost["throttle"]["maximumAvailable"]


@pytest.mark.parametrize("is_compiled", [True, False])
async def test_weight_below_a_list_counts_for_each_entry(
    database: Database, schema: strawberry.Schema, sample_org: Tenant, is_compiled: bool
) -> None:
    """This holds for `nodes` and `edges`, and a page with fewer entries than its maximum costs only what it has."""
    query = """{ clients(first: 100) { nodes { ...A } edges { node { contacts(first: 3) { totalCount } ...A } } } }
        fragment A on Client { archivePreview { projectCount } }"""
    settings = Settings(max_auth_failures=HUGE_LIMIT, rate_limit_burst=HUGE_LIMIT, compiled_executor=is_compiled, max_cost=HUGE_LIMIT)
    async with connect_client(schema, database, settings) as http:
        answer = (await Api(http, sample_org.tokens[Role.OWNER]).post({"query": query, "extensions": {"cost": True}})).json()
    entries = len(answer["data"]["clients"]["nodes"])
    objects = 1 + entries * (1 + 1) + entries * (1 + 1 + 1 + 1)
    weights = entries * (2 * 50 + 2)
    assert entries == 60
    assert answer["extensions"]["cost"]["actual"] == BASE_COST + objects + weights
    assert answer["extensions"]["cost"]["requested"] == BASE_COST + 1 + 100 * (2 + 50) + 100 * (2 + 50 + 1 + 1 + 2)


def document_of(depth: int, wide: int, aliases: int, directives: int) -> DocumentNode:
    """Return a document with exactly this depth and these numbers of root fields, aliases and directives."""
    path = "{ a " * (depth - 1) + "{ b }" + "}" * (depth - 1)
    more = "".join(f" n{index}" for index in range(wide - 1))
    fields_text = "".join(f" x{index}: c" for index in range(aliases))
    with_directives = "fragment D on Query { d" + " @e" * directives + " }"
    return parse(path[:-1] + more + " ...N } fragment N on Query { k {" + fields_text + " z } } " + with_directives)


@given(some.integers(3, 30), some.integers(1, 40), some.integers(0, 60), some.integers(0, 40))
def test_document_statistics_are_exact(depth: int, wide: int, aliases: int, directives: int) -> None:
    """Each exceeded limit is named in an error, and there is no other error."""
    errors = " ".join(error.message for error in check_limits(document_of(depth, wide, aliases, directives), LIMITS))
    assert ("levels deep" in errors) == (depth > LIMITS.depth)
    assert ("root fields" in errors) == (wide + 1 > LIMITS.root_fields)
    assert ("aliases" in errors) == (aliases > LIMITS.aliases)
    assert ("directives" in errors) == (directives > LIMITS.directives)


def test_fields_of_fragments_count_for_each_spread() -> None:
    """A fragment that is spread twice counts twice, at any depth."""
    lattice = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(120))
    doubled = parse("{ a { ...F0 } } " + lattice + "fragment F120 on Query { x }")
    assert [error.message for error in check_limits(doubled, LIMITS)] == ["The document has more than 400 fields. Send several requests."]
    few = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(8))
    assert check_limits(parse("{ a { ...F0 } } " + few + "fragment F8 on Query { x }"), LIMITS) == []

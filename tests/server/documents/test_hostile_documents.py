"""Documents that are expensive, that guess names or that use unsupported features are rejected before any data is read."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import asyncpg
import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, Api, connect_client
from tests.support.builders import Tenant, create_sample_org
from tests.support.error_codes import GRAPHQL_JSON, INVALID, TOO_COMPLEX, error_codes, fetch_error_codes, sent_statements
from tests.support.ids import global_id
from tests.support.snapshots import assert_unchanged

TOTAL = "{ clients { totalCount } }"


@pytest.fixture
async def api(database: Database, schema: strawberry.Schema, sample_org: Tenant) -> AsyncIterator[Api]:
    """Create an API client whose documents may wait long: the pauses between parsing them are long on a busy machine."""
    patient = Settings(max_auth_failures=HUGE_LIMIT, rate_limit_burst=HUGE_LIMIT, queue_timeout=60)
    async with connect_client(schema, database, patient) as http:
        yield Api(http, sample_org.tokens[Role.OWNER])


def nest_fields(levels: int) -> str:
    """Return a document of clients of contacts of clients, with this number of levels of fields."""
    around = ["clients", "nodes", "contacts", "nodes"]
    return "{ " + " { ".join(around[level % 4] for level in range(levels - 1)) + " { __typename" + " }" * levels


@pytest.mark.parametrize(
    "query",
    [
        nest_fields(11),
        nest_fields(200),
        "{ a " * 50_000 + "}" * 50_000,
        "{ clients(filter: " + "[" * 5000 + "]" * 5000 + ") { totalCount } }",
        "{ clients(filter: " + "{a: " * 300 + "1" + "}" * 300 + ") { totalCount } }",
        "query ($x: " + "[" * 5000 + "Int" + "]" * 5000 + ") " + TOTAL,
        "{ " + "... { " * 300 + "__typename" + " }" * 300 + " }",
    ],
    ids=["11 levels", "200 levels", "50,000 levels", "a list", "an object", "a type", "inline fragments"],
)
async def test_q2_too_deep_document_is_rejected(api: Api, statements: list[str], query: str) -> None:
    """Depth is limited for fields, literals, types and fragments. A document with ten levels of fields is answered."""
    assert await fetch_error_codes(api, query) == {TOO_COMPLEX}
    assert sent_statements(statements) == []
    assert "errors" not in await api.execute(
        nest_fields(10).replace("contacts", "contacts(first: 1)").replace("clients", "clients(first: 1)")
    )


def repeat_alias(count: int) -> str:
    return "{ clients(first: 1) { nodes { " + " ".join(f"a{index}: name" for index in range(count)) + " } } }"


END = "fragment F120 on Query { __typename }"


@pytest.mark.parametrize(
    ("query", "expected_code"),
    [
        (repeat_alias(31), TOO_COMPLEX),
        (repeat_alias(5000), TOO_COMPLEX),
        ("{ viewer { permissions " + "@include(if: true) " * 21 + "} }", TOO_COMPLEX),
        ("{ __typename " + "@a " * 5000 + "}", TOO_COMPLEX),
        ("{ " + "__typename " * 3000 + "}", TOO_COMPLEX),
        ("{ clients { nodes { " + "name " * 401 + "} } }", TOO_COMPLEX),
        ("{ clients { nodes { " + "".join(f"x: address {{ a{index}: line1 }} " for index in range(500)) + "} } }", TOO_COMPLEX),
        ("{ clients { nodes { " + "".join(f"contacts(first: {index}) {{ totalCount }} " for index in range(1, 31)) + "} } }", INVALID),
        ("{ clients { nodes { " + "".join(f"contacts(first: {index}) {{ totalCount }} " for index in range(190)) + "} } }", TOO_COMPLEX),
        ("{ clients { nodes { " + "contacts { nodes { id } } " * 300 + "} } }", TOO_COMPLEX),
        ("{ clients { nodes { " + "contacts { nodes { id } } " * 120 + "} } }", TOO_COMPLEX),
        ("{ ...F0 } " + "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(120)) + END, TOO_COMPLEX),
    ],
    ids=[
        "31 aliases", "5,000 aliases", "21 directives", "5,000 directives", "3,000 equal fields", "401 equal fields",
        "500 conflicting fields", "30 conflicting fields", "190 conflicting fields", "300 repeats", "120 repeats", "a lattice of fragments",
    ],
)  # fmt: skip
async def test_q3_too_large_document_is_rejected(api: Api, statements: list[str], query: str, expected_code: str) -> None:
    """Aliases, directives, repeated fields and conflicting fields are all limited."""
    assert await fetch_error_codes(api, query) == {expected_code}
    assert sent_statements(statements) == []


async def test_q3_document_at_its_limits_is_answered(api: Api) -> None:
    """The document has thirty aliases. A field may be selected twice."""
    (client,) = (await api.data(repeat_alias(30)))["clients"]["nodes"]
    assert client == {f"a{index}": "Client 00000" for index in range(30)}
    assert await api.data("{ clients { totalCount totalCount } }") == {"clients": {"totalCount": 60}}


ONE_TO_A_HUNDRED = "`first` must be between 1 and 100."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("first: 0", ONE_TO_A_HUNDRED),
        ("first: -1", ONE_TO_A_HUNDRED),
        ("first: 101", ONE_TO_A_HUNDRED),
        ("first: 2147483647", ONE_TO_A_HUNDRED),
        ("last: 0", "`last` must be between 1 and 100."),
        ("first: 1, last: 1", "A page is read either forwards or backwards. Pass `first` and `after`, or `last` and `before`, not both."),
    ],
)
@pytest.mark.parametrize("root", ["clients", "contacts", "labels"])
async def test_q4_a_page_has_one_to_a_hundred_entries(api: Api, statements: list[str], root: str, arguments: str, message: str) -> None:
    """Other values are rejected with the allowed range, and nothing is read."""
    body = await api.execute(f"{{ {root}({arguments}) {{ nodes {{ id }} }} }}")
    assert body["data"] == {root: None}
    assert [(error["message"], error["extensions"]["code"]) for error in body["errors"]] == [(message, "BAD_USER_INPUT")]
    assert sent_statements(statements) == []


@pytest.mark.parametrize("arguments", ["first: 0", "first: 101", "last: -1"])
async def test_q4_page_size_below_a_list_is_limited_too(api: Api, arguments: str) -> None:
    """The field is null for each entry of the list, with an error."""
    body = await api.execute(f"{{ clients(first: 2) {{ nodes {{ name contacts({arguments}) {{ nodes {{ id }} }} }} }} }}")
    assert body["data"]["clients"]["nodes"] == [{"name": f"Client 0000{index}", "contacts": None} for index in range(2)]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("arguments", ["", "(first: null)", "(first: 25)"])
async def test_q4_page_has_25_entries_by_default(api: Api, arguments: str) -> None:
    """Null is the same as no argument."""
    assert len((await api.data(f"{{ clients{arguments} {{ nodes {{ id }} }} }}"))["clients"]["nodes"]) == 25


async def test_q4_invalid_number_is_rejected(api: Api) -> None:
    """The number is beyond 32 bits, and is rejected before anything runs."""
    assert await fetch_error_codes(api, "{ clients(first: 2147483648) { nodes { id } } }") == {INVALID}


LARGE = ("clients", "nodes", "contacts", "nodes") * 2


@pytest.mark.parametrize("levels", [6, 8])
async def test_q6_nested_pages_are_rejected_by_cost(api: Api, statements: list[str], levels: int) -> None:
    """Every page has the maximum size, to the maximum depth. The document is not executed, and the error contains the cost."""
    body = "id"
    for name in reversed(LARGE[:levels]):
        body = f"{name}{'(first: 100)' if name != 'nodes' else ''} {{ {body} }}"
    response = await api.post({"query": f"{{ {body} }}"}, accept=GRAPHQL_JSON)
    assert error_codes(response) == {TOO_COMPLEX}
    assert "20000 are allowed" in response.json()["errors"][0]["message"]
    assert sent_statements(statements) == []


async def test_q6_cost_by_variables_is_the_same(api: Api, statements: list[str]) -> None:
    """The same document with small pages is answered."""
    query = """query ($n: Int) { clients(first: $n) { nodes { contacts(first: $n) { nodes { clients(first: $n) { nodes { id } } } } } } }"""
    assert await fetch_error_codes(api, query, variables={"n": 100}) == {TOO_COMPLEX}
    assert sent_statements(statements) == []
    assert len((await api.data(query, n=2))["clients"]["nodes"]) == 2


@pytest.mark.parametrize(
    ("query", "name", "expected_code"),
    [
        (" ".join(f"query Q{index} {{ __typename }}" for index in range(2000)), "Q1", TOO_COMPLEX),
        (" ".join(f"query Q{index} {{ __typename }}" for index in range(21)), "Q1", TOO_COMPLEX),
        (f"query A {TOTAL}", "B", "BAD_REQUEST"),
        (f"query A {TOTAL}", "", "BAD_REQUEST"),
        (f"query A {TOTAL} query B {TOTAL}", None, "BAD_REQUEST"),
        (f"{TOTAL} query A {TOTAL}", "A", INVALID),
        (f"query A {TOTAL} query A {TOTAL}", "A", INVALID),
        (f"fragment A on Query {TOTAL}", None, INVALID),
    ],
    ids=["2,000", "21", "an unknown name", "an empty name", "no name", "one without a name", "the same name twice", "none"],
)
async def test_q8_operation_must_be_selected_unambiguously(
    api: Api, statements: list[str], query: str, name: str | None, expected_code: str
) -> None:
    assert await fetch_error_codes(api, query, operationName=name) == {expected_code}
    assert sent_statements(statements) == []


def aliased_label(index: int) -> str:
    return global_id("Label", UUID(int=index + 1))


@pytest.mark.parametrize(
    ("query", "x"),
    [
        ("query ($x: String) { clients(search: $x) { totalCount } }", "x" * 100_000),
        ("query ($x: String) { clients(search: $x) { totalCount } }", "x" * 201),
        ("query ($x: String) { contacts(search: $x) { totalCount } }", "x" * 201),
        ("query ($x: String) { labels(search: $x) { totalCount } }", "x" * 201),
        ("query ($x: [ID!]) { clients(filter: {labels: {any: $x}}) { totalCount } }", [aliased_label(index) for index in range(251)]),
        ("query ($x: [ID!]) { clients(filter: {labels: {all: $x}}) { totalCount } }", [aliased_label(index) for index in range(51)]),
        ("query ($x: [ID!]!) { nodes(ids: $x) { id } }", [aliased_label(index) for index in range(251)]),
    ],
    ids=["100 kB", "201", "201 of contacts", "201 of labels", "any of 251", "all of 51", "251 ids"],
)
async def test_q9_filter_size_is_limited(api: Api, statements: list[str], query: str, x: object) -> None:
    """Longer texts and lists are rejected as bad input, and nothing is read."""
    body = await api.execute(query, x=x)
    assert body.get("data") is None or [*body["data"].values()] == [None]  # over 100 entries end the request before it runs
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
    assert sent_statements(statements) == []


@pytest.mark.parametrize(
    "query",
    ["{}", "\ufeff{}", "query A {}", "{ viewer {} }", "{ ... on Query {} }", "{ ...A } fragment A on Query {}", "mutation {}", "{a}{}"],
)
async def test_empty_selection_is_rejected(api: Api, statements: list[str], query: str) -> None:
    """The parser of graphql-core accepts it. An earlier version then looked up the first field of the selection without a check."""
    assert await fetch_error_codes(api, query) == {"GRAPHQL_PARSE_FAILED"}
    assert sent_statements(statements) == []


async def test_q9_filter_has_no_alternatives(api: Api, statements: list[str]) -> None:
    """The filter has no field `or`, so its entries are unknown input."""
    query = "query ($x: ClientFilterInput) { clients(filter: $x) { totalCount } }"
    assert await fetch_error_codes(api, query, variables={"x": {"or": [{"country": "NL"}] * 5000}}) == {"BAD_USER_INPUT"}
    assert await fetch_error_codes(api, query, variables={"x": {"or": [{"country": "NL"}] * 10_000}}) == {"BAD_REQUEST"}
    assert sent_statements(statements) == []


@pytest.mark.parametrize("escape", ["\\u0000", "\\u{0}", "a\\u{000}b", "\\\\\\u0000"])
@pytest.mark.parametrize(
    "query",
    [
        '{ clients(search: "…") { totalCount } }',
        '{ clients(filter: {country: "…"}) { totalCount } }',
        '{ client(by: {number: "…"}) { id } }',
        '{ contacts(search: "…") { totalCount } labels(search: "…") { totalCount } }',
        'query ($x: String = "…") { clients(search: $x) { totalCount } }',
        'mutation { labelCreate(input: {name: "…"}) { userErrors { code } } }',
        'mutation { labelCreate(input: {name: "x"}) @idempotent(key: "…") { userErrors { code } } }',
    ],
)
async def test_i1_escaped_nul_is_rejected(
    api: Api, statements: list[str], owner: asyncpg.Connection, sample_org: Tenant, query: str, escape: str
) -> None:
    """PostgreSQL cannot store the character or compare with it. The check covers every place in a document."""
    async with assert_unchanged(owner, sample_org.id):
        assert await fetch_error_codes(api, query.replace("…", escape)) == {"BAD_USER_INPUT"}
    assert sent_statements(statements) == []


async def test_i1_escaped_backslash_before_u0000_is_accepted(api: Api) -> None:
    """The backslash is escaped, or stands in a block string, where escapes have no effect."""
    assert await api.data('{ clients(search: "\\\\u0000") { totalCount } }') == {"clients": {"totalCount": 0}}
    assert await api.data('{ clients(search: """\\u0000""") { totalCount } }') == {"clients": {"totalCount": 0}}


SIGNS = ["%", "_", "\\", ".*", "[a-z]", "^", "$", "(", "'", '"', "''", "; DROP TABLE client; --", "${x}", "{{x}}", "%%", "\\%"]


@pytest.mark.parametrize("sign", SIGNS)
async def test_q9_search_wildcards_are_literal(api_for: Callable[..., Api], org: Tenant, sign: str) -> None:
    """Characters that are special in other languages only match themselves."""
    await org.add_client("Without")
    await org.add_contact("Without")
    await org.add_client(f"With {sign} within")
    await org.add_contact(f"With {sign} within")
    data = await api_for(org).data(
        "query ($x: String) { clients(search: $x) { nodes { name } } contacts(search: $x) { nodes { lastName } } }", x=sign
    )
    assert data == {"clients": {"nodes": [{"name": f"With {sign} within"}]}, "contacts": {"nodes": [{"lastName": f"With {sign} within"}]}}


@pytest.mark.parametrize(
    "query",
    [
        "{ clients { ... @defer { nodes { id } } } }",
        "{ clients { nodes @stream(initialCount: 1) { id } } }",
        "subscription { clients { totalCount } }",
        "subscription { __typename }",
    ],
)
async def test_q12_incremental_delivery_is_not_supported(api: Api, statements: list[str], query: str) -> None:
    """Incremental delivery could bypass limits."""
    assert await fetch_error_codes(api, query) == {INVALID}
    assert sent_statements(statements) == []


@pytest.mark.parametrize(
    "accept", ["multipart/mixed", 'multipart/mixed; boundary="-"; deferSpec=20220824', "text/event-stream", "text/html"]
)
async def test_q12_an_answer_is_one_json_document(api: Api, statements: list[str], accept: str) -> None:
    """A client that accepts nothing else gets 406. One that also accepts JSON gets JSON."""
    response = await api.post({"query": TOTAL}, accept=accept)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (406, "NOT_ACCEPTABLE")
    assert sent_statements(statements) == []
    both = await api.post({"query": TOTAL}, accept=f"{accept}, application/json;q=0.9")
    assert (both.status_code, both.json()) == (200, {"data": {"clients": {"totalCount": 60}}})


async def test_hostile_documents_change_nothing(api: Api, owner: asyncpg.Connection) -> None:
    """A mutation beside the rejected part is not executed either."""
    org = await create_sample_org(owner, clients=2, contacts=1)
    mine = Api(api.http, org.tokens[Role.OWNER])
    change = 'a: labelCreate(input: {name: "New"}) { userErrors { code } }'
    many = " ".join(f"a{index}: __typename" for index in range(31))
    async with assert_unchanged(owner, org.id):
        for rest in (many, "... @defer { __typename }", "nothing", "__typename " * 30, "...F } fragment F on Mutation { ...F "):
            assert await fetch_error_codes(mine, f"mutation {{ {change} {rest} }}") <= {TOO_COMPLEX, INVALID}

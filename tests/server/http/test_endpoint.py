"""The GraphQL endpoint: which requests it accepts, and the code of each error."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import strawberry
from graphql import build_client_schema, get_introspection_query

from db.engine.database import Database
from db.tables import Role
from server.settings import Settings
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant

VIEWER = "{ viewer { permissions } }"
GRAPHQL_JSON = "application/graphql-response+json"


@pytest.fixture
async def api(api_for: Callable[..., Api], org: Tenant) -> Api:
    return api_for(org)


def status_and_code(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of the only error in a response without data."""
    body = response.json()
    assert set(body) == {"errors"}
    (error,) = body["errors"]
    assert error["message"]
    errors: str = error["extensions"]["code"]
    return response.status_code, errors


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_h1_only_post_and_get_are_taken(api: Api, method: str) -> None:
    """The error lists the allowed methods."""
    response = await api.http.request(method, "/graphql")
    assert status_and_code(response) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, POST"


async def test_a1_request_requires_a_token(api: Api) -> None:
    """The response is the same without a token, with another scheme and with an unknown token."""
    for authorization in ({}, {"authorization": "Basic eA=="}, {"authorization": "Bearer rlt_" + "x" * 43}, {"authorization": "Bearer x"}):
        response = await api.http.post("/graphql", json={"query": VIEWER}, headers=authorization)
        assert status_and_code(response) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"


LABEL_CREATE = {"query": 'mutation { labelCreate(input: {name: "Slipped in"}) { label { id } } }'}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("", {}),
        ("text/plain", {}),
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/graphql", {}),
        ("application/json; charset=utf-16", {}),
        ("application/json; charset=iso-8859-1", {}),
        ("application/json", {"content-encoding": "gzip"}),
        ("application/json", {"content-encoding": "br"}),
    ],
)
async def test_h1_only_json_is_taken(api: Api, kind: str, more: dict[str, str]) -> None:
    """A browser sends a form to another site without a preflight request. The mutation in the body is not executed."""
    headers = {"authorization": f"Bearer {api.token}", "content-type": kind, **more}
    answer = await api.http.post("/graphql", content=json.dumps(LABEL_CREATE).encode(), headers=headers)
    assert status_and_code(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert await api.data("{ labels { totalCount } }") == {"labels": {"totalCount": 0}}


async def test_h1_get_changes_nothing(api: Api) -> None:
    answer = await api.http.get("/graphql", params=LABEL_CREATE, headers={"authorization": f"Bearer {api.token}"})
    assert status_and_code(answer) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "POST"
    unsigned = await api.http.get("/graphql", params={"query": VIEWER})
    assert status_and_code(unsigned) == (401, "UNAUTHENTICATED")
    assert await api.data("{ labels { totalCount } }") == {"labels": {"totalCount": 0}}


async def test_query_is_accepted_by_get(api: Api) -> None:
    """Variables are sent as JSON, and are parsed as strictly as a body."""
    query = "query ($n: Int!) { clients(first: $n) { nodes { id } } }"
    headers = {"authorization": f"Bearer {api.token}"}
    answer = await api.http.get("/graphql", params={"query": query, "variables": '{"n": 1}'}, headers=headers)
    assert answer.json() == {"data": {"clients": {"nodes": []}}}
    for wrong in ("{", "[]", "1", '{"n": NaN}', '{"n": 1, "n": 2}'):
        answer = await api.http.get("/graphql", params={"query": query, "variables": wrong}, headers=headers)
        assert status_and_code(answer) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"1", b'"x"', b"[]", b"{", b"\xff", b"{}", b'[{"query": "{ viewer { permissions } }"}]',
        b'{"query": NaN}', b'{"query": ""}', b'{"query": 1}', b'{"query": "{ a }", "variables": []}', b'{"query": "\\ud800"}',
        b'{"query": "{ a }", "operationName": 1}', b'{"query": "{ a }", "query": "{ b }"}',
        b'{"query": "{ a }", "variables": {"x": {"y": 1, "y": 2}}}', b'\xef\xbb\xbf{"query": "{ a }"}',
        '{"query": "{ a }"}'.encode("utf-16"),
        b'{"query": "{ a }", "variables": {"x": NaN}}', b'{"query": "{ a }", "variables": {"x": 1e999}}', b'{"query": "{ a }"} {}',
        b'{"query": "{ a }", "variables": {"x": ' + b"[" * 40 + b"]" * 40 + b"}}", b'{"query": "{ a }", "variables": {"\\ud800": 1}}',
        b'{"query": "{ a }", "variables": {"x": [' + b"1," * 20_000 + b"1]}}", b"[" + b'{"query": "{ __typename }"},' * 1000 + b"1]",
        b'{"documentId": 1}', b'{"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "x"}}}', b'{"extensions": []}',
        b'{"query": "{ a }", "variables": {"x": ["\\u0000"]}}', b'{"query": "{ a }", "other": 1}',
        b"[" * 100_000, b'{"query": "{ a }", "variables": {"x": ' + b"9" * 5000 + b"}}",
    ],
    ids=lambda body: body[:40].decode(errors="replace"),
)  # fmt: skip
async def test_h2_invalid_request_is_rejected(api: Api, body: bytes) -> None:
    """The response has status 400 and a code, also for a list of requests."""
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    assert status_and_code(await api.http.post("/graphql", content=body, headers=headers)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("query", "expected_code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { x }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ clients(first: true) { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "BAD_REQUEST"),
        ("{ __typename " + "a: __typename " * 700 + "}", "QUERY_TOO_COMPLEX"),
        ("{ clients " * 11 + "{ x }" + "}" * 11, "QUERY_TOO_COMPLEX"),
        ("{ a " * 900 + "}" * 900, "QUERY_TOO_COMPLEX"),
    ],
    ids=lambda text: text[:30],
)
async def test_document_with_errors_is_rejected(api: Api, query: str, expected_code: str) -> None:
    """The status is 400 for the newer media type and 200 for the older one. Neither response has data."""
    graphql = await api.post({"query": query}, accept=GRAPHQL_JSON)
    plain = await api.post({"query": query})
    assert (graphql.status_code, plain.status_code) == (400, 200)
    assert graphql.headers["content-type"] == f"{GRAPHQL_JSON}; charset=utf-8"
    assert plain.headers["content-type"] == "application/json; charset=utf-8"
    assert graphql.json() == plain.json()
    assert "data" not in plain.json()
    assert expected_code in {error["extensions"]["code"] for error in plain.json()["errors"]}


@pytest.mark.parametrize("variables", [{}, {"n": None}, {"n": "x"}, {"n": 1.5}, {"n": 2**31}])
async def test_invalid_variable_is_rejected(api: Api, variables: dict[str, Any]) -> None:
    """The request is rejected before anything runs."""
    query = "query ($n: Int!) { clients(first: $n) { nodes { id } } }"
    response = await api.post({"query": query, "variables": variables}, accept=GRAPHQL_JSON)
    assert status_and_code(response) == (400, "BAD_USER_INPUT")


async def test_one_of_several_operations_must_be_named(api: Api) -> None:
    """An unknown name is rejected."""
    query = "query A { viewer { permissions } } query B { __typename }"
    assert (await api.post({"query": query, "operationName": "B"})).json() == {"data": {"__typename": "Query"}}
    assert status_and_code(await api.post({"query": query, "operationName": "C"}, accept=GRAPHQL_JSON)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
async def test_page_size_is_limited(api: Api, first: int) -> None:
    for query in (f"{{ clients(first: {first}) {{ nodes {{ id }} }} }}",):
        body = await api.execute(query)
        assert body["data"] == {"clients": None}
        assert [(e["message"], e["extensions"]["code"]) for e in body["errors"]] == [
            ("`first` must be between 1 and 100.", "BAD_USER_INPUT")
        ]


async def test_period_cannot_end_before_it_begins(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    """Dates that do not exist or have another format are rejected too."""
    query = "query ($p: PeriodInput) { clients(first: 1) { nodes { name revenue(period: $p) { since } } } }"
    body = await api_for(sample_org).execute(query, p={"since": "2026-02-01", "until": "2026-01-01"})
    assert body["data"]["clients"]["nodes"] == [{"name": "Client 00000", "revenue": None}]
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
    for day in ("2026-02-30", "20260101", "2026-W01-1", 20260101, ""):
        response = await api_for(sample_org).post({"query": query, "variables": {"p": {"since": day}}}, accept=GRAPHQL_JSON)
        assert status_and_code(response) == (400, "BAD_USER_INPUT")


async def test_the_standard_introspection_query_passes(api: Api) -> None:
    """It is deep, but tools need it."""
    data = await api.data(get_introspection_query())
    assert build_client_schema(data).query_type is not None


async def test_nested_fragments_are_measured_once(api: Api) -> None:
    """Without that, the time would double with each of a hundred fragments."""
    spread = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(100))
    response = await api.post({"query": "{ ...F0 } " + spread + "fragment F100 on Query { __typename }"})
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"QUERY_TOO_COMPLEX"}
    deep = "".join(f"fragment F{n} on Client {{ kind ...F{n + 1} }} " for n in range(50))
    assert "errors" not in (await api.post({"query": "{ clients { nodes { ...F0 } } } " + deep + "fragment F50 on Client { id }"})).json()


async def test_recursive_fragment_is_rejected(api: Api) -> None:
    """The error comes from validation, not from an overflow of the stack."""
    response = await api.post({"query": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"}, accept=GRAPHQL_JSON)
    assert status_and_code(response) == (400, "GRAPHQL_VALIDATION_FAILED")


@pytest.fixture
async def strict(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database, Settings(max_body_bytes=1000, operation_timeout=0.000_001)) as http:
        yield http


async def test_body_size_is_limited(strict: httpx.AsyncClient, org: Tenant) -> None:
    """This also holds for a body that is sent in parts without its length."""
    headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}", "content-type": "application/json"}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1001):
            yield b" "

    for content in (b" " * 1001, pieces()):
        assert status_and_code(await strict.post("/graphql", content=content, headers=headers)) == (413, "PAYLOAD_TOO_LARGE")


async def test_operation_has_a_timeout(strict: httpx.AsyncClient, sample_org: Tenant, database: Database) -> None:
    """Its connection is returned to the pool."""
    headers = {"authorization": f"Bearer {sample_org.tokens[Role.OWNER]}"}
    response = await strict.post("/graphql", json={"query": "{ clients { nodes { id } } }"}, headers=headers)
    assert status_and_code(response) == (504, "TIMEOUT")
    assert database.read_connections_in_use == 0


async def test_answer_has_these_headers_in_order(api: Api) -> None:
    answer = await api.post({"query": "{ __typename }"})
    assert [name for name, _ in answer.headers.raw] == [b"x-request-id", b"cache-control", b"vary", b"content-length", b"content-type"]


async def test_answers_are_not_cached(api: Api) -> None:
    """They are private to the caller."""
    assert (await api.post({"query": VIEWER})).headers["cache-control"] == "no-store"


async def test_health(api: Api) -> None:
    """The server is alive, and ready once the database has the right tables."""
    assert (await api.http.get("/livez")).json() == {"status": "alive"}
    ready = await api.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_viewer_is_the_owner_of_the_token(api_for: Callable[..., Api], org: Tenant) -> None:
    """The response lists the permissions of the token's role."""
    data = await api_for(org, Role.VIEWER).data(
        "{ viewer { organization { name baseCurrency timezone } member { name role } permissions } }"
    )
    assert json.loads(json.dumps(data))["viewer"] == {
        "organization": {"name": "Test", "baseCurrency": "EUR", "timezone": "Europe/Amsterdam"},
        "member": {"name": "Viewer", "role": "VIEWER"},
        "permissions": ["CLIENTS_READ"],
    }


async def test_backslash_before_u0000_is_accepted(api: Api) -> None:
    """Only the character itself is rejected."""
    query = "query ($search: String) { clients(search: $search) { totalCount } }"
    assert await api.data(query, search="\\u0000") == {"clients": {"totalCount": 0}}


async def test_errors_are_in_document_order(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    """The order is not that of execution: the wrong cursor is only found after a statement, the wrong page size at once."""
    late = 'late: clients(first: 2) { nodes { contacts(after: "x") { nodes { id } } } }'
    body = await api_for(sample_org).execute(
        f"{{ {late} soon: clients(first: 0) {{ nodes {{ id }} }} later: labels(first: 0) {{ nodes {{ id }} }} }}"
    )
    assert [error["path"] for error in body["errors"]] == [
        ["late", "nodes", 0, "contacts"],
        ["late", "nodes", 1, "contacts"],
        ["soon"],
        ["later"],
    ]

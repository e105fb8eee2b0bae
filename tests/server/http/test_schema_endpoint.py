"""`GET /schema.graphql` serves the printed schema to callers with a token, where introspection is allowed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route

from db.engine.database import Database
from db.tables import Role
from domain.organization.tokens import new_secret
from server.app import Dispatcher, build_app
from server.documents.cost import BASE_COST
from server.http.schema_endpoint import PATH, SchemaEndpoint
from server.settings import Environment, Settings
from tests.support.api import HUGE_LIMIT, SECRET_KEYS, Api, connect_client
from tests.support.builders import Tenant

PRINTED = (Path(__file__).parents[3] / "schema" / "schema.graphql").read_bytes()
PLAIN, GZIP = {"accept-encoding": "identity"}, {"accept-encoding": "br, gzip"}
CACHE_HEADERS = ("etag", "cache-control", "vary", "x-content-type-options")


def sign_in(org: Tenant, role: Role = Role.OWNER) -> dict[str, str]:
    return {"authorization": f"Bearer {org.tokens[role]}"}


def error_code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    code: str = error["extensions"]["code"]
    return code


@pytest.fixture
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database) as client:
        yield client


@pytest.fixture
def connect(database: Database, schema: strawberry.Schema) -> Callable[[Settings], httpx.AsyncClient]:
    return lambda settings: connect_client(schema, database, settings)


@pytest.mark.parametrize("encoding", [PLAIN, GZIP], ids=["identity", "gzip"])
async def test_schema_is_the_reviewed_file(http: httpx.AsyncClient, org: Tenant, encoding: dict[str, str]) -> None:
    response = await http.get(PATH, headers=sign_in(org) | encoding)
    assert (response.status_code, response.content) == (200, PRINTED)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers.get("content-encoding") == ("gzip" if encoding is GZIP else None)
    length = int(response.headers["content-length"])
    assert length < len(PRINTED) / 5 if encoding is GZIP else length == len(PRINTED)
    assert len(response.headers["x-request-id"]) == 32


async def test_every_organization_and_role_gets_the_same_schema(http: httpx.AsyncClient, org: Tenant, sample_org: Tenant) -> None:
    """The schema contains nothing of an organization."""
    responses = [await http.get(PATH, headers=sign_in(each, role)) for each in (org, sample_org) for role in Role]
    assert {response.content for response in responses} == {PRINTED}
    assert len({response.headers["etag"] for response in responses}) == 1


async def test_schema_that_the_client_has_is_not_sent_again(http: httpx.AsyncClient, org: Tenant) -> None:
    complete = await http.get(PATH, headers=sign_in(org))
    tag = complete.headers["etag"]
    for names in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        response = await http.get(PATH, headers=sign_in(org) | {"if-none-match": names})
        assert (response.status_code, response.content) == (304, b"")
        assert [response.headers[name] for name in CACHE_HEADERS] == [complete.headers[name] for name in CACHE_HEADERS]
    for names in ('W/"other"', "", tag[:-2]):
        assert (await http.get(PATH, headers=sign_in(org) | {"if-none-match": names})).content == PRINTED


@pytest.mark.parametrize("encoding", [PLAIN, GZIP], ids=["identity", "gzip"])
async def test_head_has_the_headers_of_get(http: httpx.AsyncClient, org: Tenant, encoding: dict[str, str]) -> None:
    get, head = [await http.request(method, PATH, headers=sign_in(org) | encoding) for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (200, b"")
    names = (*CACHE_HEADERS, "content-length", "content-type")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_are_rejected(http: httpx.AsyncClient, org: Tenant, method: str) -> None:
    response = await http.request(method, PATH, headers=sign_in(org))
    assert (response.status_code, error_code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer rlt_short", f"Bearer rlt_{'A' * 43}", "Basic eDp5"])
async def test_without_a_valid_token_nothing_is_shown(http: httpx.AsyncClient, authorization: str | None) -> None:
    """A client that has the schema learns nothing either, such as whether its version is current."""
    for conditions in ({}, {"if-none-match": "*"}):
        headers = conditions if authorization is None else conditions | {"authorization": authorization}
        response = await http.get(PATH, headers=headers)
        assert (response.status_code, error_code(response)) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"
        assert "etag" not in response.headers


SWITCHED_OFF = [
    Settings(introspection=False, max_auth_failures=HUGE_LIMIT),
    Settings(graphiql=False, max_auth_failures=HUGE_LIMIT),
    Settings(env=Environment.PRODUCTION, max_auth_failures=HUGE_LIMIT),
]


@pytest.mark.parametrize("settings", SWITCHED_OFF, ids=["introspection", "graphiql", "production"])
async def test_without_introspection_the_path_does_not_exist(
    connect: Callable[[Settings], httpx.AsyncClient], org: Tenant, settings: Settings
) -> None:
    """The response is that of any unknown path."""
    async with connect(settings) as http:
        for method in ("GET", "HEAD", "POST"):
            response, other = [await http.request(method, path, headers=sign_in(org)) for path in (PATH, "/unknown")]
            assert response.status_code == 404
            assert (response.headers, response.content) == (other.headers, other.content)
        body = (await http.post("/graphql", json={"query": "{ __schema { description } }"}, headers=sign_in(org))).json()
    assert "errors" in body


async def test_introspection_without_graphiql_includes_the_schema(connect: Callable[[Settings], httpx.AsyncClient], org: Tenant) -> None:
    async with connect(Settings(env=Environment.PRODUCTION, introspection=True)) as http:
        assert (await http.get(PATH, headers=sign_in(org))).content == PRINTED


async def test_invalid_tokens_count_as_those_of_the_api(connect: Callable[[Settings], httpx.AsyncClient], org: Tenant) -> None:
    """A valid token is still accepted."""
    async with connect(Settings(max_auth_failures=3)) as http:
        wrong = [{"authorization": f"Bearer {new_secret()}"} for _ in range(5)]
        statuses = [(await http.get(PATH, headers=headers)).status_code for headers in wrong[:2]]
        statuses += [(await http.post("/graphql", json={}, headers=headers)).status_code for headers in wrong[2:4]]
        limited = await http.get(PATH, headers=wrong[4])
        assert [*statuses, limited.status_code] == [401, 401, 401, 429, 429]
        assert error_code(limited) == "RATE_LIMITED"
        assert int(limited.headers["retry-after"]) > 0
        assert (await http.get(PATH, headers=sign_in(org))).status_code == 200


async def test_request_costs_the_points_of_the_smallest_operation(
    connect: Callable[[Settings], httpx.AsyncClient], org: Tenant, sample_org: Tenant
) -> None:
    """They are those that operations spend, and an answer without the schema costs them too. Another organization has its own."""
    async with connect(Settings(rate_limit_burst=3 * BASE_COST + 20, rate_limit_restore=1)) as http:
        api = Api(http, org.tokens[Role.OWNER])
        first = await http.get(PATH, headers=sign_in(org))
        assert (await api.execute("{ __typename }"))["data"]
        responses = [await http.get(PATH, headers=sign_in(org) | {"if-none-match": first.headers["etag"]}) for _ in range(2)]
        assert [response.status_code for response in responses] == [304, 429]
        assert error_code(responses[1]) == "RATE_LIMITED"
        assert int(responses[1].headers["retry-after"]) > 0
        assert (await api.post({"query": "{ __typename }"})).status_code == 429
        assert (await http.get(PATH, headers=sign_in(sample_org))).status_code == 200


async def test_unread_schemas_count_as_unread_responses(connect: Callable[[Settings], httpx.AsyncClient], org: Tenant) -> None:
    """Gzipped, the schema is too small to be counted."""
    async with connect(Settings(max_outgoing_bytes_per_token=len(PRINTED))) as http:
        response = await http.get(PATH, headers=sign_in(org) | PLAIN)
        assert (response.status_code, error_code(response)) == (429, "RATE_LIMITED")
        assert (await http.get(PATH, headers=sign_in(org) | GZIP)).content == PRINTED


@asynccontextmanager
async def serve_counted(schema: strawberry.Schema, database: Database) -> AsyncIterator[tuple[httpx.AsyncClient, list[str]]]:
    """Yield a client of the schema's endpoint, and a list that grows with each print of the schema."""
    application = build_app(schema, database, Settings(), SECRET_KEYS).asgi_app
    assert isinstance(application, Dispatcher)
    (endpoint,) = [route.app for route in application.fallback.routes if isinstance(route, Route) and isinstance(route.app, SchemaEndpoint)]
    prints = list[str]()

    def print_schema() -> str:
        prints.append(schema.as_str())
        return prints[-1]

    counted = Starlette(routes=[replace(endpoint, print_schema=print_schema).build_route()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(counted), base_url="http://test") as http:
        yield http, prints


async def test_schema_is_printed_once_for_all_requests(schema: strawberry.Schema, database: Database, org: Tenant) -> None:
    """A request without a token prints nothing."""
    async with serve_counted(schema, database) as (http, prints):
        assert (await http.get(PATH)).status_code == 401
        assert prints == []
        responses = await asyncio.gather(
            *(http.get(PATH, headers=sign_in(org) | each) for each in (PLAIN, GZIP, {"if-none-match": "x"}) * 4)
        )
    assert {response.content for response in responses} == {PRINTED}
    assert len(prints) == 1


async def test_request_is_one_log_line(http: httpx.AsyncClient, org: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    """It has the trace of the request and its caller, or its error."""
    caplog.set_level(logging.INFO, "relaties")
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    response = await http.get(PATH, headers=sign_in(org) | headers)
    await http.get(PATH)
    answer, refusal = [vars(record)["fields"] for record in caplog.records if record.message == "operation"]
    assert (answer["operation_name"], answer["status"], answer["cost_actual"]) == ("GET /schema.graphql", 200, BASE_COST)
    assert (answer["organization_id"], answer["trace_id"], response.headers["x-request-id"]) == (str(org.id), trace, trace)
    assert (refusal["operation_name"], refusal["status"], refusal["error_codes"]) == ("GET /schema.graphql", 401, ("UNAUTHENTICATED",))
    assert "organization_id" not in refusal


async def test_page_of_a_listed_origin_may_read_the_schema(connect: Callable[[Settings], httpx.AsyncClient], org: Tenant) -> None:
    async with connect(Settings(cors_origins=["https://app.example"])) as http:
        response = await http.get(PATH, headers=sign_in(org) | {"origin": "https://app.example"})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "https://app.example")
        assert response.headers["vary"] == "Accept-Encoding, Origin"
        other = await http.get(PATH, headers=sign_in(org) | {"origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers

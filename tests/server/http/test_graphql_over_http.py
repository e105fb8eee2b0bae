"""The 61 audits of graphql-http on GraphQL over HTTP, under their own ids and with stricter expectations."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from server.settings import Settings
from tests.support.api import connect_client
from tests.support.builders import Tenant

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
TYPENAME = "{ __typename }"
TYPE = {"query": "query Type($name: String!) { __type(name: $name) { name } }", "variables": {"name": "sometype"}}
IN_ADDRESS = {**TYPE, "variables": json.dumps(TYPE["variables"])}
UNKNOWN = {"query": "{ 8f31403dfe404bccbb0e835f2629c6a7 }"}  # not a name, so it is not even parsed
UNFIT = {
    "query": "query CoerceFailure($id: ID!){ __typename }",
    "variables": {"id": None},
}  # the variable is unused, so its value is not even read
INVALID_JSON = b'{ "not a JSON'


@dataclass(frozen=True)
class AuditCase:
    """A request and the expected status. If `accept` is None, no such header is sent."""

    id: str
    body: Any
    accept: str | None = None
    content_type: str | None = JSON
    method: str = "POST"
    status: int = 200

    def send(self, http: httpx.AsyncClient, token: str) -> httpx.Request:
        if self.method == "GET":
            request = http.build_request("GET", "/graphql", params=self.body)
        else:
            request = http.build_request("POST", "/graphql", content=self.body if isinstance(self.body, bytes) else json.dumps(self.body))
        headers = {"authorization": f"Bearer {token}", "accept": self.accept, "content-type": self.content_type}
        request.headers.pop("accept")  # httpx adds its own
        request.headers.update({name: value for name, value in headers.items() if value is not None})
        return request


def query_body(query: object = TYPENAME, **more: object) -> dict[str, object]:
    return {"query": query, **more}


ANSWERED_AUDITS = [
    AuditCase("22EB", query_body(), GRAPHQL),
    AuditCase("4655", query_body(), JSON),
    AuditCase("47DE", query_body(), "*/*"),
    *(AuditCase(name, query_body()) for name in ("80D8", "82A3", "78D5", "2C94", "03D4")),
    AuditCase("BF61", query_body('{ __type(name: "Run🏃Swim🏊") { name } }'), content_type="application/json; charset=utf-8"),
    AuditCase("5A70", query_body(), "*/*", None, "GET"),
    AuditCase("34A2", query_body(), GRAPHQL),
    AuditCase("13EE", query_body(), JSON),
    AuditCase("8161", query_body("query Query { __typename }", operationName="Query"), GRAPHQL),
    AuditCase("B8B3", query_body("query Query { __typename }", operationName="Query"), JSON),
    *(
        AuditCase(f"94B{index}", query_body(**{name: None}), GRAPHQL)
        for index, name in enumerate(("variables", "operationName", "extensions"))
    ),
    *(
        AuditCase(f"022{index}", query_body(**{name: None}), JSON)
        for index, name in enumerate(("variables", "operationName", "extensions"))
    ),
    AuditCase("2EA1", TYPE, GRAPHQL),
    AuditCase("28B9", TYPE, JSON),
    AuditCase("D6D5", IN_ADDRESS, GRAPHQL, None, "GET"),
    AuditCase("6A70", IN_ADDRESS, JSON, None, "GET"),
    AuditCase("428F", query_body(extensions={"some": "value"}), GRAPHQL),
    AuditCase("1B7A", query_body(extensions={"some": "value"}), JSON),
]
NO_REQUEST = [
    AuditCase("A5BF", b"", status=400),
    AuditCase("423L", {"notquery": TYPENAME}, GRAPHQL, status=400),
    *(AuditCase(f"LKJ{index}", query_body(wrong), status=400) for index, wrong in enumerate(({"obj": "ect"}, 0, False, ["array"]))),
    *(
        AuditCase(f"6C0{index}", query_body(operationName=wrong), status=400)
        for index, wrong in enumerate(({"obj": "ect"}, 0, False, ["array"]))
    ),
    *(AuditCase(f"476{index}", query_body(variables=wrong), status=400) for index, wrong in enumerate(("string", 0, False, ["array"]))),
    *(AuditCase(f"58B{index}", query_body(extensions=wrong), status=400) for index, wrong in enumerate(("string", 0, False, ["array"]))),
    AuditCase("B6DC", INVALID_JSON, JSON, status=400),
    AuditCase("BCF8", INVALID_JSON, JSON, status=400),
    AuditCase("B7N8", INVALID_JSON, GRAPHQL, status=400),
    AuditCase("8764", {"qeury": TYPENAME}, status=400),
    AuditCase("3E3A", {"qeury": TYPENAME}, status=400),
]
REJECTED_AUDITS = [
    *((audit, "BAD_REQUEST") for audit in NO_REQUEST),
    (AuditCase("9C48", query_body("mutation { __typename }"), GRAPHQL, None, "GET", 405), "METHOD_NOT_ALLOWED"),
    (AuditCase("9ABE", query_body(), content_type=None, status=415), "UNSUPPORTED_MEDIA_TYPE"),
    (AuditCase("572B", query_body("{"), JSON), "GRAPHQL_PARSE_FAILED"),
    (AuditCase("FDE2", UNKNOWN, JSON), "GRAPHQL_PARSE_FAILED"),
    (AuditCase("7B9B", UNFIT, JSON), "GRAPHQL_VALIDATION_FAILED"),
    *((AuditCase(name, query_body("{"), GRAPHQL, status=400), "GRAPHQL_PARSE_FAILED") for name in ("865D", "556A", "D586")),
    *((AuditCase(name, UNKNOWN, GRAPHQL, status=400), "GRAPHQL_PARSE_FAILED") for name in ("51FE", "74FF", "5E5B")),
    (AuditCase("86EE", UNFIT, GRAPHQL, status=400), "GRAPHQL_VALIDATION_FAILED"),
]


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server in development, which accepts queries by GET too."""
    async with connect_client(schema, database, Settings()) as client:
        yield client


def check_response(audit: AuditCase, response: httpx.Response) -> dict[str, Any]:
    """Check that the response is JSON in UTF-8 with the expected media type, and return its body."""
    assert response.status_code == audit.status, response.text
    assert response.headers["content-type"] == f"{GRAPHQL if audit.accept == GRAPHQL else JSON}; charset=utf-8"
    body: dict[str, Any] = json.loads(response.content.decode("utf-8"))
    return body


@pytest.mark.parametrize("audit", ANSWERED_AUDITS, ids=lambda audit: audit.id)
async def test_audits_that_expect_an_answer_pass(http: httpx.AsyncClient, sample_org: Tenant, audit: AuditCase) -> None:
    """The response has data and no errors."""
    body = check_response(audit, await http.send(audit.send(http, sample_org.tokens[Role.OWNER])))
    assert body == {"data": {"__type": None} if "__type(" in audit.body["query"] else {"__typename": "Query"}}


@pytest.mark.parametrize(("audit", "code"), REJECTED_AUDITS, ids=lambda value: value.id if isinstance(value, AuditCase) else "")
async def test_audits_that_expect_an_error_pass(http: httpx.AsyncClient, sample_org: Tenant, audit: AuditCase, code: str) -> None:
    """The response has coded errors and no `data`, not even null."""
    body = check_response(audit, await http.send(audit.send(http, sample_org.tokens[Role.OWNER])))
    assert set(body) == {"errors"}
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}


@pytest.mark.parametrize(
    ("sent_body", "code"),
    [
        (query_body("{ nothing }"), "GRAPHQL_VALIDATION_FAILED"),
        (query_body(TYPE["query"], variables={"name": None}), "BAD_USER_INPUT"),
        (query_body(TYPE["query"], variables={}), "BAD_USER_INPUT"),
        (query_body(TYPE["query"], variables={"name": 1}), "BAD_USER_INPUT"),
    ],
)
async def test_invalid_documents_of_the_audit_are_rejected(
    http: httpx.AsyncClient, sample_org: Tenant, sent_body: dict[str, object], code: str
) -> None:
    """An unknown field and an unfit variable get the same statuses by POST and by GET."""
    for method, accept, status in (("POST", JSON, 200), ("POST", GRAPHQL, 400), ("GET", JSON, 200), ("GET", GRAPHQL, 400)):
        fields = (
            {name: json.dumps(value) if name == "variables" else value for name, value in sent_body.items()}
            if method == "GET"
            else sent_body
        )
        audit = AuditCase("", fields, accept, JSON, method, status)
        body = check_response(audit, await http.send(audit.send(http, sample_org.tokens[Role.OWNER])))
        assert [set(body), [error["extensions"]["code"] for error in body["errors"]]] == [{"errors"}, [code]]


async def test_several_accept_headers_are_combined(http: httpx.AsyncClient, sample_org: Tenant) -> None:
    """HTTP defines several headers of one name as one list."""
    headers = [("authorization", f"Bearer {sample_org.tokens[Role.OWNER]}"), ("accept", "text/html"), ("accept", GRAPHQL)]
    response = await http.post("/graphql", json=query_body(), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, f"{GRAPHQL}; charset=utf-8")


async def test_not_acceptable_is_reported_in_json(http: httpx.AsyncClient, sample_org: Tenant) -> None:
    """The request is rejected before anything runs."""
    headers = {"authorization": f"Bearer {sample_org.tokens[Role.OWNER]}", "accept": "text/html"}
    response = await http.post("/graphql", json=query_body(), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (406, f"{JSON}; charset=utf-8")
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["NOT_ACCEPTABLE"]


def test_all_audits_have_a_case() -> None:
    """There are as many cases as audits in graphql-http. `make interop` runs the audits themselves."""
    ids = [audit.id for audit in (*ANSWERED_AUDITS, *(audit for audit, _ in REJECTED_AUDITS))]
    assert len(ids) == len({*ids}) == 61

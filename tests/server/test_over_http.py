"""GraphQL over HTTP, as the 61 audits of graphql-http ask it: each by its own name, and more exactly than it asks."""

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
from tests.ask import connected
from tests.builders import Tenant

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
TYPENAME = "{ __typename }"
TYPE = {"query": "query Type($name: String!) { __type(name: $name) { name } }", "variables": {"name": "sometype"}}
IN_ADDRESS = {**TYPE, "variables": json.dumps(TYPE["variables"])}
UNKNOWN = {"query": "{ 8f31403dfe404bccbb0e835f2629c6a7 }"}  # no name at all, so that it is not even parsed
UNFIT = {
    "query": "query CoerceFailure($id: ID!){ __typename }",
    "variables": {"id": None},
}  # unused, so that its value is not even looked at
BROKEN = b'{ "not a JSON'


@dataclass(frozen=True)
class Audit:
    """What is sent, by GET where `method` says so, and the status that comes back. Without `accept` none is sent."""

    id: str
    sent: Any
    accept: str | None = None
    content_type: str | None = JSON
    method: str = "POST"
    status: int = 200

    def request(self, http: httpx.AsyncClient, token: str) -> httpx.Request:
        if self.method == "GET":
            request = http.build_request("GET", "/graphql", params=self.sent)
        else:
            request = http.build_request("POST", "/graphql", content=self.sent if isinstance(self.sent, bytes) else json.dumps(self.sent))
        given = {"authorization": f"Bearer {token}", "accept": self.accept, "content-type": self.content_type}
        request.headers.pop("accept")  # httpx's own
        request.headers.update({name: value for name, value in given.items() if value is not None})
        return request


def asked(query: object = TYPENAME, **more: object) -> dict[str, object]:
    return {"query": query, **more}


ANSWERED = [
    Audit("22EB", asked(), GRAPHQL),
    Audit("4655", asked(), JSON),
    Audit("47DE", asked(), "*/*"),
    *(Audit(name, asked()) for name in ("80D8", "82A3", "78D5", "2C94", "03D4")),
    Audit("BF61", asked('{ __type(name: "Run🏃Swim🏊") { name } }'), content_type="application/json; charset=utf-8"),
    Audit("5A70", asked(), "*/*", None, "GET"),
    Audit("34A2", asked(), GRAPHQL),
    Audit("13EE", asked(), JSON),
    Audit("8161", asked("query Query { __typename }", operationName="Query"), GRAPHQL),
    Audit("B8B3", asked("query Query { __typename }", operationName="Query"), JSON),
    *(Audit(f"94B{place}", asked(**{name: None}), GRAPHQL) for place, name in enumerate(("variables", "operationName", "extensions"))),
    *(Audit(f"022{place}", asked(**{name: None}), JSON) for place, name in enumerate(("variables", "operationName", "extensions"))),
    Audit("2EA1", TYPE, GRAPHQL),
    Audit("28B9", TYPE, JSON),
    Audit("D6D5", IN_ADDRESS, GRAPHQL, None, "GET"),
    Audit("6A70", IN_ADDRESS, JSON, None, "GET"),
    Audit("428F", asked(extensions={"some": "value"}), GRAPHQL),
    Audit("1B7A", asked(extensions={"some": "value"}), JSON),
]
NO_REQUEST = [
    Audit("A5BF", b"", status=400),
    Audit("423L", {"notquery": TYPENAME}, GRAPHQL, status=400),
    *(Audit(f"LKJ{place}", asked(wrong), status=400) for place, wrong in enumerate(({"obj": "ect"}, 0, False, ["array"]))),
    *(Audit(f"6C0{place}", asked(operationName=wrong), status=400) for place, wrong in enumerate(({"obj": "ect"}, 0, False, ["array"]))),
    *(Audit(f"476{place}", asked(variables=wrong), status=400) for place, wrong in enumerate(("string", 0, False, ["array"]))),
    *(Audit(f"58B{place}", asked(extensions=wrong), status=400) for place, wrong in enumerate(("string", 0, False, ["array"]))),
    Audit("B6DC", BROKEN, JSON, status=400),
    Audit("BCF8", BROKEN, JSON, status=400),
    Audit("B7N8", BROKEN, GRAPHQL, status=400),
    Audit("8764", {"qeury": TYPENAME}, status=400),
    Audit("3E3A", {"qeury": TYPENAME}, status=400),
]
REFUSED = [
    *((audit, "BAD_REQUEST") for audit in NO_REQUEST),
    (Audit("9C48", asked("mutation { __typename }"), GRAPHQL, None, "GET", 405), "METHOD_NOT_ALLOWED"),
    (Audit("9ABE", asked(), content_type=None, status=415), "UNSUPPORTED_MEDIA_TYPE"),
    (Audit("572B", asked("{"), JSON), "GRAPHQL_PARSE_FAILED"),
    (Audit("FDE2", UNKNOWN, JSON), "GRAPHQL_PARSE_FAILED"),
    (Audit("7B9B", UNFIT, JSON), "GRAPHQL_VALIDATION_FAILED"),
    *((Audit(name, asked("{"), GRAPHQL, status=400), "GRAPHQL_PARSE_FAILED") for name in ("865D", "556A", "D586")),
    *((Audit(name, UNKNOWN, GRAPHQL, status=400), "GRAPHQL_PARSE_FAILED") for name in ("51FE", "74FF", "5E5B")),
    (Audit("86EE", UNFIT, GRAPHQL, status=400), "GRAPHQL_VALIDATION_FAILED"),
]


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    """As it serves in development: queries by GET too."""
    async with connected(schema, database, Settings()) as client:
        yield client


def checked(audit: Audit, response: httpx.Response) -> dict[str, Any]:
    """The answer: JSON in UTF-8, of the media type that was wanted."""
    assert response.status_code == audit.status, response.text
    assert response.headers["content-type"] == f"{GRAPHQL if audit.accept == GRAPHQL else JSON}; charset=utf-8"
    body: dict[str, Any] = json.loads(response.content.decode("utf-8"))
    return body


@pytest.mark.parametrize("audit", ANSWERED, ids=lambda audit: audit.id)
async def test_what_the_audit_wants_answered_is(http: httpx.AsyncClient, crowded: Tenant, audit: Audit) -> None:
    """With data, and no errors."""
    body = checked(audit, await http.send(audit.request(http, crowded.tokens[Role.OWNER])))
    assert body == {"data": {"__type": None} if "__type(" in audit.sent["query"] else {"__typename": "Query"}}


@pytest.mark.parametrize(("audit", "code"), REFUSED, ids=lambda value: value.id if isinstance(value, Audit) else "")
async def test_what_the_audit_wants_refused_is(http: httpx.AsyncClient, crowded: Tenant, audit: Audit, code: str) -> None:
    """With errors that have a code, and no data, not even null."""
    body = checked(audit, await http.send(audit.request(http, crowded.tokens[Role.OWNER])))
    assert set(body) == {"errors"}
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (asked("{ nothing }"), "GRAPHQL_VALIDATION_FAILED"),
        (asked(TYPE["query"], variables={"name": None}), "BAD_USER_INPUT"),
        (asked(TYPE["query"], variables={}), "BAD_USER_INPUT"),
        (asked(TYPE["query"], variables={"name": 1}), "BAD_USER_INPUT"),
    ],
)
async def test_what_the_audit_means_to_send_is_refused_too(
    http: httpx.AsyncClient, crowded: Tenant, sent: dict[str, object], code: str
) -> None:
    """A field that is not there, a variable that does not fit: by the same statuses, by POST and by GET."""
    for method, accept, status in (("POST", JSON, 200), ("POST", GRAPHQL, 400), ("GET", JSON, 200), ("GET", GRAPHQL, 400)):
        fields = {name: json.dumps(value) if name == "variables" else value for name, value in sent.items()} if method == "GET" else sent
        audit = Audit("", fields, accept, JSON, method, status)
        body = checked(audit, await http.send(audit.request(http, crowded.tokens[Role.OWNER])))
        assert [set(body), [error["extensions"]["code"] for error in body["errors"]]] == [{"errors"}, [code]]


async def test_several_accept_headers_are_one(http: httpx.AsyncClient, crowded: Tenant) -> None:
    """As HTTP has it."""
    headers = [("authorization", f"Bearer {crowded.tokens[Role.OWNER]}"), ("accept", "text/html"), ("accept", GRAPHQL)]
    response = await http.post("/graphql", json=asked(), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, f"{GRAPHQL}; charset=utf-8")


async def test_who_takes_no_json_is_told_in_json(http: httpx.AsyncClient, crowded: Tenant) -> None:
    """Before anything is done."""
    headers = {"authorization": f"Bearer {crowded.tokens[Role.OWNER]}", "accept": "text/html"}
    response = await http.post("/graphql", json=asked(), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (406, f"{JSON}; charset=utf-8")
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["NOT_ACCEPTABLE"]


def test_they_are_all_there() -> None:
    """As many as there are in graphql-http; `make interop` runs its own."""
    ids = [audit.id for audit in (*ANSWERED, *(audit for audit, _ in REFUSED))]
    assert len(ids) == len({*ids}) == 61

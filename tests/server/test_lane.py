"""The fast lane and the ordinary way: the same status, the same headers in the same order, the same bytes, and the same is told of it."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import strawberry
from graphql import get_introspection_query, print_ast

from benchmarks.executors import ODD
from benchmarks.queries import FIRST
from benchmarks.queries import asked as compared
from db.engine import Database
from db.tables import Role
from server.app import Application, app
from server.lane import Lane
from server.settings import Settings
from server.trusted import hash_of
from tests.api.test_executors import COMPILED, GIVES_WAY
from tests.ask import MUCH, SECRETS, Api, connected_to
from tests.builders import tenant
from tests.conftest import runtime_url
from tests.ids import global_id
from tests.injected import Faults, injected
from tests.inputs import NOBODYS
from tests.schema.test_documents import OPERATIONS, QUERIES, with_ids
from tests.server.test_default_limits import EXAMPLES, LARGEST
from tests.server.test_readme import QUERIES as OF_README

TRACE = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}  # so that the id of the request is the same
OF_THE_MOMENT = re.compile(rb'"incident":"[0-9a-f]{32}"|"currentlyAvailable":\d+|in \d+ seconds')
CLIENTS = "query ($n: Int!, $flag: Boolean = true) { clients(first: $n) { nodes { name id @include(if: $flag) } } }"
NUMBERS: list[object] = [1, 0, 101, None, "x", 1.5, 2**31, True, [1], {}]
TWO = "query A { viewer { permissions } } query B { __typename }"
NODE = "query ($id: ID!) { node(id: $id) { id ... on Client { name } } }"
REFUSED = 'mutation { labelCreate(input: {name: ""}) { label { id } userErrors { message } } }'
TEXTS = {
    **{f"README {place}": text for place, (text, _) in enumerate(OF_README) if text.startswith("query") and "$token" not in text},
    **{path.stem: path.read_text() for path in EXAMPLES},
    **{f"largest: {name}": text for name, text in LARGEST.items()},
    **{f"compiled: {name}": text for name, text in COMPILED.items()},
    **{f"odd: {name}": text for name, text in (ODD | GIVES_WAY).items()},
    "introspection": get_introspection_query(),
}
ORDINARY = {"GET", "GET by hash", "HEAD", "PUT", "OPTIONS", "elsewhere", "a slash more"}


@dataclass(frozen=True)
class Sent:
    """A request, all but the token; it is asked for as JSON unless it has content of its own."""

    json: object = None
    method: str = "POST"
    path: str = "/graphql"
    content: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


def of(query: str, **variables: object) -> Sent:
    return Sent({"query": query, "variables": variables})


def by_hash(text: str, **more: object) -> dict[str, object]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}, **more}


SENT = {
    **{f"n: {n!r}": of(CLIENTS, n=n) for n in NUMBERS},
    "no variables": Sent({"query": CLIENTS}),
    "one too many": of(CLIENTS, n=1, flag=False, other=1),
    "a flag that is none": of(CLIENTS, n=1, flag="no"),
    "the first of two": Sent({"query": TWO, "operationName": "A"}),
    "neither of two": Sent({"query": TWO, "operationName": "C"}),
    "which of two": Sent({"query": TWO}),
    "the name of none": Sent({"query": FIRST, "operationName": "A"}),
    "a hash that is not known": Sent(by_hash("{ viewer { member { id } } }")),
    "a hash and its text": Sent(by_hash(TWO, query=TWO, operationName="B")),
    "a hash": Sent(by_hash(TWO, operationName="B")),
    "another's hash": Sent(by_hash(TWO, query=FIRST)),
    "an id": Sent({"documentId": hash_of(TWO), "operationName": "B"}),
    "its cost": Sent({"query": FIRST, "extensions": {"cost": True}}),
    "an order of nobody's": of(NODE, id=global_id("Client", NOBODYS)),
    "an id of another kind": of(NODE, id="x"),
    "a document that is none": Sent({"query": "{ clients { "}),
    "a field that is none": Sent({"query": "{ nothing }"}),
    "a subscription": Sent({"query": "subscription { x }"}),
    "too much at once": Sent({"query": "{ " + " ".join(f"a{n}: clients(first: 100) {{ nodes {{ id }} }}" for n in range(21)) + " }"}),
    "too dear": Sent(
        {"query": "{ clients(first: 100) { nodes { contacts(first: 100) { nodes { clients(first: 100) { totalCount } } } } } }"}
    ),
    "a change that is refused": Sent({"query": REFUSED}, headers=(("idempotency-key", "once"),)),
    "as GraphQL": Sent({"query": FIRST}, headers=(("accept", "application/graphql-response+json"),)),
    "an error as GraphQL": Sent({"query": "{ no }"}, headers=(("accept", "application/graphql-response+json"),)),
    "either": Sent({"query": FIRST}, headers=(("accept", "text/html"), ("accept", "application/*;q=0.5"))),
    "as neither": Sent({"query": FIRST}, headers=(("accept", "text/html"),)),
    "not JSON": Sent(content=b"{"),
    "a list": Sent(content=b"[]"),
    "nothing": Sent(content=b""),
    "a key twice": Sent(content=b'{"query": "{ a }", "query": "{ b }"}'),
    "too large": Sent(content=b" " * 1_000_001),
    "a form": Sent(content=b"query=x", headers=(("content-type", "application/x-www-form-urlencoded"),)),
    "packed": Sent(content=b"x", headers=(("content-encoding", "gzip"),)),
    "with a query of its address": Sent({"query": FIRST}, path="/graphql?query=x"),
    "nobody": Sent({"query": FIRST}, headers=(("authorization", ""),)),
    "a wrong token": Sent({"query": FIRST}, headers=(("authorization", "Bearer rlt_" + "x" * 43),)),
    "GET": Sent(method="GET", path="/graphql?query={viewer{permissions}}"),
    "GET by hash": Sent(method="GET", path=f"/graphql?documentId={hash_of(TWO)}&operationName=A"),
    "HEAD": Sent(method="HEAD"),
    "PUT": Sent({"query": FIRST}, method="PUT"),
    "OPTIONS": Sent(method="OPTIONS", headers=(("origin", "https://app.example"), ("access-control-request-method", "POST"))),
    "of a web page": Sent({"query": FIRST}, headers=(("origin", "https://app.example"),)),
    "elsewhere": Sent({"query": FIRST}, path="/nothing"),
    "a slash more": Sent({"query": FIRST}, path="/graphql/"),
}


class Both:
    """The same server with the lane and without."""

    def __init__(self, schema: strawberry.Schema, database: Database, token: str, **settings: object) -> None:
        self.token = token
        common = {"refused_tokens": MUCH, "points": MUCH, **settings}
        self.served = [
            app(schema, database, Settings.model_validate({**common, "fast_lane": is_fast}), SECRETS) for is_fast in (True, False)
        ]

    @property
    def taken(self) -> int:
        """How many requests took the lane."""
        lane = self.served[0].answers
        assert isinstance(lane, Lane)
        return lane.taken

    async def are_same(self, sent: Sent) -> bytes:
        """The answer of both."""
        fast, ordinary = [await self._asked(served, sent) for served in self.served]
        assert fast == ordinary
        return fast[2]

    async def _asked(self, served: Application, sent: Sent) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        async with connected_to(served) as http:
            own = {name for name, _ in sent.headers}
            usual = {"authorization": f"Bearer {self.token}", "content-type": "application/json", **TRACE}
            headers = [*((name, value) for name, value in usual.items() if name not in own), *sent.headers]
            body = {"content": sent.content} if sent.json is None else {"json": sent.json}
            answer = await http.request(sent.method, sent.path, headers=headers, **body)
        head = [
            (name, OF_THE_MOMENT.sub(b"", value)) for name, value in answer.headers.raw if name not in {b"retry-after", b"content-length"}
        ]
        assert int(answer.headers.get("content-length", len(answer.content))) == len(answer.content) or sent.method == "HEAD"
        return answer.status_code, head, OF_THE_MOMENT.sub(b"", answer.content)


@pytest.fixture(scope="module")
async def demo(demo_url: str) -> AsyncIterator[Database]:
    made = await Database.connect(runtime_url(demo_url))
    yield made
    await made.close()


@pytest.fixture(scope="module")
def both(schema: strawberry.Schema, demo: Database, demo_token: str) -> Both:
    return Both(schema, demo, demo_token)


@pytest.mark.parametrize("name", TEXTS)
async def test_a_document_is_answered_the_same(both: Both, name: str) -> None:
    """When it is new, and when it is known; by the lane each time."""
    before, sent = both.taken, of(TEXTS[name], **({"first": 3} if "$first" in TEXTS[name] else {}))
    new, known = await both.are_same(sent), await both.are_same(sent)
    assert new == known
    assert both.taken == before + 2


async def test_documents_with_variables_are_answered_the_same(both: Both, demo_api: Api) -> None:
    """Those that compilers are proved on, and those of the comparison with other servers."""
    before, variables = both.taken, await with_ids(demo_api)
    client = (await demo_api.data(FIRST))["clients"]["edges"][0]["node"]["id"]
    asked = [
        *((print_ast(OPERATIONS[name]), variables[name]) for name in QUERIES),
        *((q.text, q.variables) for q in compared(client).values()),
    ]
    for text, values in asked * 2:
        assert b'"errors"' not in await both.are_same(of(text, **values))
    assert both.taken == before + 2 * len(asked)


@pytest.mark.parametrize("name", SENT)
async def test_a_request_is_answered_the_same(both: Both, name: str) -> None:
    """Twice; whatever it asks, right or wrong. What is no POST to the endpoint goes the ordinary way."""
    before = both.taken
    for _ in range(2):
        await both.are_same(SENT[name])
    assert both.taken == before + (0 if name in ORDINARY else 2)


async def test_what_fails_fails_the_same(both: Both, schema: strawberry.Schema) -> None:
    """With every kind of failure, a fault of ours too."""
    answers = b""
    for seed in range(20):
        with injected(Faults(seed, 1), schema._schema):  # noqa: SLF001
            answers += await both.are_same(of(CLIENTS, n=1))
    assert all(code in answers for code in (b"INTERNAL_SERVER_ERROR", b"FORBIDDEN", b"BAD_USER_INPUT"))


async def test_another_organization_is_as_far_away(schema: strawberry.Schema, database: Database, owner: asyncpg.Connection) -> None:
    """Its ids are nobody's, and who asks is asked each time."""
    org, other = await tenant(owner), await tenant(owner)
    sent = of(NODE, id=global_id("Client", await org.add_client("Ours")))
    assert b'"Ours"' in await Both(schema, database, org.tokens[Role.OWNER]).are_same(sent)
    assert await Both(schema, database, other.tokens[Role.OWNER]).are_same(sent) == b'{"data":{"node":null}}'


async def test_points_are_spent_the_same(schema: strawberry.Schema, demo: Database, demo_token: str) -> None:
    """Refused at the same request, by a server of few points."""
    both = Both(schema, demo, demo_token, points=60, points_per_second=1)
    answers = [await both.are_same(of(FIRST)) for _ in range(3)]
    assert [b"RATE_LIMITED" in answer for answer in answers] == [False, False, True]


async def test_the_same_is_told(schema: strawberry.Schema, demo: Database, demo_token: str, caplog: pytest.LogCaptureFixture) -> None:
    """In the log and in the metrics, but for how long it took."""
    caplog.set_level(logging.INFO, "relaties")
    both = Both(schema, demo, demo_token)
    for name in ("n: 1", "n: 0", "n: 'x'", "not JSON", "nobody", "its cost", "a field that is none", "a hash", "GET"):
        await both.are_same(SENT[name])
    lines = [told(record) for record in caplog.records if record.message == "operation"]
    assert len(lines) == 18
    assert lines[::2] == lines[1::2]
    fast, ordinary = ([each for each in counted(served) if "second" not in each[0]] for served in both.served)
    assert fast == ordinary
    assert any(name == "relaties_requests_total" for name, *_ in fast)


def told(record: logging.LogRecord) -> dict[str, Any]:
    line: dict[str, Any] = vars(record)["told"]
    return {name: None if name in {"seconds", "waited", "sql_seconds"} else value for name, value in line.items()}


def counted(served: Application) -> list[tuple[str, dict[str, str], float]]:
    """What was counted of requests; the process and the connections are both servers'."""
    ours = ("relaties_requests", "relaties_sql_statements", "relaties_refused", "relaties_request_seconds_count", "relaties_documents")
    found = (sample for metric in served.metrics.registry.collect() for sample in metric.samples if sample.name.startswith(ours))
    return [(each.name, each.labels, each.value) for each in found if not each.name.endswith("_created")]


async def test_both_ways_can_be_chosen(schema: strawberry.Schema, database: Database) -> None:
    """The lane unless told otherwise."""
    assert isinstance(app(schema, database, Settings(fast_lane=True), SECRETS).answers, Lane)
    assert not isinstance(app(schema, database, Settings(fast_lane=False), SECRETS).answers, Lane)
    assert Settings.model_fields["fast_lane"].default is True


async def test_a_web_page_is_answered_the_same(schema: strawberry.Schema, demo: Database, demo_token: str) -> None:
    """By a server that lists its origin, or another; and so is who is none."""
    for origin in ("https://app.example", "https://other.example"):
        both = Both(schema, demo, demo_token, cors_origins=origin)
        for name in ("of a web page", "its cost", "nobody", "OPTIONS", "GET", "elsewhere"):
            await both.are_same(SENT[name])


async def test_an_answer_has_these_headers(both: Both) -> None:
    """In their order."""
    async with connected_to(both.served[0]) as http:
        answer = await http.post("/graphql", json={"query": FIRST}, headers={"authorization": f"Bearer {both.token}", **TRACE})
    assert [name for name, _ in answer.headers.raw] == [b"x-request-id", b"cache-control", b"vary", b"content-length", b"content-type"]

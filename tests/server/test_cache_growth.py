"""No cache of a worker process grows with what callers send: thousands of hostile entries for each, and the memory of a real process.

`make test` feeds each cache some hundred entries, which is enough for one that keeps what it is sent; `make proof` 10,000.
"""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from db.tables import Role
from domain.organization.tokens import new_secret
from tests.builders import Tenant
from tests.commands import Serving, serving
from tests.conftest import runtime_url
from tests.sockets import TROUBLE, connection, request

MIB = 2**20
MOST_GROWTH = 20 * MIB
WARM_UP = 60
FEW, MANY = 250, 10_000
FILLER = "x" * 14_000
# All limits are the defaults, except points and the pace of refusals, so that requests reach the caches, and the room for documents:
# by default they may take more than everything else.
MUCH = "1000000000"
SETTINGS = {
    "RELATIES_RATE_LIMIT_BURST": MUCH,
    "RELATIES_MAX_AUTH_FAILURES": MUCH,
    "RELATIES_MAX_REFUSALS_PER_SECOND": MUCH,
    "RELATIES_DOCUMENT_CACHE_BYTES": "4000000",
}


def post(token: str, body: object, *lines: str) -> bytes:
    lines = lines if any(line.startswith("Content-Type") for line in lines) else ("Content-Type: application/json", *lines)
    return request("POST", "/graphql", f"Authorization: Bearer {token}", *lines, body=json.dumps(body).encode())


def persisted(place: int) -> dict[str, object]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(b"%d" % place).hexdigest()}}}


NAMED = "query A%d ($f: ClientFilterInput) { clients(filter: $f) { nodes { id } } }"
FLAGS = "query A%d ($a: Boolean!, $b: Boolean!) { clients { nodes { id @include(if: $a) name @skip(if: $b) number } } }"
WRONG_LIST = "[[[[[[[[[[[[{a: {a: [true]}}]]]]]]]]]]]]"
ATTRIBUTES = (
    "name",
    "number",
    "email",
    "phone",
    "website",
    "notes",
    "language",
    "kvkNumber",
    "vatNumber",
    "version",
    "createdAt",
    "isProspect",
)
RELATED = "{ clients { nodes { id labels { name } contacts { nodes { id } } addresses { city } %s } } }"
Sent = Callable[[str, int], bytes]


def columns(place: int) -> str:
    """Return the attributes that the bits of a number stand for."""
    return " ".join(name for bit, name in enumerate(ATTRIBUTES) if place >> bit & 1)


HOSTILE: dict[str, Sent] = {
    "names of variables' keys": lambda token, place: post(
        token, {"query": NAMED % (place // 60), "variables": {"f": {f"{place}-{key}-{FILLER[:8000]}": [] for key in range(50)}}}
    ),
    "names of variables": lambda token, place: post(
        token, {"query": NAMED % 0, "variables": {f"{place}-{key}{FILLER}": [0] for key in range(20)}}
    ),
    "values of variables": lambda token, place: post(token, {"query": NAMED % 0, "variables": {"f": {"country": f"{place}{FILLER}"}}}),
    "documents": lambda token, place: post(token, {"query": f"query A{place} {{ viewer {{ permissions }} }} #{FILLER}"}),
    "documents that are refused": lambda token, place: post(token, {"query": f"{{ a{place} }} #{FILLER}"}),
    "documents with wrong literals": lambda token, place: post(
        token, {"query": f"{{ clients(search: {{a: {place}}}, filter: {{country: []}}, first: {WRONG_LIST}) {{ totalCount }} }}"}
    ),
    "hashes of documents": lambda token, place: post(token, persisted(place)),
    "ids of documents": lambda token, place: post(token, {"documentId": f"{place}{FILLER}"}),
    "names of operations": lambda token, place: post(
        token, {"query": "query A { viewer { permissions } }", "operationName": f"{place}{FILLER}"}
    ),
    "plans by their conditions": lambda token, place: post(
        token, {"query": FLAGS % (place // 4), "variables": {"a": bool(place & 1), "b": bool(place & 2)}}
    ),
    "columns of statements": lambda token, place: post(token, {"query": f"{{ clients {{ nodes {{ id {columns(place)} }} }} }}"}),
    "statements of several queries": lambda token, place: post(token, {"query": RELATED % columns(place // 2)}),  # each twice
    "ids of objects": lambda token, place: post(
        token, {"query": "query ($i: ID!) { node(id: $i) { id } }", "variables": {"i": f"{place}{FILLER}"}}
    ),
    "accepted types": lambda token, place: post(token, {"query": "{ __typename }"}, f"Accept: */*, a/{place}, {'b/c, ' * 2000}"),
    "content types": lambda token, place: post(token, {"query": "{ __typename }"}, f"Content-Type: a/{place}; {'b=c; ' * 2000}"),
    "traces": lambda token, place: post(token, {"query": "{ __typename }"}, f"traceparent: {place}{FILLER}"),
    "tokens": lambda _token, _place: post(new_secret(), {"query": "{ __typename }"}),
    "tokens of no shape": lambda _token, place: post(f"rlt_{place}{FILLER}", {"query": "{ __typename }"}),
    "paths": lambda _token, place: request("GET", f"/{place}/{FILLER[:7000]}"),
}


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("data")
    with serving(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(folder), **SETTINGS) as started:
        yield started
    assert not TROUBLE.search(started.printed), started.printed


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.proof)])
async def test_a_cache_does_not_grow_with_what_it_is_sent(server: Serving, crowded: Tenant, name: str, count: int) -> None:
    """After a warm-up of the same requests, since the first ones make what all need."""
    make, process = HOSTILE[name], psutil.Process(server.process.pid)
    async with connection(server.port) as client:
        for place in range(WARM_UP):
            await client.ask(make(crowded.tokens[Role.VIEWER], place))
        before = process.memory_info().rss
        statuses = {(await client.ask(make(crowded.tokens[Role.VIEWER], place))).status for place in range(WARM_UP, WARM_UP + count)}
        grown = process.memory_info().rss - before
    assert statuses <= {200, 400, 401, 404, 415}
    assert grown < MOST_GROWTH

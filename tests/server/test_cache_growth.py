"""No cache of a worker process grows with requests: each gets thousands of hostile entries, while the process's memory is measured.

`make test` sends each cache a few hundred entries, enough to detect a cache without a limit. `make proof` sends 10,000.
"""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from db.tables import Role
from domain.organization.tokens import new_secret
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.processes import ServerProcess, run_server
from tests.support.raw_http import ERROR_PATTERN, build_request, open_connection

MIB = 2**20
MOST_GROWTH = 20 * MIB
WARM_UP = 60
WARM_UP_REQUESTS, MEASURED_REQUESTS = 250, 10_000
FILLER = "x" * 14_000
# The limits are the defaults except for points and the rate of refusals, so that requests reach the caches, and except for the
# document cache, which may by default take more memory than everything else.
HUGE_LIMIT = "1000000000"
SETTINGS = {
    "RELATIES_RATE_LIMIT_BURST": HUGE_LIMIT,
    "RELATIES_MAX_AUTH_FAILURES": HUGE_LIMIT,
    "RELATIES_MAX_REFUSALS_PER_SECOND": HUGE_LIMIT,
    "RELATIES_DOCUMENT_CACHE_BYTES": "4000000",
}


def build_post(token: str, body: object, *lines: str) -> bytes:
    lines = lines if any(line.startswith("Content-Type") for line in lines) else ("Content-Type: application/json", *lines)
    return build_request("POST", "/graphql", f"Authorization: Bearer {token}", *lines, body=json.dumps(body).encode())


def build_persisted(index: int) -> dict[str, object]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(b"%d" % index).hexdigest()}}}


NAMED_QUERY = "query A%d ($f: ClientFilterInput) { clients(filter: $f) { nodes { id } } }"
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
RELATIONS_QUERY = "{ clients { nodes { id labels { name } contacts { nodes { id } } addresses { city } %s } } }"
RequestBuilder = Callable[[str, int], bytes]


def selected_attributes(index: int) -> str:
    """Return the attributes that the bits of the number select."""
    return " ".join(name for bit, name in enumerate(ATTRIBUTES) if index >> bit & 1)


HOSTILE: dict[str, RequestBuilder] = {
    "keys in variables": lambda token, index: build_post(
        token, {"query": NAMED_QUERY % (index // 60), "variables": {"f": {f"{index}-{key}-{FILLER[:8000]}": [] for key in range(50)}}}
    ),
    "names of variables": lambda token, index: build_post(
        token, {"query": NAMED_QUERY % 0, "variables": {f"{index}-{key}{FILLER}": [0] for key in range(20)}}
    ),
    "values of variables": lambda token, index: build_post(
        token, {"query": NAMED_QUERY % 0, "variables": {"f": {"country": f"{index}{FILLER}"}}}
    ),
    "documents": lambda token, index: build_post(token, {"query": f"query A{index} {{ viewer {{ permissions }} }} #{FILLER}"}),
    "rejected documents": lambda token, index: build_post(token, {"query": f"{{ a{index} }} #{FILLER}"}),
    "documents with wrong literals": lambda token, index: build_post(
        token, {"query": f"{{ clients(search: {{a: {index}}}, filter: {{country: []}}, first: {WRONG_LIST}) {{ totalCount }} }}"}
    ),
    "hashes of documents": lambda token, index: build_post(token, build_persisted(index)),
    "ids of documents": lambda token, index: build_post(token, {"documentId": f"{index}{FILLER}"}),
    "names of operations": lambda token, index: build_post(
        token, {"query": "query A { viewer { permissions } }", "operationName": f"{index}{FILLER}"}
    ),
    "plans by conditions": lambda token, index: build_post(
        token, {"query": FLAGS % (index // 4), "variables": {"a": bool(index & 1), "b": bool(index & 2)}}
    ),
    "columns of statements": lambda token, index: build_post(
        token, {"query": f"{{ clients {{ nodes {{ id {selected_attributes(index)} }} }} }}"}
    ),
    "statements of several queries": lambda token, index: build_post(
        token, {"query": RELATIONS_QUERY % selected_attributes(index // 2)}
    ),  # each twice
    "ids of objects": lambda token, index: build_post(
        token, {"query": "query ($i: ID!) { node(id: $i) { id } }", "variables": {"i": f"{index}{FILLER}"}}
    ),
    "accepted types": lambda token, index: build_post(token, {"query": "{ __typename }"}, f"Accept: */*, a/{index}, {'b/c, ' * 2000}"),
    "content types": lambda token, index: build_post(token, {"query": "{ __typename }"}, f"Content-Type: a/{index}; {'b=c; ' * 2000}"),
    "traces": lambda token, index: build_post(token, {"query": "{ __typename }"}, f"traceparent: {index}{FILLER}"),
    "tokens": lambda _token, _place: build_post(new_secret(), {"query": "{ __typename }"}),
    "malformed tokens": lambda _token, index: build_post(f"rlt_{index}{FILLER}", {"query": "{ __typename }"}),
    "paths": lambda _token, index: build_request("GET", f"/{index}/{FILLER[:7000]}"),
}


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("data")
    with run_server(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(folder), **SETTINGS) as process:
        yield process
    assert not ERROR_PATTERN.search(process.output), process.output


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("count", [WARM_UP_REQUESTS, pytest.param(MEASURED_REQUESTS, marks=pytest.mark.proof)])
async def test_caches_do_not_grow_with_requests(server: ServerProcess, sample_org: Tenant, name: str, count: int) -> None:
    """The same requests are sent before as a warm-up, since the first ones create what all of them need."""
    make, process = HOSTILE[name], psutil.Process(server.process.pid)
    async with open_connection(server.port) as client:
        for index in range(WARM_UP):
            await client.send_and_read(make(sample_org.tokens[Role.VIEWER], index))
        before = process.memory_info().rss
        statuses = {
            (await client.send_and_read(make(sample_org.tokens[Role.VIEWER], index))).status for index in range(WARM_UP, WARM_UP + count)
        }
        growth = process.memory_info().rss - before
    assert statuses <= {200, 400, 401, 404, 415}
    assert growth < MOST_GROWTH

"""A server in production is sent every kind of request, and its output is searched for secrets."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from db.migrations import upgrade
from db.tables import Role
from domain.organization.tokens import new_secret
from tests.support.builders import Tenant, create_tenant
from tests.support.processes import PROGRAM, ServerProcess, find_free_port

MARK = "mark7f3a"  # part of every text that a client sends
BREAKS = f'{MARK}\r\n{{"level":"error"}}\r\nSet-Cookie: {MARK}=1\n\u2028{MARK}'
KEY, PASSWORD = "key-of-a-production-server-c41d9e", "password-of-the-database-5b2f"
CLIENT_CREATE = "mutation ($name: String!) { clientCreate(input: {name: $name}) { userErrors { code } } }"
# The database rejects a name that the rules accept, and its error shows the row in DETAIL.
UNFORESEEN = "ALTER TABLE relaties.client ADD CONSTRAINT unforeseen CHECK (name NOT LIKE '%unforeseen%')"

UNREADABLE = (f'{{"query": {MARK}', f'["{MARK}"]', "{}", f'{{"query": "{MARK}", "{MARK}": 1}}', f'"{MARK}"' * 200_000)


@dataclass
class ProductionRun:
    """A server in production, and an organization that uses it."""

    server: ServerProcess
    http: httpx.AsyncClient
    metrics: str
    owner: asyncpg.Connection
    org: Tenant
    log: Path


@pytest.fixture
async def production_run(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> AsyncIterator[ProductionRun]:
    url, port, metrics_port = await fresh_database(), find_free_port(), find_free_port()
    runtime = f"postgresql://relaties_secret:{PASSWORD}@{url.rpartition('@')[2]}"
    await upgrade(url, runtime)
    owner = await asyncpg.connect(url)
    org = await create_tenant(owner)
    where = {"DATABASE_URL": runtime, "RELATIES_DATA_DIR": str(tmp_path), "RELATIES_METRICS_PORT": str(metrics_port)}
    how = {"RELATIES_ENV": "production", "RELATIES_SECRET_KEY": KEY, "RELATIES_SHUTDOWN_DELAY": "0", "RELATIES_OWNER_URL": url}
    log = tmp_path / "log"
    with log.open("w") as log_file:
        server = ServerProcess([str(PROGRAM), "serve", "--no-demo", "--port", str(port)], port, {**where, **how}, log_file)
        await asyncio.to_thread(server.wait_for_output, "answers at")
    async with httpx.AsyncClient(base_url=server.address, timeout=30) as http:
        yield ProductionRun(server, http, f"http://127.0.0.1:{metrics_port}/metrics", owner, org, log)
    server.stop(signal.SIGKILL)
    await owner.execute("DROP OWNED BY relaties_secret; DROP ROLE relaties_secret")
    await owner.close()


def marked_bodies() -> list[dict[str, Any]]:
    """Return request bodies, valid and invalid, that all contain the mark."""
    return [
        {"query": "query ($s: String) { clients(search: $s) { totalCount } }", "variables": {"s": MARK}},
        {"query": f'{{ clients(search: "{MARK}") {{ totalCount }} }} # {MARK}'},
        {"query": CLIENT_CREATE, "variables": {"name": f"{MARK} AG"}},
        {"query": CLIENT_CREATE, "variables": {"name": BREAKS}},
        {"query": CLIENT_CREATE, "variables": {"name": f"{MARK} unforeseen"}},
        {"query": CLIENT_CREATE, "variables": {"name": {"not": MARK}}},
        {"query": CLIENT_CREATE, "variables": {"another": MARK}},
        {"query": f"{{ clients(search: {MARK}"},
        {"query": f'{{ nothing(of: "{MARK}") }}'},
        {"query": "query A { viewer { permissions } } query B { __typename }", "operationName": BREAKS},
        {"query": "{ viewer { permissions } }", "operationName": MARK, "extensions": {"x": MARK}},
        {"query": f'{{ node(id: "{MARK}") {{ id }} }}'},
        {"query": f'{{ clients(after: "{MARK}") {{ totalCount nodes {{ id }} }} }}'},
    ]


async def send_all_requests(run: ProductionRun, wrong: str) -> list[httpx.Response]:
    """Send every kind of request, with and without a token."""
    headers = {"user-agent": MARK, "cookie": f"a={MARK}", "traceparent": MARK, "x-request-id": MARK, "host": MARK}
    tokens = [f"Bearer {run.org.tokens[Role.OWNER]}", f"Bearer {run.org.tokens[Role.VIEWER]}", f"Bearer {wrong}", f"Basic {MARK}"]
    answers = []
    for token in tokens:
        request_headers = {**headers, "authorization": token}
        for index, body in enumerate(marked_bodies()):
            answers.append(await run.http.post("/graphql", json=body, headers={**request_headers, "idempotency-key": f"{MARK}{index}"}))
        json_ = {**request_headers, "content-type": "application/json"}
        answers += [await run.http.post("/graphql", content=content, headers=json_) for content in UNREADABLE]
        answers.append(await run.http.get("/graphql", params={"query": MARK}, headers=request_headers))
        answers += [await run.http.get(f"/{MARK}", headers=request_headers), await run.http.get("/readyz", headers=request_headers)]
    return answers


async def send_invalid_http(run: ProductionRun) -> bytes:
    """Send invalid HTTP and return the response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", run.server.port)
    writer.write(f"GET /{MARK} HTTP/1.1\r\n{MARK}\x00: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_a11_no_secret_is_written(production_run: ProductionRun) -> None:
    """Logs, metrics and errors contain no token, key or password, and nothing that a client sent.

    Requirement I7: each line of the log is one JSON object, whatever a name contains.
    """
    await production_run.owner.execute(UNFORESEEN)
    wrong = new_secret()
    answers = await send_all_requests(production_run, wrong)
    await send_invalid_http(production_run)
    await production_run.owner.execute("ALTER TABLE relaties.label RENAME TO label_moved")
    failing_body = {"query": "{ labels { totalCount } }", "variables": {"x": MARK}}
    answers.append(
        await production_run.http.post(
            "/graphql", json=failing_body, headers={"authorization": f"Bearer {production_run.org.tokens[Role.OWNER]}"}
        )
    )
    metrics = (await production_run.http.get(production_run.metrics)).text
    production_run.server.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(production_run.server.process.wait, 60) == 0
    log = production_run.log.read_text()
    secrets = [KEY, PASSWORD, wrong, *production_run.org.tokens.values()]
    for output_text in (
        log,
        metrics,
        production_run.server.output,
        *(f"{answer.headers}{answer.text}" for answer in answers if '"data"' not in answer.text),
    ):
        assert not [secret for secret in secrets if secret in output_text or secret.removeprefix("rlt_") in output_text]
    assert MARK not in log + metrics + production_run.server.output
    incidents = incident_ids(answers)
    assert len(incidents) == 2
    check_log(log, incidents)


def incident_ids(answers: list[httpx.Response]) -> list[str]:
    errors = [error for answer in answers if answer.text.startswith("{") for error in answer.json().get("errors", ())]
    return [error["extensions"]["incident"] for error in errors if "incident" in error["extensions"]]


def check_log(log: str, incidents: list[str]) -> None:
    """Check that each incident is one line, with its traceback and without the row."""
    lines = [json.loads(line) for line in log.removesuffix("\n").split("\n")]
    assert all({"time", "level", "logger", "event"} <= set(line) for line in lines)
    traces = {line["event"]: line["exception"] for line in lines if "exception" in line}
    assert list(traces) == [f"incident {incident}" for incident in incidents]
    rejected_trace, lost_trace = traces.values()
    assert 'CheckViolationError: 23514 new row for relation "client" violates check constraint "unforeseen"' in rejected_trace
    assert 'UndefinedTableError: 42P01 relation "relaties.label" does not exist' in lost_trace

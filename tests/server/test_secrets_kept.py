"""Secrets: what a whole run writes and answers is searched for everything that it should have kept to itself."""

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
from tests.builders import Tenant, tenant
from tests.commands import PROGRAM, Serving, free_port

MARK = "mark7f3a"  # in every text that a caller sends
BREAKS = f'{MARK}\r\n{{"level":"error"}}\r\nSet-Cookie: {MARK}=1\n\u2028{MARK}'
KEY, PASSWORD = "key-of-a-production-server-c41d9e", "password-of-the-database-5b2f"
NAMED = "mutation ($name: String!) { clientCreate(input: {name: $name}) { userErrors { code } } }"
# The database refuses a name that the rules allow, and shows the row in the DETAIL of its error.
UNFORESEEN = "ALTER TABLE relaties.client ADD CONSTRAINT unforeseen CHECK (name NOT LIKE '%unforeseen%')"

UNREADABLE = (f'{{"query": {MARK}', f'["{MARK}"]', "{}", f'{{"query": "{MARK}", "{MARK}": 1}}', f'"{MARK}"' * 200_000)


@dataclass
class Run:
    """A server in production, and who asks it."""

    server: Serving
    http: httpx.AsyncClient
    metrics: str
    owner: asyncpg.Connection
    org: Tenant
    log: Path


@pytest.fixture
async def run(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> AsyncIterator[Run]:
    url, port, metrics_port = await fresh_database(), free_port(), free_port()
    runtime = f"postgresql://relaties_secret:{PASSWORD}@{url.rpartition('@')[2]}"
    await upgrade(url, runtime)
    owner = await asyncpg.connect(url)
    org = await tenant(owner)
    where = {"DATABASE_URL": runtime, "RELATIES_DATA_DIR": str(tmp_path), "RELATIES_METRICS_PORT": str(metrics_port)}
    how = {"RELATIES_ENV": "production", "RELATIES_SECRET_KEY": KEY, "RELATIES_SHUTDOWN_DELAY": "0", "RELATIES_OWNER_URL": url}
    log = tmp_path / "log"
    with log.open("w") as written:
        server = Serving([str(PROGRAM), "serve", "--no-demo", "--port", str(port)], port, {**where, **how}, written)
        await asyncio.to_thread(server.wait, "answers at")
    async with httpx.AsyncClient(base_url=server.address, timeout=30) as http:
        yield Run(server, http, f"http://127.0.0.1:{metrics_port}/metrics", owner, org, log)
    server.end(signal.SIGKILL)
    await owner.execute("DROP OWNED BY relaties_secret; DROP ROLE relaties_secret")
    await owner.close()


def bodies() -> list[dict[str, Any]]:
    """Documents, variables and names, good and bad, each with the mark."""
    return [
        {"query": "query ($s: String) { clients(search: $s) { totalCount } }", "variables": {"s": MARK}},
        {"query": f'{{ clients(search: "{MARK}") {{ totalCount }} }} # {MARK}'},
        {"query": NAMED, "variables": {"name": f"{MARK} AG"}},
        {"query": NAMED, "variables": {"name": BREAKS}},
        {"query": NAMED, "variables": {"name": f"{MARK} unforeseen"}},
        {"query": NAMED, "variables": {"name": {"not": MARK}}},
        {"query": NAMED, "variables": {"another": MARK}},
        {"query": f"{{ clients(search: {MARK}"},
        {"query": f'{{ nothing(of: "{MARK}") }}'},
        {"query": "query A { viewer { permissions } } query B { __typename }", "operationName": BREAKS},
        {"query": "{ viewer { permissions } }", "operationName": MARK, "extensions": {"x": MARK}},
        {"query": f'{{ node(id: "{MARK}") {{ id }} }}'},
        {"query": f'{{ clients(after: "{MARK}") {{ totalCount nodes {{ id }} }} }}'},
    ]


async def asked(run: Run, wrong: str) -> list[httpx.Response]:
    """Every kind of request, as somebody and as nobody."""
    headers = {"user-agent": MARK, "cookie": f"a={MARK}", "traceparent": MARK, "x-request-id": MARK, "host": MARK}
    tokens = [f"Bearer {run.org.tokens[Role.OWNER]}", f"Bearer {run.org.tokens[Role.VIEWER]}", f"Bearer {wrong}", f"Basic {MARK}"]
    answers = []
    for token in tokens:
        told = {**headers, "authorization": token}
        for place, body in enumerate(bodies()):
            answers.append(await run.http.post("/graphql", json=body, headers={**told, "idempotency-key": f"{MARK}{place}"}))
        json_ = {**told, "content-type": "application/json"}
        answers += [await run.http.post("/graphql", content=content, headers=json_) for content in UNREADABLE]
        answers.append(await run.http.get("/graphql", params={"query": MARK}, headers=told))
        answers += [await run.http.get(f"/{MARK}", headers=told), await run.http.get("/readyz", headers=told)]
    return answers


async def garbled(run: Run) -> bytes:
    """What is no HTTP."""
    reader, writer = await asyncio.open_connection("127.0.0.1", run.server.port)
    writer.write(f"GET /{MARK} HTTP/1.1\r\n{MARK}\x00: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_a11_nothing_secret_is_written(run: Run) -> None:
    """Logs, metrics and errors of a run with every kind of request hold no token, key, password, and nothing that a caller sent.

    I7: each line of the log is one JSON object, whatever was in a name.
    """
    await run.owner.execute(UNFORESEEN)
    wrong = new_secret()
    answers = await asked(run, wrong)
    await garbled(run)
    await run.owner.execute("ALTER TABLE relaties.label RENAME TO label_moved")
    lost = {"query": "{ labels { totalCount } }", "variables": {"x": MARK}}
    answers.append(await run.http.post("/graphql", json=lost, headers={"authorization": f"Bearer {run.org.tokens[Role.OWNER]}"}))
    metrics = (await run.http.get(run.metrics)).text
    run.server.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(run.server.process.wait, 60) == 0
    log = run.log.read_text()
    secrets = [KEY, PASSWORD, wrong, *run.org.tokens.values()]
    for written in (
        log,
        metrics,
        run.server.printed,
        *(f"{answer.headers}{answer.text}" for answer in answers if '"data"' not in answer.text),
    ):
        assert not [secret for secret in secrets if secret in written or secret.removeprefix("rlt_") in written]
    assert MARK not in log + metrics + run.server.printed
    incidents = _incidents(answers)
    assert len(incidents) == 2
    _compared(log, incidents)


def _incidents(answers: list[httpx.Response]) -> list[str]:
    told = [error for answer in answers if answer.text.startswith("{") for error in answer.json().get("errors", ())]
    return [error["extensions"]["incident"] for error in told if "incident" in error["extensions"]]


def _compared(log: str, incidents: list[str]) -> None:
    """Each incident is one line, with the trace and without the row."""
    lines = [json.loads(line) for line in log.removesuffix("\n").split("\n")]
    assert all({"time", "level", "logger", "event"} <= set(line) for line in lines)
    traced = {line["event"]: line["exception"] for line in lines if "exception" in line}
    assert list(traced) == [f"incident {incident}" for incident in incidents]
    refused, lost = traced.values()
    assert 'CheckViolationError: 23514 new row for relation "client" violates check constraint "unforeseen"' in refused
    assert 'UndefinedTableError: 42P01 relation "relaties.label" does not exist' in lost

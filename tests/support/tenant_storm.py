"""Send requests of twenty organizations at once, and check that no response contains a name of another organization.

The mark of the organization is part of every name.
"""

import asyncio
import gc
import logging
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from db.engine.read_pool import ReadConnection
from db.tables import Role
from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant
from tests.support.ids import global_id

ORGANIZATION_COUNT, CONCURRENT_REQUESTS = 20, 200
MARK = re.compile(r"#\d\d#")
CLIENTS = """{ viewer { organization { name } } clients(first: 10) { totalCount nodes { name labels { name clients { nodes { name } } }
  contacts { nodes { fullName clients { nodes { name } } } } activity { nodes { id } } } } }"""
CONTACTS = """{ contacts { totalCount nodes { fullName clients { nodes { name labels { name } } } } }
  labels { nodes { name clients { nodes { name } } } } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on Client { name labels { name } contacts { nodes { fullName } } } } }"
CLIENT_NAME = "query ($id: ID!) { node(id: $id) { ... on Client { name } } }"
PAGE = "{ clients(first: 4, orderBy: {field: UPDATED_AT, direction: DESC}) { nodes { name } } }"
RENAME = """mutation ($id: ID!, $name: String!, $version: Int!) {
  done: clientUpdate(input: {id: $id, name: $name, expectedVersion: $version}) {
  client { name labels { name } contacts { nodes { fullName } } }
  userErrors { message ... on ClientVersionConflictError { current { name contacts { nodes { fullName } } } } } } }"""
LABEL = """mutation ($name: String!) { done: labelCreate(input: {name: $name}) {
  label { name clients { nodes { name } } } query { clients { nodes { name } } } userErrors { message } } }"""

TERMINATE_BACKENDS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = current_database()
  ORDER BY random() LIMIT 2"""


@dataclass
class Organization:
    mark: str
    tenant: Tenant


async def create_marked_organizations(owner: asyncpg.Connection) -> list[Organization]:
    marked = []
    for number in range(ORGANIZATION_COUNT):
        mark = f"#{number:02}#"
        org = await create_tenant(owner, f"Organization {mark}")
        clients = [await org.add_client(f"Client {mark}", f"{index}") for index in range(4)]
        for index in range(3):
            await org.add_contact(f"Person {mark}", *clients[index : index + 2])
            await org.add_label(f"Label {index} {mark}", *clients[index:])
        marked.append(Organization(mark, org))
    return marked


def iterate_texts(answer: object) -> Iterator[str]:
    """Yield every name and every message in a response body."""
    for key, value in answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ():
        if key in {"name", "fullName", "message"} and isinstance(value, str):
            yield value
        yield from iterate_texts(value)


@dataclass
class RequestStorm:
    """Send many concurrent requests, while some are cancelled and connections to the database are terminated."""

    apis: list[tuple[Organization, Api]]
    operator: asyncpg.Connection
    user: str
    seconds: float
    random_source: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 no secret
    answer_counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    operator_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    name_count: int = 0
    cancelled_count: int = 0
    terminated_count: int = 0

    async def execute(self) -> None:
        deadline = monotonic() + self.seconds
        async with asyncio.TaskGroup() as group:
            for index in range(CONCURRENT_REQUESTS):
                group.create_task(self._send_requests(*self.apis[index % len(self.apis)], deadline))

    async def _send_requests(self, org: Organization, api: Api, deadline: float) -> None:
        while monotonic() < deadline or not self.has_enough():
            query, variables = self._choose_request(org)
            request = asyncio.create_task(api.post({"query": query, "variables": variables}))
            if self.random_source.random() < 0.05:
                await self._cancel(request)
            else:
                self._check_response(org, (await request).json())
            if self.answer_counts.total() > 100 * (self.terminated_count + 1):
                await self._terminate_backends()

    def _choose_request(self, org: Organization) -> tuple[str, dict[str, Any]]:
        key = global_id("Client", self.random_source.choice(org.tenant.clients))
        new = {"id": key, "name": f"Client {uuid4()} {org.mark}", "version": self.random_source.randint(1, 9)}
        single: list[tuple[str, dict[str, Any]]] = [(CLIENT_NAME, {"id": key}), (PAGE, {})]
        questions = [*single, (CLIENTS, {}), (CONTACTS, {}), (NODE, {"id": key}), (RENAME, new)]
        return self.random_source.choice([*questions, *questions, (LABEL, {"name": f"Label {uuid4()} {org.mark}"})])

    def _check_response(self, org: Organization, body: dict[str, Any]) -> None:
        self.codes.update(error["extensions"]["code"] for error in body.get("errors", ()))
        marks = [mark for text in iterate_texts(body.get("data")) for mark in MARK.findall(text)]
        assert set(marks) <= {org.mark}, body
        self.name_count += len(marks)
        if "errors" not in body:
            assert marks, body
            self.answer_counts[org.mark] += 1

    async def _cancel(self, request: "asyncio.Task[Any]") -> None:
        for _ in range(self.random_source.randint(0, 100)):
            await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        self.cancelled_count += 1

    async def _terminate_backends(self) -> None:
        """Terminate two of the server's database connections at random."""
        self.terminated_count += 1
        async with self.operator_lock:
            await self.operator.execute(TERMINATE_BACKENDS, self.user)

    def has_enough(self) -> bool:
        """Return whether every organization received enough responses and enough faults occurred, however slow the machine is."""
        is_answered = len(self.answer_counts) == ORGANIZATION_COUNT and min(self.answer_counts.values()) > 5
        return is_answered and self.name_count > 1000 and self.terminated_count > 2 and self.cancelled_count > 10


def fail_some_tenant_settings(monkeypatch: pytest.MonkeyPatch, random_source: random.Random) -> Counter[bool]:
    """Make one in twenty settings of a session's tenant fail, half of them after PostgreSQL executed it. Return their counts."""
    execute, failures = ReadConnection.execute, Counter[bool]()

    async def execute_or_fail(self: ReadConnection, query: str) -> str:
        if query.startswith("SET app.tenant") and random_source.random() < 0.05:
            reaches_server = random_source.random() < 0.5
            failures[reaches_server] += 1
            if reaches_server:
                await execute(self, query)
            raise asyncpg.ConnectionDoesNotExistError
        status: str = await execute(self, query)
        return status

    monkeypatch.setattr(ReadConnection, "execute", execute_or_fail)
    return failures


class Incidents(logging.Handler):
    """Collect the log records of internal errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.traces: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.traces.append(self.format(record))


async def run_request_storm(
    orgs: list[Organization], http: httpx.AsyncClient, operator: asyncpg.Connection, user: str, seconds: float
) -> None:
    """Run the storm and check that it caused no internal error. Connections of the role `user` are terminated."""
    storm = RequestStorm([(org, Api(http, org.tenant.tokens[Role.OWNER])) for org in orgs], operator, user, seconds)
    incidents = Incidents()
    logging.getLogger("relaties").addHandler(incidents)
    try:
        async with asyncio.timeout(seconds + 120):
            await storm.execute()
    finally:
        logging.getLogger("relaties").removeHandler(incidents)
        gc.collect()  # closes the unawaited coroutines, see `GIVEN_UP`
    assert not incidents.traces, "\n".join(incidents.traces)
    assert set(storm.codes) <= {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED"}, storm.codes

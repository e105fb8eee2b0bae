"""Twenty organizations at once, whose every name says whose it is: whatever goes wrong, nobody is shown another's."""

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
from tests.ask import Api
from tests.builders import Tenant, tenant
from tests.ids import global_id

ORGANIZATIONS, AT_ONCE = 20, 200
MARK = re.compile(r"#\d\d#")
CLIENTS = """{ viewer { organization { name } } clients(first: 10) { totalCount nodes { name labels { name clients { nodes { name } } }
  contacts { nodes { fullName clients { nodes { name } } } } activity { nodes { id } } } } }"""
CONTACTS = """{ contacts { totalCount nodes { fullName clients { nodes { name labels { name } } } } }
  labels { nodes { name clients { nodes { name } } } } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on Client { name labels { name } contacts { nodes { fullName } } } } }"
ONE = "query ($id: ID!) { node(id: $id) { ... on Client { name } } }"
PAGE = "{ clients(first: 4, orderBy: {field: UPDATED_AT, direction: DESC}) { nodes { name } } }"
RENAME = """mutation ($id: ID!, $name: String!, $version: Int!) {
  done: clientUpdate(input: {id: $id, name: $name, expectedVersion: $version}) {
  client { name labels { name } contacts { nodes { fullName } } }
  userErrors { message ... on VersionConflictError { current { ... on Client { name contacts { nodes { fullName } } } } } } } }"""
LABEL = """mutation ($name: String!) { done: labelCreate(input: {name: $name}) {
  label { name clients { nodes { name } } } query { clients { nodes { name } } } userErrors { message } } }"""

END = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = current_database()
  ORDER BY random() LIMIT 2"""


@dataclass
class Organization:
    mark: str
    tenant: Tenant


async def organizations(owner: asyncpg.Connection) -> list[Organization]:
    made = []
    for place in range(ORGANIZATIONS):
        mark = f"#{place:02}#"
        org = await tenant(owner, f"Organization {mark}")
        clients = [await org.add_client(f"Client {mark}", f"{step}") for step in range(4)]
        for step in range(3):
            await org.add_contact(f"Person {mark}", *clients[step : step + 2])
            await org.add_label(f"Label {step} {mark}", *clients[step:])
        made.append(Organization(mark, org))
    return made


def texts(answer: object) -> Iterator[str]:
    """Every name in an answer, and every message."""
    for key, value in answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ():
        if key in {"name", "fullName", "message"} and isinstance(value, str):
            yield value
        yield from texts(value)


@dataclass
class Crossfire:
    """Many who ask at once, while connections are ended and requests given up."""

    apis: list[tuple[Organization, Api]]
    operator: asyncpg.Connection
    user: str
    seconds: float
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 no secret
    answered: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    names: int = 0
    given_up: int = 0
    ended: int = 0

    async def execute(self) -> None:
        until = monotonic() + self.seconds
        async with asyncio.TaskGroup() as group:
            for place in range(AT_ONCE):
                group.create_task(self._asking(*self.apis[place % len(self.apis)], until))

    async def _asking(self, org: Organization, api: Api, until: float) -> None:
        while monotonic() < until or not self.has_enough():
            query, variables = self._question(org)
            asked = asyncio.create_task(api.post({"query": query, "variables": variables}))
            if self.chance.random() < 0.05:
                await self._give_up(asked)
            else:
                self._judge(org, (await asked).json())
            if self.answered.total() > 100 * (self.ended + 1):
                await self._end()

    def _question(self, org: Organization) -> tuple[str, dict[str, Any]]:
        key = global_id("Client", self.chance.choice(org.tenant.clients))
        new = {"id": key, "name": f"Client {uuid4()} {org.mark}", "version": self.chance.randint(1, 9)}
        single: list[tuple[str, dict[str, Any]]] = [(ONE, {"id": key}), (PAGE, {})]
        questions = [*single, (CLIENTS, {}), (CONTACTS, {}), (NODE, {"id": key}), (RENAME, new)]
        return self.chance.choice([*questions, *questions, (LABEL, {"name": f"Label {uuid4()} {org.mark}"})])

    def _judge(self, org: Organization, body: dict[str, Any]) -> None:
        self.codes.update(error["extensions"]["code"] for error in body.get("errors", ()))
        found = [mark for text in texts(body.get("data")) for mark in MARK.findall(text)]
        assert set(found) <= {org.mark}, body
        self.names += len(found)
        if "errors" not in body:
            assert found, body
            self.answered[org.mark] += 1

    async def _give_up(self, asked: "asyncio.Task[Any]") -> None:
        for _ in range(self.chance.randint(0, 100)):
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        self.given_up += 1

    async def _end(self) -> None:
        """Of the database's own connections, whoever uses them."""
        self.ended += 1
        async with self.turn:
            await self.operator.execute(END, self.user)

    def has_enough(self) -> bool:
        """However slow the machine, everybody was answered, and often, in spite of everything."""
        is_answered = len(self.answered) == ORGANIZATIONS and min(self.answered.values()) > 5
        return is_answered and self.names > 1000 and self.ended > 2 and self.given_up > 10


def failing_sessions(patched: pytest.MonkeyPatch, chance: random.Random) -> Counter[bool]:
    """Make one in twenty settings of a session's tenant fail, half of them after the server heard of it; count them."""
    execute, failed = ReadConnection.execute, Counter[bool]()

    async def executed(self: ReadConnection, query: str) -> str:
        if query.startswith("SET app.tenant") and chance.random() < 0.05:
            is_heard = chance.random() < 0.5
            failed[is_heard] += 1
            if is_heard:
                await execute(self, query)
            raise asyncpg.ConnectionDoesNotExistError
        status: str = await execute(self, query)
        return status

    patched.setattr(ReadConnection, "execute", executed)
    return failed


class Incidents(logging.Handler):
    """What went wrong without a code, as the log has it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.traces: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.traces.append(self.format(record))


async def crossfire(orgs: list[Organization], http: httpx.AsyncClient, operator: asyncpg.Connection, user: str, seconds: float) -> None:
    """`user` is whose connections are ended."""
    made = Crossfire([(org, Api(http, org.tenant.tokens[Role.OWNER])) for org in orgs], operator, user, seconds)
    incidents = Incidents()
    logging.getLogger("relaties").addHandler(incidents)
    try:
        async with asyncio.timeout(seconds + 120):
            await made.execute()
    finally:
        logging.getLogger("relaties").removeHandler(incidents)
        gc.collect()  # see GIVEN_UP
    assert not incidents.traces, "\n".join(incidents.traces)
    assert set(made.codes) <= {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED"}, made.codes

"""Serve the upper bound of a query's speed: run its statements with bare asyncpg, and send an answer that was built before.

Nothing on this stack can be faster. The path names the query and the body names the case, whose values and answer are in a file. The
statements fetch only the requested columns, like the product's. They run one after the other on one connection, behind row-level security,
without a transaction or authentication.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import orjson

from benchmarks.peer_statements import CLIENT as CLIENT_COLUMNS
from benchmarks.peer_statements import CONTACT, LABEL, contacts_query, page_query, revenue_query
from db import demo
from db.engine.statement import Query
from db.queries import clients, labels

READERS = 8
CONTACTS = 25  # per client
Message = dict[str, Any]
TENANT_ARGUMENT: Message = {"tenant": demo.TENANT}
COLUMNS = {"Q4": frozenset({"name"})}
PERIOD = ("start", "end")


class BaselineCase(NamedTuple):
    """The values of the first statement, the period of revenue, and the answer."""

    values: Message
    period: Message
    answer: bytes


@cache
def read_cases(name: str) -> list[BaselineCase]:
    """Read the cases of a query. They are written before the first request to the baseline."""
    return [_decode_case(each) for each in orjson.loads((Path(os.environ["BOUND_ANSWERS"]) / f"{name}.json").read_bytes())]


def _decode_case(stored_case: Mapping[str, Any]) -> BaselineCase:
    values = dict(stored_case["values"])
    period = {name: date.fromisoformat(values.pop(name)) for name in PERIOD}
    return BaselineCase(values, period, stored_case["answer"].encode())


@cache
def first_query(name: str, *, is_next: bool, is_one: bool) -> Query[Any]:
    """Return the statement that fetches the clients of a case."""
    query = clients.BY_ID if is_one else page_query("ACTIVE", is_next=is_next)
    return query.project(COLUMNS.get(name, frozenset(CLIENT_COLUMNS)))


CONTACTS_OF, LABELS_OF = contacts_query().project(frozenset(CONTACT)), labels.OF_CLIENTS.project(frozenset(LABEL))


def relation_statements(ids: list[object], period: Message) -> list[tuple[Any, ...]]:
    """Return the statements that fetch the relations of these clients, each with its arguments."""
    id_arguments = TENANT_ARGUMENT | {"ids": ids}
    queries = [
        (CONTACTS_OF, id_arguments | {"size": CONTACTS}),
        (LABELS_OF, id_arguments),
        (revenue_query(), id_arguments | period),
    ]
    return [(query.sql, *query.arguments(values)) for query, values in queries]


async def _run_statements(pool: asyncpg.Pool, name: str, case: BaselineCase) -> None:
    first = first_query(name, is_next="after_key" in case.values, is_one="ids" in case.values)
    async with pool.acquire() as connection:
        rows = await connection.fetch(first.sql, *first.arguments(TENANT_ARGUMENT | case.values))
        if name == "Q4":
            return
        for sql, *arguments in relation_statements([row["id"] for row in rows[: case.values.get("count", 2) - 1]], case.period):
            await connection.fetch(sql, *arguments)


class _Reader(asyncpg.Connection):
    def get_reset_query(self) -> str:
        return ""


class BaselineApplication:
    """An ASGI application with one stored answer per case."""

    pool: asyncpg.Pool | None = None

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if self.pool is None:
            settings = {"jit": "off", "app.tenant": str(demo.TENANT)}
            url = os.environ["DATABASE_URL"]
            self.pool = await asyncpg.create_pool(
                url, min_size=READERS, max_size=READERS, connection_class=_Reader, server_settings=settings
            )
        name = scope["path"].removeprefix("/")
        case = read_cases(name)[orjson.loads(body)["case"]]
        await _run_statements(self.pool, name, case)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(case.answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": case.answer})


app = BaselineApplication()

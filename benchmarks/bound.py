"""The bound of a query: its statements by bare asyncpg, and an answer that was made before. Nothing on this stack can be faster.

The path names the query. The statements bring the columns that are asked for, as the product's do, and run one after the other on one
connection, behind row level security, with neither transaction nor sign-in.
"""

import os
from collections.abc import Awaitable, Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.statements import CLIENT as SHOWN
from benchmarks.statements import CONTACT, LABEL, contacts_of_clients, page, revenue_of_clients
from db import clients, demo, labels
from db.query import Query

READERS = 8
Message = dict[str, Any]
OF: Message = {"tenant": demo.TENANT}
CLIENT = UUID(os.environ["BOUND_CLIENT"])
ALL, NAMES = page("ACTIVE").of(frozenset(SHOWN)), page("ACTIVE").of(frozenset({"name"}))
ONE: tuple[Query[Any], Message] = (clients.BY_ID.of(frozenset(SHOWN)), OF | {"ids": [CLIENT]})
PAGES: dict[str, tuple[Query[Any], Message]] = {"Q1": (ALL, OF | {"count": 51}), "Q2": ONE}
PAGES |= {"Q3": (ALL, OF | {"count": 101}), "Q4": (NAMES, OF | {"count": 51})}
RELATIONS: list[tuple[Query[Any], Message]] = [
    (contacts_of_clients().of(frozenset(CONTACT)), {"count": 26}),
    (labels.OF_CLIENTS.of(frozenset(LABEL)), {}),
    (revenue_of_clients(), {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}),
]


async def _statements(pool: asyncpg.Pool, name: str) -> None:
    first, values = PAGES[name]
    async with pool.acquire() as connection:
        found = await connection.fetch(first.sql, *first.arguments(values))
        shown = [row["id"] for row in found[: values.get("count", 2) - 1]]
        for query, more in RELATIONS if name != "Q4" else ():
            await connection.fetch(query.sql, *query.arguments(OF | {"ids": shown} | more))


class _Reader(asyncpg.Connection):
    def get_reset_query(self) -> str:
        return ""


@cache
def _answer(name: str) -> bytes:
    return (Path(os.environ["BOUND_ANSWERS"]) / f"{name}.json").read_bytes()


class Bound:
    """An ASGI application of one answer a path."""

    pool: asyncpg.Pool | None = None

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        while (await receive()).get("more_body"):
            pass
        if self.pool is None:
            settings = {"jit": "off", "app.tenant": str(demo.TENANT)}
            url = os.environ["DATABASE_URL"]
            self.pool = await asyncpg.create_pool(
                url, min_size=READERS, max_size=READERS, connection_class=_Reader, server_settings=settings
            )
        name = scope["path"].removeprefix("/")
        await _statements(self.pool, name)
        answer = _answer(name)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


app = Bound()

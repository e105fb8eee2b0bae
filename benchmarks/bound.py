"""The bound of Q1: its four statements by bare asyncpg, and an answer that was made before. Nothing on this stack can be faster.

The statements run one after the other on one connection, behind row level security, with neither transaction nor sign-in.
"""

import os
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg

from db import clients, contacts, demo, labels, revenue

FIRST = clients._page(clients.Sort.NAME, (), is_ascending=True, is_next=False)  # noqa: SLF001 the product's own statements
CONTACTS = contacts._of_clients(is_ascending=True, is_next=False)  # noqa: SLF001
REVENUE = revenue._by_client(())  # noqa: SLF001 the product's own, for a period of whole months
PERIOD = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}
READERS = 8
Message = dict[str, Any]


async def _statements(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        page = await connection.fetch(FIRST.sql, *FIRST.arguments({"tenant": demo.TENANT, "count": 51}))
        of: Message = {"tenant": demo.TENANT, "ids": [row["id"] for row in page[:50]]}
        for query, values in ((CONTACTS, of | {"count": 26}), (labels.OF_CLIENTS, of), (REVENUE, of | PERIOD)):
            await connection.fetch(query.sql, *query.arguments(values))


class _Reader(asyncpg.Connection):
    def get_reset_query(self) -> str:
        return ""


def _answer() -> bytes:
    return Path(os.environ["BOUND_ANSWER"]).read_bytes()


class Bound:
    """An ASGI application of one answer."""

    pool: asyncpg.Pool | None = None

    async def __call__(
        self, _scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        while (await receive()).get("more_body"):
            pass
        if self.pool is None:
            settings = {"jit": "off", "app.tenant": str(demo.TENANT)}
            url = os.environ["DATABASE_URL"]
            self.pool = await asyncpg.create_pool(
                url, min_size=READERS, max_size=READERS, connection_class=_Reader, server_settings=settings
            )
        await _statements(self.pool)
        answer = _answer()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


app = Bound()

"""Hold locks that the server needs, until it waits for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.support.eventually import wait_until


@asynccontextmanager
async def hold_until_blocked(rival: asyncpg.Connection, owner: asyncpg.Connection, statement: str) -> AsyncIterator[None]:
    """Execute the statement, and commit it once a statement of the block waits for it."""

    async def is_blocking() -> bool:
        blocking_query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))"
        is_blocking_now: bool = await owner.fetchval(blocking_query, rival.get_server_pid())
        return is_blocking_now

    async with rival.transaction():
        await rival.execute(statement)
        yield
        await wait_until(is_blocking)

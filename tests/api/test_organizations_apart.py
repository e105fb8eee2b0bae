"""Organizations that ask at once, under fire, are kept apart."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from tests.apart import crossfire, failing_sessions, organizations
from tests.ask import connected
from tests.conftest import RUNTIME, runtime_url
from tests.outages import GIVEN_UP

PATIENT = DatabaseLimits(read_pool_timeout=30, write_pool_timeout=30)


@pytest.fixture
async def url(fresh_database: Callable[[], Awaitable[str]]) -> str:
    return await fresh_database()


@pytest.fixture
async def operator(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@GIVEN_UP
@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.proof)])
@pytest.mark.parametrize("always_in_transaction", [False, True], ids=["sessions", "transactions"])
async def test_t7_nobody_is_shown_anothers(
    url: str,
    operator: asyncpg.Connection,
    schema: strawberry.Schema,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    *,
    always_in_transaction: bool,
) -> None:
    """Two hundred requests of twenty organizations at any time; each name in each answer is of who asked.

    Connections are ended, requests given up, and the tenants of sessions set in vain.
    """
    sent = Counter[str]()
    database = await Database.connect(
        runtime_url(url), PATIENT, always_in_transaction=always_in_transaction, on_statement=lambda sql: sent.update([sql.split()[0]])
    )
    orgs = await organizations(operator)
    failed = failing_sessions(monkeypatch, random.Random(7))  # noqa: S311 no secret
    async with connected(schema, database) as http:
        await crossfire(orgs, http, operator, RUNTIME, seconds)
    assert (database.read_connections_in_use, database.write_connections_in_use) == (0, 0)
    await database.close()
    if always_in_transaction:
        assert (sent["SET"], failed) == (0, {})
    else:
        assert sent["SET"] > 100
        assert min(failed[True], failed[False]) > 2

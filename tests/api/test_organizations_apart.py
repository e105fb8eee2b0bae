"""Test that organizations are kept apart while they send requests at once and connections fail."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from tests.support.api import connect_client
from tests.support.databases import RUNTIME, runtime_url
from tests.support.outages import GIVEN_UP
from tests.support.tenant_storm import create_marked_organizations, fail_some_tenant_settings, run_request_storm

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
async def test_t7_organizations_never_see_each_others_data(
    url: str,
    operator: asyncpg.Connection,
    schema: strawberry.Schema,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    *,
    always_in_transaction: bool,
) -> None:
    """Twenty organizations send two hundred concurrent requests. Each name in an answer belongs to the organization that asked.

    Meanwhile connections are terminated, requests are cancelled, and some attempts to set the tenant of a session fail.
    """
    statement_counts = Counter[str]()
    database = await Database.connect(
        runtime_url(url),
        PATIENT,
        always_in_transaction=always_in_transaction,
        on_statement=lambda sql: statement_counts.update([sql.split()[0]]),
    )
    orgs = await create_marked_organizations(operator)
    failure_counts = fail_some_tenant_settings(monkeypatch, random.Random(7))  # noqa: S311 no secret
    async with connect_client(schema, database) as http:
        await run_request_storm(orgs, http, operator, RUNTIME, seconds)
    assert (database.read_connections_in_use, database.write_connections_in_use) == (0, 0)
    await database.close()
    if always_in_transaction:
        assert (statement_counts["SET"], failure_counts) == (0, {})
    else:
        assert statement_counts["SET"] > 100
        assert min(failure_counts[True], failure_counts[False]) > 2

"""Query statistics of an operation: its statements and their time."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy import JSON, literal, select, text
from sqlalchemy.exc import StatementError

from db.engine.database import Database
from db.engine.query_stats import QueryStats
from tests.support.builders import Tenant
from tests.support.sql_queries import FAILING_QUERY, ONE_QUERY, SLOW_QUERY

# Converting an object to JSON fails in Python, before anything is sent.
UNBINDABLE: Any = select(literal(object(), JSON()))


async def test_reads_are_counted_with_their_time(database: Database, org: Tenant) -> None:
    """Failed statements count, too. Statements that begin and end the transaction do not."""
    stats = QueryStats()
    tx = database.read(org.id, stats)
    await tx.fetch(ONE_QUERY)
    assert stats.statements == 1
    await tx.fetch(SLOW_QUERY, seconds=0.1)
    assert stats.statements == 2
    assert stats.seconds >= 0.1
    with pytest.raises(asyncpg.DivisionByZeroError):
        await tx.fetch(FAILING_QUERY)
    await tx.end()
    assert stats.statements == 3


async def test_changes_are_counted_with_their_time(database: Database, org: Tenant) -> None:
    """Statements of the session and those beside it count in the same statistics. Failed statements count, too."""
    stats = QueryStats()

    async def run_changes() -> None:
        async with database.unit_of_work(org.id, stats=stats) as work:
            assert stats.statements == 0
            await work.fetch(ONE_QUERY)
            await work.session.exec(text("SELECT pg_sleep(0.1)"))  # type: ignore[call-overload]
            assert stats.statements == 2
            assert stats.seconds >= 0.1
            await work.session.exec(text("SELECT 1 / 0"))  # type: ignore[call-overload]

    with pytest.raises(Exception, match="division by zero"):
        await run_changes()
    assert stats.statements == 3


async def test_each_unit_of_work_has_its_own_statistics(database: Database, org: Tenant) -> None:
    """That holds even if they use the same connection."""
    first, second = QueryStats(), QueryStats()
    for stats in (first, second):
        async with database.unit_of_work(org.id, stats=stats) as work:
            await work.session.exec(text("SELECT 1"))  # type: ignore[call-overload]
    assert (first.statements, second.statements) == (1, 1)


async def test_unbindable_statement_counts_no_time(database: Database, org: Tenant) -> None:
    """It fails before it is sent, so neither the statement nor any time counts."""
    first, later = QueryStats(), QueryStats()
    with pytest.raises(StatementError):
        async with database.unit_of_work(org.id, stats=first) as work:
            await work.session.exec(UNBINDABLE)
    assert (first.statements, first.seconds) == (0, 0.0)
    async with database.unit_of_work(org.id, stats=later) as work:
        await work.session.exec(text("SELECT 1"))  # type: ignore[call-overload]
        before = later.seconds
        with pytest.raises(StatementError):
            await work.session.exec(UNBINDABLE)
        assert (later.statements, later.seconds) == (1, before)

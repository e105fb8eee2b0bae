"""Migrate the tables, and create or update the role that the server logs in as. Migrations run as the owner, never as that role."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.engine.errors import driver_error
from db.engine.urls import to_sqlalchemy_url
from db.migrations.roles import grant_access
from db.tables import SCHEMA

MIGRATION_LOCK = 7_358_230_142  # the key of an advisory lock: an arbitrary number that nothing else uses
# While a migration waits for a table lock, new queries on that table wait behind it. So it gives up before the `lock_timeout` of the
# server's role (2 s) makes those queries fail, and then retries.
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"
STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '10min'"
MAX_ATTEMPTS = 30  # each waits at most a second for a lock; the queries that waited behind it run before the next attempt


@cache
def head() -> str:
    """Return the revision that this code needs: the highest number at the start of a file name in `versions`."""
    return max(path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


async def upgrade(owner_url: str, runtime_url: str | None, *, revision: str = "head") -> None:
    """Migrate the tables to a revision, and create or update the role of `runtime_url`. Concurrent calls run one after the other."""
    await _run_with_retries(owner_url, lambda connection: _upgrade(connection, runtime_url, revision))


async def downgrade(owner_url: str, *, revision: str) -> None:
    from db.migrations import runner  # noqa: PLC0415 see the docstring of `runner`

    await _run_with_retries(owner_url, lambda connection: runner.downgrade(connection, revision))


async def _run_with_retries(owner_url: str, change: Callable[[Connection], None]) -> None:
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return await _run_once(owner_url, change)
        except DBAPIError as error:
            if not isinstance(driver_error(error), asyncpg.LockNotAvailableError):
                raise
    return await _run_once(owner_url, change)


async def _run_once(owner_url: str, change: Callable[[Connection], None]) -> None:
    """Run the change in one transaction, while holding the advisory lock of migrations."""
    engine = create_async_engine(to_sqlalchemy_url(owner_url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            for limit in (LOCK_TIMEOUT, STATEMENT_TIMEOUT):
                await connection.execute(text(limit))
            await connection.run_sync(change)
    finally:
        await asyncio.shield(engine.dispose())


def _upgrade(connection: Connection, runtime_url: str | None, revision: str) -> None:
    if revision != "head" or _revision(connection) != head():
        from db.migrations import runner  # noqa: PLC0415 see the docstring of `runner`

        runner.upgrade(connection, revision)
    if runtime_url:
        grant_access(connection, runtime_url)


def _revision(connection: Connection) -> str | None:
    """Return the revision of the tables; None before the first migration."""
    if connection.scalar(text(f"SELECT to_regclass('{SCHEMA}.alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {SCHEMA}.alembic_version"))  # noqa: S608 a constant of ours
    return revision


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Return whether Alembic compares an object with our metadata. Skip all schemas but ours, because the database can have others."""
    return kind != "schema" or name == SCHEMA

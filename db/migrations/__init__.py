"""Migrations: how the tables came to be, and the roles that use them. Run as the owner, never by the server."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.addresses import for_sqlalchemy
from db.faults import plain
from db.migrations.roles import let_in
from db.tables import SCHEMA

ONE_AT_A_TIME = 7_358_230_142  # of advisory locks, any number that nothing else here uses
# Who wants a table waits behind a migration that waits for it: so that waits for less than the server's role does, and tries again.
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"
STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '10min'"
TRIES = 30  # to have a lock, a second each: whoever waits behind us goes first then


@cache
def head() -> str:
    """The revision that this code needs: its files begin with their revisions, which are numbers in their order."""
    return max(path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


async def upgrade(owner_url: str, runtime_url: str | None, *, to: str = "head") -> None:
    """Brings the tables to a revision, and makes or renews the role that the server logs in as. Two at once take turns."""
    await _as_owner(owner_url, lambda connection: _upgrade(connection, runtime_url, to))


async def downgrade(owner_url: str, *, to: str) -> None:
    from db.migrations import steps  # noqa: PLC0415 see there

    await _as_owner(owner_url, lambda connection: steps.down(connection, to))


async def _as_owner(owner_url: str, change: Callable[[Connection], None]) -> None:
    for _ in range(TRIES - 1):
        try:
            return await _tried(owner_url, change)
        except DBAPIError as failed:
            if not isinstance(plain(failed), asyncpg.LockNotAvailableError):
                raise
    return await _tried(owner_url, change)


async def _tried(owner_url: str, change: Callable[[Connection], None]) -> None:
    """All of it or nothing."""
    engine = create_async_engine(for_sqlalchemy(owner_url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
            await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            for limit in (LOCK_TIMEOUT, STATEMENT_TIMEOUT):
                await connection.execute(text(limit))
            await connection.run_sync(change)
    finally:
        await asyncio.shield(engine.dispose())


def _upgrade(connection: Connection, runtime_url: str | None, to: str) -> None:
    if to != "head" or _revision(connection) != head():
        from db.migrations import steps  # noqa: PLC0415 see there

        steps.up(connection, to)
    if runtime_url:
        let_in(connection, runtime_url)


def _revision(connection: Connection) -> str | None:
    """Where the tables are; None before the first migration."""
    if connection.scalar(text(f"SELECT to_regclass('{SCHEMA}.alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {SCHEMA}.alembic_version"))  # noqa: S608 a constant of ours
    return found


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Of a database that others may use too, only our schema is looked at."""
    return kind != "schema" or name == SCHEMA

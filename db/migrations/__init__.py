"""Migrations: how the tables came to be, and the roles that use them. Run as the owner, never by the server."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.addresses import for_sqlalchemy
from db.faults import plain
from db.migrations.roles import let_in
from db.tables import SCHEMA

ONE_AT_A_TIME = 7_358_230_142  # of advisory locks, any number that nothing else here uses
TRIES = 30  # to have a lock, a second each: whoever waits behind us goes first then


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def head() -> str:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


async def upgrade(owner_url: str, runtime_url: str | None, *, to: str = "head") -> None:
    """Brings the tables to a revision, and makes or renews the role that the server logs in as. Two at once take turns."""
    await _as_owner(owner_url, lambda connection: _upgrade(connection, runtime_url, to))


async def downgrade(owner_url: str, *, to: str) -> None:
    await _as_owner(owner_url, lambda connection: _run(connection, lambda made: command.downgrade(made, to)))


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
            await connection.run_sync(change)
    finally:
        await asyncio.shield(engine.dispose())


def _upgrade(connection: Connection, runtime_url: str | None, to: str) -> None:
    _run(connection, lambda made: command.upgrade(made, to))
    if runtime_url:
        let_in(connection, runtime_url)


def _run(connection: Connection, change: Callable[[Config], None]) -> None:
    made = config()
    made.attributes["connection"] = connection
    change(made)


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Of a database that others may use too, only our schema is looked at."""
    return kind != "schema" or name == SCHEMA

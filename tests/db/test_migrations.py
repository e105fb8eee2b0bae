"""Migrations make exactly the tables that the code has, can be taken back, and hold nobody up."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import redirect_stdout
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection
from sqlalchemy.ext.asyncio import create_async_engine

from db.engine.urls import to_sqlalchemy_url, with_database_name
from db.migrations import downgrade, head, is_ours, upgrade
from db.migrations.roles import LIMITS
from db.migrations.runner import make_config
from db.tables import SCHEMA, Table
from tests.conftest import runtime_url

# Text lengths are limits of the field sets, widened without a rewrite; the integers count days, minutes and versions.
NOT_OURS = "prefer-text-field,prefer-bigint-over-int"


def _sql() -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        command.upgrade(make_config(), "head", sql=True)
    return printed.getvalue()


def test_migrations_pass_the_linter(tmp_path: Path) -> None:
    """Squawk finds nothing that would lock a table for long or break a running server."""
    (tmp_path / "all.sql").write_text(_sql())
    squawk = Path(sys.executable).parent / "squawk"
    done = subprocess.run([squawk, f"--exclude={NOT_OURS}", str(tmp_path / "all.sql")], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout
    assert "Found 0 issues" in done.stdout + done.stderr


def test_migrations_wait_for_no_lock() -> None:
    """One that cannot have its lock gives up for a moment, before anybody who waits behind it does."""
    assert "SET LOCAL lock_timeout = '1s'" in _sql()
    assert LIMITS["lock_timeout"] == "2s"


@pytest.mark.filterwarnings("ignore:Computed default on")  # alembic cannot compare the text of an expression
async def test_migrations_make_the_tables_of_the_code(owner_url: str) -> None:
    """A column, index or link in only one of the two would be found here."""

    def differences(connection: Connection) -> list[object]:
        options = {"include_schemas": True, "include_name": is_ours, "version_table_schema": SCHEMA}
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), Table.metadata)
        return found

    engine = create_async_engine(to_sqlalchemy_url(owner_url))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_checks_of_the_code_are_checks_of_the_database(owner: asyncpg.Connection) -> None:
    """Alembic does not compare these."""
    found = await owner.fetch("SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'relaties'::regnamespace")
    constraints = [constraint for table in Table.metadata.sorted_tables for constraint in table.constraints]
    wanted = {str(constraint.name) for constraint in constraints if isinstance(constraint, CheckConstraint)}
    assert {row["conname"] for row in found} == wanted


@pytest.fixture
async def empty(admin: asyncpg.Connection, server_url: str) -> AsyncIterator[str]:
    name = f"relaties_{uuid4().hex[:12]}"
    await admin.execute(f"CREATE DATABASE {name}")
    yield with_database_name(server_url, name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_migrations_go_back_and_forth(empty: str) -> None:
    """To nothing and to the head again; what is repeated changes nothing."""
    for _ in range(2):
        await upgrade(empty, runtime_url(empty))
    await downgrade(empty, revision="base")
    connection = await asyncpg.connect(empty)
    assert await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'relaties' AND tablename <> 'alembic_version'") == []
    await upgrade(empty, runtime_url(empty))
    assert await connection.fetchval("SELECT version_num FROM relaties.alembic_version") == head()
    await connection.close()


def test_the_head_is_the_last_file() -> None:
    """Alembic, which follows one revision to the next, comes to the same."""
    assert ScriptDirectory.from_config(make_config()).get_heads() == [head()]


async def test_two_migrations_at_once_take_turns(empty: str) -> None:
    """Both end well, and the tables are there once."""
    await asyncio.gather(*(upgrade(empty, runtime_url(empty)) for _ in range(4)))
    connection = await asyncpg.connect(runtime_url(empty))
    assert await connection.fetchval("SELECT version_num FROM relaties.alembic_version") == head()
    await connection.close()


async def test_the_servers_role_has_limits_and_any_name(empty: str) -> None:
    """Names and passwords with quotes, colons and blanks are taken as they are."""
    host = empty.rpartition("@")[2]
    odd = f"postgresql://relaties%22odd%20%3Aone:pa%27ss%3Aw%40rd@{host}"
    await upgrade(empty, odd)
    connection = await asyncpg.connect(odd)
    assert await connection.fetchval("SELECT current_user") == 'relaties"odd :one'
    assert await connection.fetchval("SHOW statement_timeout") == "5s"
    assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "10s"
    await connection.close()
    owner = await asyncpg.connect(empty)
    await owner.execute('DROP OWNED BY "relaties""odd :one"')
    await owner.execute('DROP ROLE "relaties""odd :one"')
    await owner.close()

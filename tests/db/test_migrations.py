"""Migrations create exactly the tables of the code, can be downgraded, and do not block other transactions."""

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
from tests.support.databases import runtime_url

# We use varchar for the limits of the field sets, since PostgreSQL can raise those without a rewrite. The integers are small numbers of
# days, minutes and versions.
NOT_OURS = "prefer-text-field,prefer-bigint-over-int"


def generate_sql() -> str:
    output = io.StringIO()
    with redirect_stdout(output):
        command.upgrade(make_config(), "head", sql=True)
    return output.getvalue()


def test_migrations_pass_the_linter(tmp_path: Path) -> None:
    """Squawk finds changes that lock a table for long or break a running server."""
    (tmp_path / "all.sql").write_text(generate_sql())
    squawk = Path(sys.executable).parent / "squawk"
    result = subprocess.run([squawk, f"--exclude={NOT_OURS}", str(tmp_path / "all.sql")], capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 0, result.stdout
    assert "Found 0 issues" in result.stdout + result.stderr


def test_migrations_do_not_wait_for_locks() -> None:
    """A migration stops waiting for a lock before the transactions that queue behind it do."""
    assert "SET LOCAL lock_timeout = '1s'" in generate_sql()
    assert LIMITS["lock_timeout"] == "2s"


@pytest.mark.filterwarnings("ignore:Computed default on")  # alembic cannot compare the text of an expression
@pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")  # alembic cannot copy a check that is not validated
async def test_migrations_create_the_tables_of_the_code(owner_url: str) -> None:
    """Alembic compares the columns, indexes and foreign keys of both."""

    def differences(connection: Connection) -> list[object]:
        options = {"include_schemas": True, "include_name": is_ours, "version_table_schema": SCHEMA}
        schema_differences: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), Table.metadata)
        return schema_differences

    engine = create_async_engine(to_sqlalchemy_url(owner_url))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_check_constraints_equal_those_of_the_code(owner: asyncpg.Connection) -> None:
    """Alembic does not compare check constraints."""
    rows = await owner.fetch("SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'relaties'::regnamespace")
    constraints = [constraint for table in Table.metadata.sorted_tables for constraint in table.constraints]
    expected = {str(constraint.name) for constraint in constraints if isinstance(constraint, CheckConstraint)}
    assert {row["conname"] for row in rows} == expected


@pytest.fixture
async def empty_database(admin: asyncpg.Connection, server_url: str) -> AsyncIterator[str]:
    name = f"relaties_{uuid4().hex[:12]}"
    await admin.execute(f"CREATE DATABASE {name}")
    yield with_database_name(server_url, name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_migrations_can_be_downgraded_and_upgraded(empty_database: str) -> None:
    """They can be downgraded to an empty schema and upgraded to the head. A repeated upgrade changes nothing."""
    for _ in range(2):
        await upgrade(empty_database, runtime_url(empty_database))
    await downgrade(empty_database, revision="base")
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'relaties' AND tablename <> 'alembic_version'") == []
    await upgrade(empty_database, runtime_url(empty_database))
    assert await connection.fetchval("SELECT version_num FROM relaties.alembic_version") == head()
    await connection.close()


def test_the_head_is_the_last_file() -> None:
    """Alembic, which follows the revisions from one to the next, has the same head."""
    assert ScriptDirectory.from_config(make_config()).get_heads() == [head()]


async def test_concurrent_migrations_are_serialized(empty_database: str) -> None:
    await asyncio.gather(*(upgrade(empty_database, runtime_url(empty_database)) for _ in range(4)))
    connection = await asyncpg.connect(runtime_url(empty_database))
    assert await connection.fetchval("SELECT version_num FROM relaties.alembic_version") == head()
    await connection.close()


async def test_role_of_the_server_has_limits_and_any_name(empty_database: str) -> None:
    """Names and passwords can have quotes, colons and spaces."""
    host = empty_database.rpartition("@")[2]
    odd = f"postgresql://relaties%22odd%20%3Aone:pa%27ss%3Aw%40rd@{host}"
    await upgrade(empty_database, odd)
    connection = await asyncpg.connect(odd)
    assert await connection.fetchval("SELECT current_user") == 'relaties"odd :one'
    assert await connection.fetchval("SHOW statement_timeout") == "5s"
    assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "10s"
    await connection.close()
    owner = await asyncpg.connect(empty_database)
    await owner.execute('DROP OWNED BY "relaties""odd :one"')
    await owner.execute('DROP ROLE "relaties""odd :one"')
    await owner.close()

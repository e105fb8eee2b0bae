"""Tenant isolation in the database: every table shows an organization only its own rows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy import Table as Columns

import db
from db import tenant_isolation
from db.engine.database import Database
from db.tables import Table
from server.database_checks import ensure_database_ready
from server.startup_errors import StartupError
from tests.support.builders import Tenant
from tests.support.databases import runtime_url

TABLES = Table.metadata.sorted_tables


@pytest.fixture
async def own_database(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[tuple[asyncpg.Connection, Database]]:
    """Yield a new database: a connection as its owner, and a connection as the server."""
    url = await fresh_database()
    owner, database = await asyncpg.connect(url), await Database.connect(runtime_url(url))
    yield owner, database
    await database.close()
    await owner.close()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_key_begins_with_the_tenant(table: Columns) -> None:
    """That holds for primary keys, unique constraints, unique indexes, and both sides of foreign keys."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint | ForeignKeyConstraint):
            assert next(iter(constraint.columns)).name == "tenant_id", constraint.name
        if isinstance(constraint, ForeignKeyConstraint):
            assert constraint.elements[0].column.name == "tenant_id", constraint.name
    for index in table.indexes:
        assert not index.unique or next(iter(index.columns)).name == "tenant_id", index.name


async def test_every_table_has_row_level_security(database: Database) -> None:
    """The check covers all tables of the migrated database."""
    policies = await tenant_isolation.table_isolation(database)
    assert {policy.name for policy in policies} == {table.name for table in TABLES}
    assert [policy.name for policy in policies if not policy.is_isolated] == []


@pytest.mark.parametrize(
    "breach",
    [
        "ALTER TABLE relaties.label NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE relaties.label DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON relaties.label",
        "CREATE POLICY more ON relaties.label USING (true)",
        "ALTER POLICY tenant ON relaties.label USING (true)",
        "ALTER POLICY tenant ON relaties.label WITH CHECK (true)",
        "CREATE TABLE relaties.other (id uuid)",
    ],
)
async def test_missing_policy_is_named_and_prevents_the_start(own_database: tuple[asyncpg.Connection, Database], breach: str) -> None:
    """The error is one line that names the table."""
    owner, database = own_database
    await ensure_database_ready(database)
    await owner.execute(breach)
    with pytest.raises(StartupError, match=r"^These tables do not isolate organizations: (label|other)\. Restore .*\.$"):
        await ensure_database_ready(database)


async def test_t11_every_table_is_empty_without_a_tenant(sample_org: Tenant, owner_url: str) -> None:
    """A statement of the server's role without a condition sees rows only while a tenant is set."""
    runtime = await asyncpg.connect(runtime_url(owner_url))
    try:
        for table in TABLES:
            assert await runtime.fetchval(f"SELECT count(*) FROM {table.fullname}") == 0, table.name
        async with runtime.transaction():
            await runtime.execute(f"SET LOCAL app.tenant = '{sample_org.id}'")
            assert await runtime.fetchval("SELECT count(*) FROM relaties.client") == 60
        assert await runtime.fetchval("SELECT count(*) FROM relaties.client") == 0
    finally:
        await runtime.close()


async def test_the_server_can_neither_write_for_another_tenant_nor_change_tables(sample_org: Tenant, org: Tenant, owner_url: str) -> None:
    """The database rejects a row of another tenant, a reference to another tenant's row, and changes of tables."""
    runtime = await asyncpg.connect(runtime_url(owner_url))
    label = "INSERT INTO relaties.client_label (tenant_id, client_id, label_id) VALUES ($1, $2, $3)"
    try:
        await runtime.execute(f"SET app.tenant = '{org.id}'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute(label, sample_org.id, sample_org.clients[0], sample_org.labels[3])
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await runtime.execute(label, org.id, sample_org.clients[0], sample_org.labels[3])
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute("TRUNCATE relaties.client_label")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute("CREATE TABLE relaties.mine (id int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute("ALTER TABLE relaties.client_label NO FORCE ROW LEVEL SECURITY")
    finally:
        await runtime.close()


async def test_server_rejects_a_role_that_bypasses_row_level_security(
    owner_url: str, own_database: tuple[asyncpg.Connection, Database]
) -> None:
    """It rejects a superuser, a role with BYPASSRLS, and an owner of tables."""
    superuser = await Database.connect(owner_url)
    with pytest.raises(StartupError, match=r"DATABASE_URL: role \w+ is a superuser and .*`relaties migrate` creates"):
        await ensure_database_ready(superuser)
    await superuser.close()
    owner, database = own_database
    name = (await tenant_isolation.current_role(database)).name
    try:
        await owner.execute(f"ALTER ROLE {name} BYPASSRLS")
        with pytest.raises(StartupError, match="is one that bypasses row level security"):
            await ensure_database_ready(database)
    finally:
        await owner.execute(f"ALTER ROLE {name} NOBYPASSRLS")
    await owner.execute(f"ALTER TABLE relaties.label OWNER TO {name}")
    with pytest.raises(StartupError, match="is the tables' owner"):
        await ensure_database_ready(database)


def test_archive_guard_is_disabled_in_two_places_only() -> None:
    """Only deleting a client and loading the demo disable it, apart from migrations."""
    root = Path(db.__file__).parent.parent
    sources = [path for folder in ("db", "domain", "resolvers", "schema", "server") for path in (root / folder).rglob("*.py")]
    paths = {path.relative_to(root).as_posix() for path in sources if "app.guard" in path.read_text()}
    assert {name for name in paths if not name.startswith("db/migrations/")} == {"db/queries/deletions.py", "db/demo/loading.py"}

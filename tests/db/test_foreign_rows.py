"""The tenant that every statement names keeps organizations apart by itself, without row-level security."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from db.engine.statement import Query, Row
from db.tables import Table
from tests.db.test_golden import QUERIES
from tests.forms import layout, rate
from tests.large import UNCHECKED, large
from tests.plans import Led, arguments

CLIENTS = 60
# A filter of everything fits no client, no project is archived, and no month is wrong.
WITHOUT_ROWS = {"clients.page_filtered", "projects.of_clients_archived", "months.wrong"}
BY_PAGE = " of a page"
OF_CLIENTS = {f"{name}.of_clients{BY_PAGE}" for name in ("contacts", "labels", "projects", "quotes", "portals", "registrations")}
FIRST: dict[str, dict[str, object]] = {"clients.by_number": {"number": "1"}, "clients.numbers": {"numbers": ["1"]}}
COLUMNS = """SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
  WHERE table_schema = 'relaties' AND table_name = $1 AND column_name <> 'tenant_id' AND is_generated = 'NEVER'"""


async def copy_tenant(owner: asyncpg.Connection, of: UUID, to: UUID) -> None:
    """Copy all rows of an organization to another one, with equal ids."""
    async with owner.transaction():
        await owner.execute(UNCHECKED)
        for table in Table.metadata.sorted_tables:
            columns = await owner.fetchval(COLUMNS, table.name)
            await owner.execute(
                f"INSERT INTO {table.fullname} (tenant_id, {columns})"
                f" SELECT '{to}', {columns} FROM {table.fullname} WHERE tenant_id = '{of}'"
            )


async def every_id(owner: asyncpg.Connection, tenant: UUID) -> list[UUID]:
    """Return the ids of all objects, so that a statement finds whatever it looks for."""
    tables = [table.fullname for table in Table.metadata.sorted_tables if "id" in table.c]
    found: list[UUID] = await owner.fetchval(
        f"SELECT array_agg(id) FROM ({' UNION '.join(f'SELECT tenant_id, id FROM {name}' for name in tables)}) every WHERE tenant_id = $1",
        tenant,
    )
    return [tenant, *found]


async def results(owner: asyncpg.Connection, tenant: UUID, values: dict[str, dict[str, object]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each statement, and of each that a page of clients can lead."""
    page = QUERIES["clients.by_id"]

    async def led(query: Query[Any], given: dict[str, object]) -> list[tuple[Any, ...]]:
        both = Led(page, query, values["clients.by_id"])
        sent = both.arguments({"after_key": None, "after_id": None, **given, "tenant": tenant})
        _, found = both.batch.split(await owner.fetch(both.sql, *sent, record_class=Row))
        return sorted(map(tuple, found), key=repr)

    async def rows(query: Query[Any], given: dict[str, object]) -> list[tuple[Any, ...]]:
        sent = query.arguments({"after_key": None, "after_id": None, **given, "tenant": tenant})
        return sorted(map(tuple, await owner.fetch(query.sql, *sent)), key=repr)

    found = {name: await rows(query, values[name]) for name, query in QUERIES.items()}
    return found | {f"{name}{BY_PAGE}": await led(QUERIES[name], given) for name, given in values.items() if "ids" in given}


async def test_no_statement_returns_rows_of_another_tenant_with_equal_ids(fresh_database: Callable[[], Awaitable[str]]) -> None:
    """As a role that bypasses row-level security, each statement has the same rows before and after everything exists twice."""
    owner = await asyncpg.connect(await fresh_database())
    try:
        assert await owner.fetchval("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user")
        found = await large(owner, clients=CLIENTS)
        await rate(found.tenant)
        await layout(found.tenant)
        ids = await every_id(owner, found.tenant.id)
        values = {name: {**given, "ids": ids} if "ids" in given else given for name, given in (arguments(found) | FIRST).items()}
        before = await results(owner, found.tenant.id, values)
        assert {name for name, rows in before.items() if not rows and not name.endswith(BY_PAGE)} == WITHOUT_ROWS
        assert {name for name, rows in before.items() if rows} >= OF_CLIENTS
        other = uuid4()
        await copy_tenant(owner, found.tenant.id, other)
        copied = await owner.fetch(
            "SELECT tenant_id, count(*) FROM relaties.client WHERE tenant_id = ANY ($1) GROUP BY 1", [found.tenant.id, other]
        )
        assert [row["count"] for row in copied] == [CLIENTS, CLIENTS]
        assert await results(owner, found.tenant.id, values) == before
    finally:
        await owner.close()

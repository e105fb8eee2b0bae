"""The tenant parameter of every statement isolates organizations even without row-level security."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from db.engine.statement import Query, Row
from db.tables import Table
from tests.support.client_forms import create_layout, create_vat_rate
from tests.support.explain import PageWithRelation
from tests.support.large_organization import WITHOUT_TRIGGERS, create_large_organization
from tests.support.product_queries import QUERIES
from tests.support.query_arguments import query_arguments

CLIENTS = 60
# No client matches all filters at once, no project is archived, and no balance is inconsistent.
WITHOUT_ROWS = {"clients.page_filtered", "projects.of_clients_archived", "monthly_balances.inconsistent"}
BY_PAGE = " of a page"
OF_CLIENTS = {f"{name}.of_clients{BY_PAGE}" for name in ("contacts", "labels", "projects", "quotes", "portals", "registrations")}
EXTRA_ARGUMENTS: dict[str, dict[str, object]] = {"clients.by_number": {"number": "1"}, "clients.numbers": {"numbers": ["1"]}}
COLUMNS = """SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
  WHERE table_schema = 'relaties' AND table_name = $1 AND column_name <> 'tenant_id' AND is_generated = 'NEVER'"""


async def copy_tenant(owner: asyncpg.Connection, source: UUID, target: UUID) -> None:
    """Copy all rows of an organization to another one, with the same ids."""
    async with owner.transaction():
        await owner.execute(WITHOUT_TRIGGERS)
        for table in Table.metadata.sorted_tables:
            columns = await owner.fetchval(COLUMNS, table.name)
            await owner.execute(
                f"INSERT INTO {table.fullname} (tenant_id, {columns})"
                f" SELECT '{target}', {columns} FROM {table.fullname} WHERE tenant_id = '{source}'"
            )


async def fetch_all_ids(owner: asyncpg.Connection, tenant: UUID) -> list[UUID]:
    """Return the ids of all objects, so that each statement finds rows, whatever table its ids are of."""
    tables = [table.fullname for table in Table.metadata.sorted_tables if "id" in table.c]
    ids: list[UUID] = await owner.fetchval(
        f"SELECT array_agg(id) FROM ({' UNION '.join(f'SELECT tenant_id, id FROM {name}' for name in tables)}) every WHERE tenant_id = $1",
        tenant,
    )
    return [tenant, *ids]


async def fetch_results(owner: asyncpg.Connection, tenant: UUID, values: dict[str, dict[str, object]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each statement, alone and, if possible, led by a page of clients."""
    page = QUERIES["clients.by_id"]

    async def fetch_combined(query: Query[Any], query_values: dict[str, object]) -> list[tuple[Any, ...]]:
        both = PageWithRelation(page, query, values["clients.by_id"])
        parameters = both.arguments({"after_key": None, "after_id": None, **query_values, "tenant": tenant})
        _, rows = both.batch.split(await owner.fetch(both.sql, *parameters, record_class=Row))
        return sorted(map(tuple, rows), key=repr)

    async def fetch_rows(query: Query[Any], query_values: dict[str, object]) -> list[tuple[Any, ...]]:
        parameters = query.arguments({"after_key": None, "after_id": None, **query_values, "tenant": tenant})
        return sorted(map(tuple, await owner.fetch(query.sql, *parameters)), key=repr)

    rows_by_name = {name: await fetch_rows(query, values[name]) for name, query in QUERIES.items()}
    return rows_by_name | {
        f"{name}{BY_PAGE}": await fetch_combined(QUERIES[name], values_of_query)
        for name, values_of_query in values.items()
        if "ids" in values_of_query
    }


async def test_no_statement_returns_rows_of_another_tenant_with_equal_ids(fresh_database: Callable[[], Awaitable[str]]) -> None:
    """For a role that bypasses row-level security, each statement returns the same rows after all rows were copied to another tenant."""
    owner = await asyncpg.connect(await fresh_database())
    try:
        assert await owner.fetchval("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user")
        large_org = await create_large_organization(owner, clients=CLIENTS)
        await create_vat_rate(large_org.tenant)
        await create_layout(large_org.tenant)
        ids = await fetch_all_ids(owner, large_org.tenant.id)
        values = {
            name: {**values_of_query, "ids": ids} if "ids" in values_of_query else values_of_query
            for name, values_of_query in (query_arguments(large_org) | EXTRA_ARGUMENTS).items()
        }
        before = await fetch_results(owner, large_org.tenant.id, values)
        assert {name for name, rows in before.items() if not rows and not name.endswith(BY_PAGE)} == WITHOUT_ROWS
        assert {name for name, rows in before.items() if rows} >= OF_CLIENTS
        other = uuid4()
        await copy_tenant(owner, large_org.tenant.id, other)
        copied = await owner.fetch(
            "SELECT tenant_id, count(*) FROM relaties.client WHERE tenant_id = ANY ($1) GROUP BY 1", [large_org.tenant.id, other]
        )
        assert [row["count"] for row in copied] == [CLIENTS, CLIENTS]
        assert await fetch_results(owner, large_org.tenant.id, values) == before
    finally:
        await owner.close()

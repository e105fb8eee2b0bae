"""Read every row of an organization, to check that nothing changed, or exactly which rows did."""

import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Table as Columns

from db.tables import Table

Key = tuple[str, ...]  # the table, then the primary key without the tenant, or the tenant if that is the whole key
Rows = dict[Key, dict[str, Any]]
ColumnChanges = dict[str, tuple[Any, Any]]  # old and new value by column


def _row_query(table: Columns) -> str:
    return f"SELECT '{table.name}' AS name, to_jsonb(t) AS row FROM relaties.{table.name} t WHERE tenant_id = ANY($1)"


def _key_columns(table: Columns) -> list[str]:
    tenant, *own = [column.name for column in table.primary_key]
    return own or [tenant]


KEYS = {table.name: _key_columns(table) for table in Table.metadata.sorted_tables}
TABLES = frozenset(KEYS)


async def find_tables(owner: asyncpg.Connection) -> frozenset[str]:
    """Return the tables of the code that exist, for a database that has only the first migrations."""
    existing = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'relaties'")
    return TABLES & {row["tablename"] for row in existing}


async def read_snapshot(owner: asyncpg.Connection, *tenants: UUID, tables: Collection[str] = TABLES) -> Rows:
    """Return every row of every table of these organizations."""
    rows: Rows = {}
    every_row = " UNION ALL ".join(_row_query(table) for table in Table.metadata.sorted_tables if table.name in tables)
    for name, text in await owner.fetch(every_row, [*tenants]):
        row = json.loads(text, parse_float=Decimal)
        rows[name, *(str(row[column]) for column in KEYS[name])] = row
    return rows


def compare_snapshots(before: Rows, after: Rows) -> dict[Key, ColumnChanges]:
    """Return the changed columns of each row. For an added or removed row the values on the other side are None."""
    changes = {}
    for key in before.keys() | after.keys():
        was, now = before.get(key, {}), after.get(key, {})
        steps = {name: (was.get(name), now.get(name)) for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
        if steps:
            changes[key] = steps
    return changes


@asynccontextmanager
async def assert_unchanged(owner: asyncpg.Connection, *tenants: UUID) -> AsyncIterator[None]:
    """Check that the block changes no row of these organizations."""
    before = await read_snapshot(owner, *tenants)
    yield
    assert compare_snapshots(before, await read_snapshot(owner, *tenants)) == {}

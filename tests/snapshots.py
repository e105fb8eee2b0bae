"""Everything that an organization has, table by table: to see that nothing changed, or exactly what did."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Table as Columns

from db.tables import Table

Key = tuple[str, ...]  # the table, then its primary key without the tenant unless that is all of it
Rows = dict[Key, dict[str, Any]]
Steps = dict[str, tuple[Any, Any]]  # by column, from what to what


def _one(table: Columns) -> str:
    return f"SELECT '{table.name}' AS name, to_jsonb(t) AS row FROM relaties.{table.name} t WHERE tenant_id = ANY($1)"


def _key(table: Columns) -> list[str]:
    tenant, *own = [column.name for column in table.primary_key]
    return own or [tenant]


KEYS = {table.name: _key(table) for table in Table.metadata.sorted_tables}
ALL = " UNION ALL ".join(map(_one, Table.metadata.sorted_tables))


async def snapshot(owner: asyncpg.Connection, *tenants: UUID) -> Rows:
    """Every row of every table."""
    found: Rows = {}
    for name, text in await owner.fetch(ALL, [*tenants]):
        row = json.loads(text, parse_float=Decimal)
        found[name, *(str(row[column]) for column in KEYS[name])] = row
    return found


def differences(before: Rows, after: Rows) -> dict[Key, Steps]:
    """By row what became of its columns; a row that came or went has None on the other side."""
    found = {}
    for key in before.keys() | after.keys():
        was, now = before.get(key, {}), after.get(key, {})
        steps = {name: (was.get(name), now.get(name)) for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
        if steps:
            found[key] = steps
    return found


@asynccontextmanager
async def unchanged(owner: asyncpg.Connection, *tenants: UUID) -> AsyncIterator[None]:
    """What happens within leaves no trace in any table of these organizations."""
    before = await snapshot(owner, *tenants)
    yield
    assert differences(before, await snapshot(owner, *tenants)) == {}

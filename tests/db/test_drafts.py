"""The migration that renames the status `CONCEPT` of invoices and quotes to `DRAFT`."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from db.migrations import downgrade, upgrade
from tests.support.builders import create_tenant
from tests.support.full_client import create_full_client
from tests.support.snapshots import compare_snapshots, read_snapshot

BEFORE = "0016"


async def count_statuses(owner: asyncpg.Connection, table: str) -> dict[str, int]:
    rows = await owner.fetch(f"SELECT status, count(*) FROM relaties.{table} GROUP BY status")
    return {row["status"]: row["count"] for row in rows}


@pytest.mark.parametrize("table", ["invoice", "quote"])
async def test_migration_renames_drafts_of_all_organizations(fresh_database: Callable[[], Awaitable[str]], table: str) -> None:
    """The downgrade restores the old status. Nothing else changes, and the old status is rejected after the upgrade."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    one, other = await create_tenant(owner, "Een"), await create_tenant(owner, "Twee")
    for org in (one, other):
        await create_full_client(org, "Vol")
    rows, statuses = await read_snapshot(owner, one.id, other.id), await count_statuses(owner, table)
    assert statuses["DRAFT"] == 2

    await downgrade(url, revision=BEFORE)
    assert await count_statuses(owner, table) == {"CONCEPT" if status == "DRAFT" else status: count for status, count in statuses.items()}

    await upgrade(url, None)
    assert compare_snapshots(rows, await read_snapshot(owner, one.id, other.id)) == {}
    await owner.execute("SET app.guard = 'off'")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(f"UPDATE relaties.{table} SET status = 'CONCEPT' WHERE status = 'DRAFT'")
    await owner.close()

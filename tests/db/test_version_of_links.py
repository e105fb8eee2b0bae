"""The migration that gives links between contacts and clients a version."""

from collections.abc import Awaitable, Callable

import asyncpg

from db.migrations import downgrade, upgrade
from tests.support.builders import create_tenant
from tests.support.full_client import archive_directly
from tests.support.snapshots import compare_snapshots, read_snapshot

BEFORE = "0017"


async def test_migration_gives_existing_links_the_first_version(fresh_database: Callable[[], Awaitable[str]]) -> None:
    """Links of all organizations and of archived clients have it, and so do links that a server of the previous release adds later."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    one, other = await create_tenant(owner, "Een"), await create_tenant(owner, "Twee")
    for org in (one, other):
        archived = await org.add_client("Oud")
        await org.add_contact("Jansen", await org.add_client("Koffiehuis"), archived)
        await archive_directly(org, archived)
    await owner.execute("SET app.guard = 'off'; UPDATE relaties.client_contact SET version = 7; SET app.guard = 'on'")
    rows = await read_snapshot(owner, one.id, other.id)

    await downgrade(url, revision=BEFORE)
    await upgrade(url, None)
    changes = compare_snapshots(rows, await read_snapshot(owner, one.id, other.id))
    assert sorted(key[0] for key in changes) == ["client_contact"] * 4
    assert [*changes.values()] == [{"version": (7, 1)}] * 4
    contact = await one.add_contact("Pietersen", one.clients[-1])  # inserts no version
    assert await owner.fetchval("SELECT version FROM relaties.client_contact WHERE contact_id = $1", contact) == 1
    await owner.close()

"""Timestamps have milliseconds, so that a returned value finds its row again. A migration truncates the old ones."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from importlib import import_module

import asyncpg
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel.sql.sqltypes import UTCDateTime

from db.migrations import downgrade, upgrade
from db.tables import Table
from db.tables.timestamps import format_timestamp, truncate
from schema.core.scalars import SCALARS
from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant
from tests.support.full_client import create_full_client
from tests.support.snapshots import compare_snapshots, read_snapshot

PREVIOUS_REVISION = "0014"
MIGRATION = import_module("db.migrations.versions.0015_milliseconds")
TABLES = [table for table in Table.metadata.sorted_tables if table.name not in {"job", "file"}]  # newer than the migration
MILLISECOND_FORMAT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
parse = SCALARS[datetime].parse_value
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1901, 1, 1), datetime(9998, 1, 1), timezones=offsets)  # noqa: DTZ001 given to datetimes()


@given(moments)
def test_moment_is_served_in_utc_with_milliseconds(moment: datetime) -> None:
    text = format_timestamp(moment)
    assert MILLISECOND_FORMAT.fullmatch(text)
    assert datetime.fromisoformat(text) == truncate(moment)
    assert timedelta() <= moment - truncate(moment) < timedelta(milliseconds=1)


@given(moments)
def test_input_moment_is_truncated_to_milliseconds(moment: datetime) -> None:
    assert parse is not None
    text = moment.isoformat()
    if text.count(":") == 3:  # an offset in whole minutes
        assert parse(text) == truncate(moment)
        assert parse(format_timestamp(moment)) == truncate(moment)


async def test_served_moment_finds_its_row(api_for: Callable[..., Api], org: Tenant, sample_org: Tenant) -> None:
    """A client is found by the timestamp that was returned, but not by a millisecond more, and not by another organization."""
    api, search = api_for(org), "query ($since: DateTime!) { clients(filter: {updatedSince: $since}) { nodes { id } } }"
    create = 'mutation { clientCreate(input: {name: "A"}) { client { id createdAt updatedAt } } }'
    client = (await api.data(create))["clientCreate"]["client"]
    assert MILLISECOND_FORMAT.fullmatch(client["createdAt"])
    assert MILLISECOND_FORMAT.fullmatch(client["updatedAt"])
    later = format_timestamp(datetime.fromisoformat(client["updatedAt"]) + timedelta(milliseconds=1))
    assert (await api.data(search, since=client["updatedAt"]))["clients"]["nodes"] == [{"id": client["id"]}]
    assert (await api.data(search, since=later))["clients"]["nodes"] == []
    theirs = (await api_for(sample_org).data(search, since=client["updatedAt"]))["clients"]["nodes"]
    assert {"id": client["id"]} not in theirs


def moment_columns() -> dict[str, tuple[str, ...]]:
    """Return the timestamp columns of each table."""
    columns_by_table = {
        table.name: tuple(column.name for column in table.columns if isinstance(column.type, UTCDateTime)) for table in TABLES
    }
    return {name: names for name, names in columns_by_table.items() if names}


def test_the_migration_truncates_every_moment() -> None:
    """A timestamp column that is added later has no old values: exempt it here."""
    assert {name: tuple(sorted(names)) for name, names in MIGRATION.TIMESTAMPS.items()} == {
        name: tuple(sorted(names)) for name, names in moment_columns().items()
    }


async def test_migration_changes_only_fractions_of_milliseconds(fresh_database: Callable[[], Awaitable[str]]) -> None:
    """It changes rows of all organizations, even of archived clients. Rows without fractions of milliseconds are not written."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    one, other = await create_tenant(owner, "Een"), await create_tenant(owner, "Twee")
    for org in (one, other):
        await create_full_client(org, "Vol")
    whole = await read_snapshot(owner, one.id, other.id)
    await downgrade(url, revision=PREVIOUS_REVISION)
    await owner.execute("SET app.guard = 'off'")
    for name, moments in moment_columns().items():
        fine = ", ".join(f"{moment} = {moment} + interval '0.000999 s'" for moment in moments)
        await owner.execute(f"UPDATE relaties.{name} SET {fine} WHERE tenant_id = $1", one.id)
    row_query = "SELECT id, xmin::text FROM relaties.client WHERE tenant_id = $1 ORDER BY id"
    before = await owner.fetch(row_query, other.id)
    fine_query = "SELECT count(*) FROM relaties.client WHERE created_at <> date_trunc('milliseconds', created_at)"
    assert await owner.fetchval(fine_query) == await owner.fetchval("SELECT count(*) FROM relaties.client WHERE tenant_id = $1", one.id) > 0
    await upgrade(url, None)
    assert compare_snapshots(whole, await read_snapshot(owner, one.id, other.id)) == {}
    assert before == await owner.fetch(row_query, other.id)
    await owner.close()

"""Load the demo into a database, in one transaction."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import asyncpg

from db.demo import labels
from db.demo.clients import invent_clients
from db.demo.contacts import invent_people
from db.demo.ledger import TableRows, build_batches
from db.demo.organization import TENANT, OrganizationRecord, build_organization
from db.demo.size import COUNTED_TABLES, FULL, Size
from db.queries import monthly_balances
from db.tables import SCHEMA

Progress = Callable[[str, int, int], None]
DEMO_LOCK = 7_358_230_143  # the number of an advisory lock; the migrations use the number before it
TABLES = (
    "organization", "member", "api_token", "vat_rate", "invoice_layout", "label", "client", "client_address", "contact", "client_contact",
    "client_label", "project", "quote", "quote_line", "client_portal", "portal_project", "portal_access", "invoice", "invoice_line",
    "registration", "payment", "payment_allocation", "client_month",
)  # fmt: skip
# PostgreSQL plans the check of a foreign key once and keeps the plan. Planned on an empty table, the check scans the whole referenced table
# for every row, which takes minutes. So sequential scans are off, and the referenced tables are analyzed whenever the number of rows has
# grown by half, which makes PostgreSQL plan the checks again.
DISABLE_SEQUENTIAL_SCANS = "SET LOCAL enable_seqscan = off"
DISABLE_ARCHIVE_GUARD = "SET LOCAL app.guard = 'off'"  # allows rows of archived clients
REFERENCED_TABLES = (
    "member", "vat_rate", "invoice_layout", "label", "client", "contact", "client_contact", "project", "quote", "client_portal", "invoice",
    "invoice_line", "payment",
)  # fmt: skip
# The organization is loaded before the VAT rates and layouts that refer to it, so its defaults are set afterwards.
SET_DEFAULTS = f"""UPDATE {SCHEMA}.organization o SET default_vat_rate_id = v.id, default_layout_id = l.id
FROM {SCHEMA}.vat_rate v, {SCHEMA}.invoice_layout l
WHERE o.tenant_id = $1 AND v.tenant_id = $1 AND v.country = o.country AND v.percentage = 21 AND l.tenant_id = $1 AND l.is_default"""

CLIENT_IDS = f"SELECT id FROM {SCHEMA}.client WHERE tenant_id = $1"


async def is_loaded(owner: asyncpg.Connection) -> bool:
    return bool(await owner.fetchval(f"SELECT EXISTS (SELECT FROM {SCHEMA}.organization WHERE tenant_id = $1)", TENANT))


async def load(owner: asyncpg.Connection, *, token_hash: bytes, progress: Progress, size: Size = FULL) -> None:
    """Load the demo, unless it is already loaded.

    `owner` must be a connection of a role that bypasses row-level security. `progress` is called with the name of a table, the number of
    rows that were copied so far, and their total.
    """
    # Read committed, so that a call that waited for the lock sees the rows of the other call.
    async with owner.transaction(isolation="read_committed"):
        await owner.execute(f"SELECT pg_advisory_xact_lock({DEMO_LOCK})")
        await owner.execute(DISABLE_SEQUENTIAL_SCANS)
        await owner.execute(DISABLE_ARCHIVE_GUARD)
        if await is_loaded(owner):
            return
        await _copy_batches(owner, _build_batches(token_hash, size), ProgressCounter(progress, size.rows))
        await owner.execute(SET_DEFAULTS, TENANT)
        await monthly_balances.rebuild(
            monthly_balances.OwnerTransaction(owner, TENANT), [row["id"] for row in await owner.fetch(CLIENT_IDS, TENANT)]
        )
        await _analyze(owner, TABLES)


class ProgressCounter:
    """Count the copied rows and report the progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.row_count = progress, total, 0

    def add(self, table: str, rows: int) -> None:
        self.row_count += rows if table in COUNTED_TABLES else 0
        self.progress(table.replace("_", " "), self.row_count, self.total)


def _build_batches(token_hash: bytes, size: Size) -> Iterator[list[TableRows]]:
    """Build all rows in batches. Each table comes after the tables that it refers to."""
    organization = build_organization(token_hash, size.labels)
    yield [
        ("organization", [OrganizationRecord()]),
        ("member", organization.members),
        ("api_token", [organization.token]),
        ("vat_rate", organization.rates),
        ("invoice_layout", organization.layouts),
        ("label", organization.labels),
    ]
    demo_clients = invent_clients(size.clients, organization)
    people_at_clients = invent_people(demo_clients, size.contacts, size.shared_contacts)
    yield [
        ("client", [client.row for client in demo_clients]),
        ("client_address", [address for client in demo_clients for address in client.addresses]),
        ("contact", people_at_clients.contacts),
        ("client_contact", people_at_clients.links),
        ("client_label", labels.label_clients(demo_clients, organization.labels)),
    ]
    yield from build_batches(organization, demo_clients, people_at_clients, size)


async def _copy_batches(owner: asyncpg.Connection, batches_of_rows: Iterator[list[TableRows]], counter: ProgressCounter) -> None:
    """Copy the batches. A thread builds the next batch while the database copies this one, so that both are busy."""
    batch, analyze_at = await asyncio.to_thread(next, batches_of_rows, None), 0
    while batch is not None:
        upcoming = asyncio.create_task(asyncio.to_thread(next, batches_of_rows, None))
        try:
            for table, rows in batch:
                await _copy(owner, table, rows)
                counter.add(table, len(rows))
            if counter.row_count >= analyze_at:
                await _analyze(owner, REFERENCED_TABLES)
                analyze_at = counter.row_count * 3 // 2
        finally:
            batch = await upcoming


async def _analyze(owner: asyncpg.Connection, tables: Sequence[str]) -> None:
    await owner.execute("ANALYZE " + ", ".join(f"{SCHEMA}.{table}" for table in tables))


async def _copy(owner: asyncpg.Connection, table: str, rows: Sequence[NamedTuple]) -> None:
    if rows:
        await owner.copy_records_to_table(table, schema_name=SCHEMA, columns=rows[0]._fields, records=rows)

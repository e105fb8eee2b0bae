"""Copy the demo into a database in one transaction."""

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
DEMO_LOCK = 7_358_230_143  # advisory lock; the migrations use the number before
TABLES = (
    "organization", "member", "api_token", "vat_rate", "invoice_layout", "label", "client", "client_address", "contact", "client_contact",
    "client_label", "project", "quote", "quote_line", "client_portal", "portal_project", "portal_access", "invoice", "invoice_line",
    "registration", "payment", "payment_allocation", "client_month",
)  # fmt: skip
# The checks of links are planned once and kept; planned on an empty table they read all of it, for every row, and that for minutes.
# So no plan may read a whole table, and referenced tables are analyzed whenever they have grown by half, which replans the checks.
DISABLE_SEQUENTIAL_SCANS = "SET LOCAL enable_seqscan = off"
DISABLE_ARCHIVE_GUARD = "SET LOCAL app.guard = 'off'"  # for rows of clients that are archived by now
REFERENCED_TABLES = (
    "member", "vat_rate", "invoice_layout", "label", "client", "contact", "client_contact", "project", "quote", "client_portal", "invoice",
    "invoice_line", "payment",
)  # fmt: skip
# The organization comes before its rates and layouts, so it learns its defaults afterwards.
SET_DEFAULTS = f"""UPDATE {SCHEMA}.organization o SET default_vat_rate_id = v.id, default_layout_id = l.id
FROM {SCHEMA}.vat_rate v, {SCHEMA}.invoice_layout l
WHERE o.tenant_id = $1 AND v.tenant_id = $1 AND v.country = o.country AND v.percentage = 21 AND l.tenant_id = $1 AND l.is_default"""

CLIENT_IDS = f"SELECT id FROM {SCHEMA}.client WHERE tenant_id = $1"


async def is_loaded(owner: asyncpg.Connection) -> bool:
    return bool(await owner.fetchval(f"SELECT EXISTS (SELECT FROM {SCHEMA}.organization WHERE tenant_id = $1)", TENANT))


async def load(owner: asyncpg.Connection, *, token_hash: bytes, progress: Progress, size: Size = FULL) -> None:
    """Load the demo, unless it is loaded already.

    `owner` may bypass row-level security. `progress` is called with what was copied, the number of rows so far, and their total.
    """
    async with owner.transaction(isolation="read_committed"):  # so that a call that waited for the lock sees what the other loaded
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
    """Count the rows copied so far."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.row_count = progress, total, 0

    def add(self, table: str, rows: int) -> None:
        self.row_count += rows if table in COUNTED_TABLES else 0
        self.progress(table.replace("_", " "), self.row_count, self.total)


def _build_batches(token_hash: bytes, size: Size) -> Iterator[list[TableRows]]:
    """Build all rows in batches, in the order of their foreign keys."""
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
    """Copy the batches. Build the next batch in a thread while the database copies this one, so that both are always busy."""
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

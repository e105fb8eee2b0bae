"""Copies the demo into a database: all of it, or nothing."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import asyncpg

from db import months
from db.demo import labels
from db.demo.books import Table, batches
from db.demo.clients import clients
from db.demo.contacts import people
from db.demo.organization import TENANT, OrganizationRow, house
from db.demo.size import COUNTED, FULL, Size
from db.tables import SCHEMA

Progress = Callable[[str, int, int], None]
ONE_AT_A_TIME = 7_358_230_143  # of advisory locks; the migrations have the number before
TABLES = (
    "organization", "member", "api_token", "vat_rate", "invoice_layout", "label", "client", "client_address", "contact", "client_contact",
    "client_label", "project", "quote", "quote_line", "client_portal", "portal_project", "portal_access", "invoice", "invoice_line",
    "registration", "payment", "payment_allocation", "client_month",
)  # fmt: skip
# The checks of links are planned once and kept; planned on an empty table they read all of it, for every row, and that for minutes.
# So no plan may read a whole table, and what is linked to is analyzed whenever it has grown by half, which has the checks planned anew.
BY_INDEX = "SET LOCAL enable_seqscan = off"
PAST = "SET LOCAL app.guard = 'off'"  # of clients that are archived by now
LINKED = (
    "member", "vat_rate", "invoice_layout", "label", "client", "contact", "client_contact", "project", "quote", "client_portal", "invoice",
    "invoice_line", "payment",
)  # fmt: skip
# The organization comes before its rates and layouts, so it learns its defaults afterwards.
DEFAULTS = f"""UPDATE {SCHEMA}.organization o SET default_vat_rate_id = v.id, default_layout_id = l.id
FROM {SCHEMA}.vat_rate v, {SCHEMA}.invoice_layout l
WHERE o.tenant_id = $1 AND v.tenant_id = $1 AND v.country = o.country AND v.percentage = 21 AND l.tenant_id = $1 AND l.is_default"""

CLIENTS = f"SELECT id FROM {SCHEMA}.client WHERE tenant_id = $1"


async def is_loaded(owner: asyncpg.Connection) -> bool:
    return bool(await owner.fetchval(f"SELECT EXISTS (SELECT FROM {SCHEMA}.organization WHERE tenant_id = $1)", TENANT))


async def load(owner: asyncpg.Connection, *, token_hash: bytes, progress: Progress, scale: Size = FULL) -> None:
    """Loads the demo, unless it is there.

    `owner` may go round row level security. `progress` hears what was copied, how many rows so far, and of how many.
    """
    async with owner.transaction(isolation="read_committed"):  # so that who waited for the lock sees what the other loaded
        await owner.execute(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})")
        await owner.execute(BY_INDEX)
        await owner.execute(PAST)
        if await is_loaded(owner):
            return
        await _fill(owner, _everything(token_hash, scale), Tally(progress, scale.rows))
        await owner.execute(DEFAULTS, TENANT)
        await months.recount(months.Owned(owner, TENANT), [row["id"] for row in await owner.fetch(CLIENTS, TENANT)])
        await _analyze(owner, TABLES)


class Tally:
    """Counts the rows copied so far."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def add(self, table: str, rows: int) -> None:
        self.done += rows if table in COUNTED else 0
        self.progress(table.replace("_", " "), self.done, self.total)


def _everything(token_hash: bytes, size: Size) -> Iterator[list[Table]]:
    """In batches, in the order in which rows point at each other."""
    own = house(token_hash, size.labels)
    yield [
        ("organization", [OrganizationRow()]),
        ("member", own.members),
        ("api_token", [own.token]),
        ("vat_rate", own.rates),
        ("invoice_layout", own.layouts),
        ("label", own.labels),
    ]
    known = clients(size.clients, own)
    met = people(known, size.contacts, size.shared_contacts)
    yield [
        ("client", [client.row for client in known]),
        ("client_address", [address for client in known for address in client.addresses]),
        ("contact", met.contacts),
        ("client_contact", met.links),
        ("client_label", labels.of_clients(known, own.labels)),
    ]
    yield from batches(own, known, met, size)


async def _fill(owner: asyncpg.Connection, everything: Iterator[list[Table]], tally: Tally) -> None:
    """The next batch is made in a thread while the database takes this one, so that both have work all the time."""
    batch, analyze_at = await asyncio.to_thread(next, everything, None), 0
    while batch is not None:
        upcoming = asyncio.create_task(asyncio.to_thread(next, everything, None))
        try:
            for table, rows in batch:
                await _copy(owner, table, rows)
                tally.add(table, len(rows))
            if tally.done >= analyze_at:
                await _analyze(owner, LINKED)
                analyze_at = tally.done * 3 // 2
        finally:
            batch = await upcoming


async def _analyze(owner: asyncpg.Connection, tables: Sequence[str]) -> None:
    await owner.execute("ANALYZE " + ", ".join(f"{SCHEMA}.{table}" for table in tables))


async def _copy(owner: asyncpg.Connection, table: str, rows: Sequence[NamedTuple]) -> None:
    if rows:
        await owner.copy_records_to_table(table, schema_name=SCHEMA, columns=rows[0]._fields, records=rows)

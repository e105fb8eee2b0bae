"""Load a small demo organization, and compute digests to compare databases with."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import asyncpg

from db import demo

SMALL_SIZE = demo.Size(
    clients=100, contacts=300, shared_contacts=40, labels=25, projects=150, registrations=4_000, invoices=1_000, quotes=300, portals=30
)
HASH = bytes(range(32))
TABLES = (
    "organization", "member", "api_token", "vat_rate", "invoice_layout", "label", "client", "client_address", "contact", "client_contact",
    "client_label", "project", "quote", "quote_line", "client_portal", "portal_project", "portal_access", "invoice", "invoice_line",
    "registration", "payment", "payment_allocation", "client_month",
)  # fmt: skip
LAST_DAY = date(2026, 10, 31)
CENT = Decimal("0.01")


def ignore_progress(_what: str, _completed: int, _total: int) -> None:
    """Ignore the progress of a load."""


class StoppedError(Exception):
    """Raised by a test to stop a load in the middle."""


async def load_demo(url: str, size: demo.Size = SMALL_SIZE) -> asyncpg.Connection:
    connection = await asyncpg.connect(url)
    await demo.load(connection, token_hash=HASH, progress=ignore_progress, size=size)
    return connection


async def table_digests(connection: asyncpg.Connection) -> dict[str, str]:
    """Return a digest of the contents of each table."""
    await connection.execute("SET TIME ZONE 'UTC'")
    text = "SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text) COLLATE \"C\"), '')) FROM relaties.{} t"
    return {table: await connection.fetchval(text.format(table)) for table in TABLES}


async def row_counts(connection: asyncpg.Connection) -> dict[str, int]:
    return {table: await connection.fetchval(f"SELECT count(*) FROM relaties.{table}") for table in TABLES}


def round_half_up(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)

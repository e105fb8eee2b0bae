"""Loading the demo organization: it is complete, the same on every machine, and loaded as a whole or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from db import demo
from tests.support.demo_data import HASH, LAST_DAY, SMALL_SIZE, TABLES, ignore_progress, load_demo, row_counts, table_digests
from tests.support.shared_demo import SharedDemo

ROW_COUNTS = {
    "organization": 1,
    "member": 12,
    "api_token": 1,
    "vat_rate": 14,
    "invoice_layout": 3,
    "label": 25,
    "client": 1000,
    "client_address": 1180,
    "contact": 3000,
    "client_contact": 3693,
    "client_label": 1507,
    "project": 1500,
    "quote": 3000,
    "quote_line": 8893,
    "client_portal": 150,
    "portal_project": 207,
    "portal_access": 278,
    "invoice": 50000,
    "invoice_line": 101410,
    "registration": 200000,
    "payment": 52215,
    "payment_allocation": 55180,
    "client_month": 25661,
}
TOTALS = {
    "gross": "43868280.72",
    "paid": "38516100.89",
    "work": "17350317.09",
}
DIGESTS = {
    "organization": "ea15fab0b5a94a88de49eea630c317d5",
    "member": "dc8e85969850130086a677555a6ca5ab",
    "api_token": "3df48d8c37a6add2aced446a27d02654",
    "vat_rate": "f1d82e029ad778800ed787f7bb6f7120",
    "invoice_layout": "d118aa15ec343f219981f652355451bc",
    "label": "6d7b12c30ec69b42f234b2e1138e29ff",
    "client": "4894d9d89ad285440932f7efaa677047",
    "client_address": "f5d4531aade4161cba099b54b27eb1d8",
    "contact": "1d91acaff7cde2a41ef9254eee99d3b2",
    "client_contact": "a638bd4e0c98febafb8ec2f2715a5cbf",
    "client_label": "1b3acebc8bb796e049e2a1c429dcbfdd",
    "project": "b7120586df7d50324909cb72e62433fa",
    "quote": "3991d82819ec18a9f0d75a9470fcb3f3",
    "quote_line": "14daf60a6627964852289d52d739e3e2",
    "client_portal": "87d750bfde6b71366851f6ea6e059f2a",
    "portal_project": "d141112894bea9fd358b015c90284436",
    "portal_access": "5d826e05bf1434123a6598e444c15afe",
    "invoice": "7e4067df1bdd38676d4f4289716f0277",
    "invoice_line": "18859f821beede69cba3821f9dea9152",
    "registration": "698fa1d69fcd5f790345c4ab56e153f1",
    "payment": "739624db80e9db7b3df23ff3ddc43761",
    "payment_allocation": "4fbcc82136e0a44a67c58859f105c676",
    "client_month": "3bb426b97666657746b6a063fd1d0342",
}


class StoppedError(Exception):
    """Interrupts a load."""


async def test_row_counts_equal_the_requested_size(demo_connection: asyncpg.Connection) -> None:
    """The tables of the organization itself have a fixed size."""
    table_counts = await row_counts(demo_connection)

    assert table_counts["client"] == SMALL_SIZE.clients
    assert table_counts["contact"] == SMALL_SIZE.contacts
    assert table_counts["label"] == SMALL_SIZE.labels
    assert table_counts["project"] == SMALL_SIZE.projects
    assert table_counts["registration"] == SMALL_SIZE.registrations
    assert table_counts["invoice"] == SMALL_SIZE.invoices
    assert table_counts["quote"] == SMALL_SIZE.quotes
    assert table_counts["client_portal"] == SMALL_SIZE.portals
    assert [table_counts[table] for table in TABLES[:5]] == [1, 12, 1, 14, 3]


async def test_token_signs_in_as_the_owner(demo_connection: asyncpg.Connection) -> None:
    actor = await demo_connection.fetchrow("SELECT tenant_id, member_role FROM relaties.token_actor($1)", HASH)

    assert actor is not None
    assert tuple(actor) == (demo.TENANT, "OWNER")


async def test_organization_defaults_are_the_high_rate_and_the_default_layout(demo_connection: asyncpg.Connection) -> None:
    row = await demo_connection.fetchrow(
        """SELECT v.country, v.percentage, l.is_default FROM relaties.organization o
        JOIN relaties.vat_rate v ON v.id = o.default_vat_rate_id JOIN relaties.invoice_layout l ON l.id = o.default_layout_id"""
    )

    assert row is not None
    assert tuple(row) == ("NL", Decimal(21), True)


async def test_two_loads_create_the_same_rows(demo_connection: asyncpg.Connection, fresh_database: Callable[[], Awaitable[str]]) -> None:
    """Every value in every table, including ids, is the same in another database."""
    other = await load_demo(await fresh_database())

    assert await table_digests(other) == await table_digests(demo_connection)

    await other.close()


async def test_copied_demo_equals_a_generated_one(
    demo_connection: asyncpg.Connection, fresh_database: Callable[[], Awaitable[str]], tmp_path: Path
) -> None:
    """The tests generate the demo once a run; a process that copies its rows has them all, with a token of its own."""
    for token_hash in (bytes(32), HASH):
        connection = await asyncpg.connect(await fresh_database())
        await SharedDemo(tmp_path / "demo", SMALL_SIZE).load(connection, token_hash)
        tokens = [row["token_hash"] for row in await connection.fetch("SELECT token_hash FROM relaties.api_token")]
        copied = await table_digests(connection)
        await connection.close()

        assert tokens == [token_hash]
    assert copied == await table_digests(demo_connection)


async def test_second_load_changes_nothing(demo_connection: asyncpg.Connection) -> None:
    before = await table_digests(demo_connection)

    await demo.load(demo_connection, token_hash=bytes(32), progress=ignore_progress, size=SMALL_SIZE)

    assert await table_digests(demo_connection) == before


async def test_concurrent_loads_load_once(fresh_database: Callable[[], Awaitable[str]], demo_connection: asyncpg.Connection) -> None:
    """The second load waits for the first one, and then finds the demo loaded."""
    url = await fresh_database()

    one, other = await asyncio.gather(load_demo(url), load_demo(url))

    assert await row_counts(one) == await row_counts(demo_connection)
    await one.close()
    await other.close()


async def test_an_interrupted_load_leaves_nothing(fresh_database: Callable[[], Awaitable[str]]) -> None:
    """After an error in the middle, every table is empty, and the demo counts as not loaded."""
    connection = await asyncpg.connect(await fresh_database())

    def stop(_what: str, completed: int, total: int) -> None:
        if completed > total // 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        await demo.load(connection, token_hash=HASH, progress=stop, size=SMALL_SIZE)

    assert set((await row_counts(connection)).values()) == {0}
    assert not await demo.is_loaded(connection)
    await connection.close()


async def test_a_cancelled_load_leaves_nothing(fresh_database: Callable[[], Awaitable[str]]) -> None:
    connection = await asyncpg.connect(await fresh_database())
    has_started = asyncio.Event()
    task = asyncio.create_task(demo.load(connection, token_hash=HASH, progress=lambda *_: has_started.set(), size=SMALL_SIZE))
    await has_started.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert set((await row_counts(connection)).values()) == {0}
    await connection.close()


async def test_progress_increases_to_the_total(fresh_database: Callable[[], Awaitable[str]]) -> None:
    """It never decreases, is reported often, and ends at the total."""
    progress_steps: list[tuple[int, int]] = []
    connection = await asyncpg.connect(await fresh_database())

    await demo.load(
        connection, token_hash=HASH, progress=lambda _what, completed, total: progress_steps.append((completed, total)), size=SMALL_SIZE
    )

    assert progress_steps == sorted(progress_steps)
    assert progress_steps[-1] == (SMALL_SIZE.rows, SMALL_SIZE.rows)
    assert len(progress_steps) > 15
    await connection.close()


async def test_all_days_lie_within_the_demo_period(demo_connection: asyncpg.Connection) -> None:
    """All dates are between January 2023 and October 2026, except due dates and the last days of quotes, which can be later."""
    columns = await demo_connection.fetch(
        """SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'relaties' AND data_type IN ('date', 'timestamp with time zone')
          AND column_name NOT IN ('due_date', 'valid_until', 'until')"""
    )
    text = " UNION ALL ".join(f"SELECT min({column}::date), max({column}::date) FROM relaties.{table}" for table, column in columns)
    rows = await demo_connection.fetch(text)

    assert len(columns) > 30
    assert all(date(2023, 1, 1) <= low and high <= LAST_DAY for low, high in rows if low)
    late = "SELECT count(*) FROM relaties.invoice WHERE due_date - invoice_date NOT BETWEEN 0 AND 60"
    assert await demo_connection.fetchval(late) == 0
    assert await demo_connection.fetchval("SELECT count(*) FROM relaties.quote WHERE valid_until - quote_date NOT IN (14, 30, 45)") == 0
    assert await demo_connection.fetchval("SELECT count(*) FROM relaties.vat_rate WHERE valid_until IS NOT NULL") == 0


async def test_identifiers_contain_the_creation_time(demo_connection: asyncpg.Connection) -> None:
    """Ids are UUIDv7, whose time is that of the row's creation."""
    for table in ("client", "contact", "project", "quote", "client_portal", "invoice", "registration", "payment", "member"):
        rows = await demo_connection.fetch(f"SELECT id, created_at FROM relaties.{table}")
        assert all(row["id"].version == 7 for row in rows)
        assert all(row["id"].int >> 80 == round(row["created_at"].timestamp() * 1000) for row in rows)


@pytest.mark.proof
async def test_demo_data_is_unchanged(fresh_database: Callable[[], Awaitable[str]]) -> None:
    """A change of the generator, or of Python's random numbers, changes the digests of the tables or the totals of the documents."""
    connection = await load_demo(await fresh_database(), demo.FULL)
    totals = await connection.fetchrow(
        "SELECT sum(gross_base) AS gross, (SELECT sum(amount_base) FROM relaties.payment_allocation) AS paid,"
        " (SELECT sum(amount_net) FROM relaties.registration) AS work FROM relaties.invoice"
    )

    assert await row_counts(connection) == ROW_COUNTS
    assert totals is not None
    assert {name: str(total) for name, total in totals.items()} == TOTALS
    assert await table_digests(connection) == DIGESTS
    await connection.close()

"""What is kept of each client's months: at all times what its documents and payments come to, whoever writes, and however many at once."""

import ast
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.engine.database import Database
from db.engine.protocols import UnitOfWork
from db.migrations import downgrade, upgrade
from db.queries import monthly_balances, revenue
from db.queries.clients import ClientFilter
from db.queries.revenue import first_day_of_month, last_day_of_month, partial_month_bounds
from db.rows import RevenueRow
from db.tables import Entity, Invoice, InvoiceStatus, Payment, PaymentAllocation
from db.tables.keys import new_id
from tests import raw_revenue
from tests.builders import Tenant, tenant
from tests.conftest import runtime_url
from tests.writers import Module, functions, modules, writers

FIRST = date(2025, 11, 15)
RATES = {"EUR": Decimal(1), "USD": Decimal("0.91234567"), "GBP": Decimal("1.17")}
EDGES = st.sampled_from([date(2025, 12, 1), date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28)])
DAYS = st.one_of(EDGES, st.integers(0, 120).map(lambda days: FIRST + timedelta(days=days)))
EVER = st.sampled_from([date.min, date.max, date(1, 1, 2), date(1, 1, 31), date(9999, 12, 1), date(9999, 12, 2), date(9999, 11, 30)])
PERIODS = st.tuples(st.one_of(DAYS, EVER), st.one_of(DAYS, EVER)).filter(lambda days: days[0] <= days[1])
CENTS = st.integers(1, 10_000_00).map(lambda cents: str(Decimal(cents) / 100))
NETS = st.one_of(st.just("100.00"), CENTS)  # often the same, so that a credit note comes to nothing with an invoice
CENT = Decimal("0.01")
PATIENT = text("SET LOCAL lock_timeout = '60s'")  # however busy the machine, nobody is refused who waits for others
WRITTEN = {"Invoice": "invoice", "Payment": "payment", "PaymentAllocation": "payment_allocation"}


@dataclass(frozen=True)
class Paper:
    """A document of one of the clients, what was paid on it, or back, and what was changed of it afterwards."""

    client: int
    kind: str
    status: str
    currency: str
    day: date
    net: str
    paid: list[tuple[date, str]]
    moved_to: date | None
    becomes: str | None


PAPERS = st.builds(
    Paper,
    st.integers(0, 2),
    st.sampled_from(["INVOICE", "INVOICE", "CREDIT_NOTE"]),
    st.sampled_from(["OPEN", "OPEN", "PAID", "DRAFT", "VOID"]),
    st.sampled_from([*RATES]),
    DAYS,
    NETS,
    st.lists(st.tuples(DAYS, CENTS), max_size=2),
    st.none() | DAYS,
    st.sampled_from([None, None, "VOID", "PAID"]),
)


async def entered(org: Tenant, papers: list[Paper]) -> list[UUID]:
    """Four clients with these papers, the last of them without any."""
    clients = [await org.add_client(name) for name in ("Jansen A", "Jansen B", "Smit", "Leeg")]
    for paper in papers:
        client, rate = clients[paper.client], RATES[paper.currency]
        more = {"kind": paper.kind, "status": paper.status, "currency": paper.currency, "exchange_rate": rate}
        invoice = await org.add_invoice(client, paper.day, paper.net, **more)
        paid = paper.paid if paper.status in {"OPEN", "PAID"} else []
        for day, amount in paid:
            signed = f"-{amount}" if paper.kind == "CREDIT_NOTE" else amount
            await org.add_payment(client, invoice, day, signed, str((Decimal(signed) * rate).quantize(CENT)), paper.currency)
        await changed(org, paper, client, invoice, is_paid=bool(paid))
    return clients


async def changed(org: Tenant, paper: Paper, client: UUID, invoice: UUID, *, is_paid: bool) -> None:
    """To another day, and to another status where its payments allow it: both months are counted anew."""
    day, status = paper.moved_to or paper.day, paper.becomes
    if paper.status == "DRAFT" or (is_paid and status == "VOID"):
        status = None
    async with org.owner.transaction():
        change = "UPDATE relaties.invoice SET invoice_date = $3, status = coalesce($4, status) WHERE tenant_id = $1 AND id = $2"
        await org.owner.execute(change, org.id, invoice, day, status)
        for each in {paper.day, day}:
            await org.recount(each, client)


def figures(rows: Sequence[RevenueRow]) -> list[raw_revenue.Figures]:
    return [tuple(row)[:5] for row in rows]


async def same_in(database: Database, org: Tenant, clients: list[UUID], start: date, end: date) -> None:
    """Read with the months, and from the documents and payments alone."""
    raw = await raw_revenue.by_client(org.owner, org.id, clients, start, end)
    some = await raw_revenue.of_all(org.owner, org.id, clients[:2], start, end)
    every = await raw_revenue.of_all(org.owner, org.id, clients, start, end)
    async with database.unit_of_work(org.id) as tx:
        assert [figures(rows) for rows in await revenue.by_client(tx, clients, start=start, end=end)] == raw
        assert figures(await revenue.for_all_clients(tx, ClientFilter(), start=start, end=end)) == every
        assert figures(await revenue.for_all_clients(tx, ClientFilter(search="jansen"), start=start, end=end)) == some


async def wrong(database: Database, org: Tenant, clients: list[UUID]) -> list[UUID]:
    async with database.unit_of_work(org.id) as tx:
        return await monthly_balances.find_inconsistent(tx, clients)


@settings(max_examples=60)
@given(papers=st.lists(PAPERS, min_size=1, max_size=8), periods=st.lists(PERIODS, min_size=1, max_size=6))
async def test_figures_are_what_the_documents_and_the_payments_come_to(
    owner: asyncpg.Connection, database: Database, papers: list[Paper], periods: list[tuple[date, date]]
) -> None:
    """Of each client and of all, whatever was written and changed, in periods that begin and end on any day there is."""
    org = await tenant(owner)
    clients = await entered(org, papers)
    for start, end in (*periods, (date.min, date.max)):
        await same_in(database, org, clients, start, end)
    assert await wrong(database, org, clients) == []


@given(period=PERIODS)
def test_each_day_of_a_period_is_read_once(period: tuple[date, date]) -> None:
    """Of a whole month that is kept, or apart from months."""
    start, end = period
    apart = partial_month_bounds(start, end)
    for day in {start, last_day_of_month(start), first_day_of_month(end), end, *apart.values()}:
        if start <= day <= end:
            is_before = first_day_of_month(day) < apart["tail"] if "tail" in apart else first_day_of_month(day) <= end
            is_kept = is_before and first_day_of_month(day) >= start
            is_of_head = "head" in apart and day <= apart["head"]
            is_of_tail = "tail" in apart and day >= apart["tail"]
            assert is_kept + is_of_head + is_of_tail == 1, day


def invoice(client: UUID, day: date) -> Invoice:
    """Of 121.00, issued."""
    amounts = {"net": Decimal(100), "vat": Decimal(21), "gross": Decimal(121)}
    issued: dict[str, Any] = {"status": InvoiceStatus.OPEN, "number": str(new_id()), "client_name": "X", "currency": "EUR", **amounts}
    issued |= {f"{name}_base": amount for name, amount in amounts.items()}
    return Invoice(client_id=client, invoice_date=day, **issued)


class GivenUpError(Exception):
    """A unit of work that is not to be."""


async def write(work: UnitOfWork, *rows: Entity) -> None:
    for row in rows:
        row.tenant_id = work.tenant
        work.session.add(row)
    await work.session.flush()


async def pay(work: UnitOfWork, on: Invoice, day: date) -> None:
    payment = Payment(tenant_id=work.tenant, paid_on=day, amount=Decimal(1), currency=on.currency)
    await write(work, payment)
    of: dict[str, Any] = {
        "invoice_id": on.id,
        "client_id": on.client_id,
        "currency": on.currency,
        "amount": Decimal(1),
        "amount_base": Decimal(1),
    }
    work.session.add(PaymentAllocation(tenant_id=work.tenant, payment_id=payment.id, paid_on=day, **of))


async def test_many_who_write_for_one_client_at_once_lose_nothing(database: Database, org: Tenant) -> None:
    """Invoices and payments in the same months, by units of work that overlap; some of them are given up."""
    clients = [await org.add_client("Jansen A"), await org.add_client("Jansen B")]
    paid = invoice(clients[0], date(2026, 1, 1))
    async with database.unit_of_work(org.id) as work:
        await write(work, paid)
        await monthly_balances.rebuild(work, clients[:1], date(2026, 1, 1))

    async def wrote(number: int) -> None:
        day = date(2026, 1 + number % 2, 1 + number % 28)
        async with database.unit_of_work(org.id, is_long=True) as work:
            await (await work.session.connection()).execute(PATIENT)
            if number % 3:
                await write(work, *(invoice(client, day) for client in clients))
            else:
                await pay(work, paid, day)
            await monthly_balances.rebuild(work, clients[:: 1 if number % 2 else -1], day)
            if number % 5 == 0:
                raise GivenUpError

    done = await asyncio.gather(*(wrote(number) for number in range(40)), return_exceptions=True)
    assert [type(each) for each in done if each is not None] == [GivenUpError] * 8
    assert await wrong(database, org, clients) == []
    await same_in(database, org, clients, date.min, date.max)
    ((total, _), (other, _)) = await raw_revenue.by_client(org.owner, org.id, clients, date.min, date.max)
    assert (total[2:4], other[2:4]) == (("2200.00", "11.00"), ("2100.00", "0.00"))


async def test_what_is_not_counted_would_be_seen(database: Database, org: Tenant) -> None:
    """The check itself: an amount, a month too few and one too many."""
    clients = [await org.add_client(f"Client {place}") for place in range(4)]
    for client in clients[:3]:
        await org.add_invoice(client, date(2026, 1, 1), "100.00")
    balance = "tenant_id, id, '2026-01-01', 'EUR', 'infinity', 0, 0, 0, 0, 0, 0"
    breaches = (
        "UPDATE relaties.client_month SET paid_base = paid_base + 0.01 WHERE client_id = $1",
        "DELETE FROM relaties.client_month WHERE client_id = $1",
        "UPDATE relaties.client_month SET month = '2026-02-01' WHERE client_id = $1",
        f"INSERT INTO relaties.client_month SELECT {balance} FROM relaties.client WHERE id = $1",
    )
    for breach, client in zip(breaches, clients, strict=True):
        await org.owner.execute(breach, client)
    assert await wrong(database, org, clients) == sorted(clients)
    async with database.unit_of_work(org.id) as work:
        await monthly_balances.rebuild(work, clients)
    assert await wrong(database, org, clients) == []


def test_whoever_writes_documents_or_payments_counts_their_months() -> None:
    """Found in the source, so that no new writer goes without; who deletes a client need not, as its months go with it."""
    found = modules()
    counting = {
        name for module in found for name, node in functions(module) if "db.queries.monthly_balances.rebuild" in module.mentioned(node)
    }
    assert "domain.reports.monthly_balances.verify_balances" in counting
    deletion = {"db.queries.deletions._delete_children", "db.queries.deletions.delete_client", "db.queries.deletions.lock"}
    assert writers(WRITTEN, found) - counting == deletion
    new = """from db.tables import Invoice
async def add(work, client):
    work.session.add(Invoice(client_id=client))"""
    assert writers(WRITTEN, [Module("db.new", ast.parse(new))]) == {"db.new.add"}


@pytest.mark.parametrize("before", ["0010", "0011"])
async def test_what_was_there_before_is_counted_when_the_tables_are_brought_up_to_date(
    fresh_database: Callable[[], Awaitable[str]], before: str
) -> None:
    """From the books, and from the sums of each month that there were.

    Invoices, credit notes, what is void or not issued, and payments, in several currencies and months, of two organizations.
    """
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    orgs = [await tenant(owner, "Een"), await tenant(owner, "Twee")]
    paid = [(date(2026, 2, 28), "21.00"), (date(2026, 3, 1), "10.00")]
    papers = [
        Paper(n % 3, kind, status, currency, FIRST + timedelta(days=20 * n), "100.00", paid, None, None)
        for n, (kind, status, currency) in enumerate(product(("INVOICE", "CREDIT_NOTE"), ("OPEN", "DRAFT", "VOID"), RATES))
    ]
    clients = [await entered(org, papers) for org in orgs]
    await downgrade(url, revision=before)
    await upgrade(url, runtime_url(url))
    database = await Database.connect(url)
    assert [await wrong(database, org, of) for org, of in zip(orgs, clients, strict=True)] == [[], []]
    assert await owner.fetchval("SELECT count(*) FROM relaties.client_month") > 20
    await database.close()
    await owner.close()

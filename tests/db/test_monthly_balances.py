"""The monthly balances of clients always equal their documents and payments, whatever code writes them, even concurrently."""

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
from tests.support import revenue_oracle
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.source_scan import SourceModule, find_writers, iterate_functions, read_modules

FIRST_DAY = date(2025, 11, 15)
RATES = {"EUR": Decimal(1), "USD": Decimal("0.91234567"), "GBP": Decimal("1.17")}
EDGES = st.sampled_from([date(2025, 12, 1), date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28)])
DAYS = st.one_of(EDGES, st.integers(0, 120).map(lambda days: FIRST_DAY + timedelta(days=days)))
EVER = st.sampled_from([date.min, date.max, date(1, 1, 2), date(1, 1, 31), date(9999, 12, 1), date(9999, 12, 2), date(9999, 11, 30)])
PERIODS = st.tuples(st.one_of(DAYS, EVER), st.one_of(DAYS, EVER)).filter(lambda days: days[0] <= days[1])
CENTS = st.integers(1, 10_000_00).map(lambda cents: str(Decimal(cents) / 100))
NETS = st.one_of(st.just("100.00"), CENTS)  # often equal, so that an invoice and a credit note cancel each other out
CENT = Decimal("0.01")
PATIENT = text("SET LOCAL lock_timeout = '60s'")  # so that no unit of work times out on a busy machine
WRITTEN_TABLES = {"Invoice": "invoice", "Payment": "payment", "PaymentAllocation": "payment_allocation"}


@dataclass(frozen=True)
class FinancialDocument:
    """A document of one of the clients, its payments or refunds, and its later changes."""

    client: int
    kind: str
    status: str
    currency: str
    day: date
    net: str
    payments: list[tuple[date, str]]
    moved_to: date | None
    becomes: str | None


PAPERS = st.builds(
    FinancialDocument,
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


async def create_documents(org: Tenant, papers: list[FinancialDocument]) -> list[UUID]:
    """Create four clients with these documents, of which the last client has none."""
    clients = [await org.add_client(name) for name in ("Jansen A", "Jansen B", "Smit", "Leeg")]
    for paper in papers:
        client, rate = clients[paper.client], RATES[paper.currency]
        more = {"kind": paper.kind, "status": paper.status, "currency": paper.currency, "exchange_rate": rate}
        invoice = await org.add_invoice(client, paper.day, paper.net, **more)
        document_payments = paper.payments if paper.status in {"OPEN", "PAID"} else []
        for day, amount in document_payments:
            signed_amount = f"-{amount}" if paper.kind == "CREDIT_NOTE" else amount
            await org.add_payment(client, invoice, day, signed_amount, str((Decimal(signed_amount) * rate).quantize(CENT)), paper.currency)
        await change_document(org, paper, client, invoice, is_paid=bool(document_payments))
    return clients


async def change_document(org: Tenant, paper: FinancialDocument, client: UUID, invoice: UUID, *, is_paid: bool) -> None:
    """Change the date of a document, and its status if its payments allow that. Rebuilds the balances of both months."""
    day, status = paper.moved_to or paper.day, paper.becomes
    if paper.status == "DRAFT" or (is_paid and status == "VOID"):
        status = None
    async with org.owner.transaction():
        change = "UPDATE relaties.invoice SET invoice_date = $3, status = coalesce($4, status) WHERE tenant_id = $1 AND id = $2"
        await org.owner.execute(change, org.id, invoice, day, status)
        for each in {paper.day, day}:
            await org.rebuild_monthly_balances(each, client)


def to_figures(rows: Sequence[RevenueRow]) -> list[revenue_oracle.Figures]:
    return [tuple(row)[:5] for row in rows]


async def compare_figures(database: Database, org: Tenant, clients: list[UUID], start: date, end: date) -> None:
    """Check that the revenue equals that of the oracle, which reads only documents and payments."""
    raw = await revenue_oracle.revenue_by_client(org.owner, org.id, clients, start, end)
    some = await revenue_oracle.revenue_of_all(org.owner, org.id, clients[:2], start, end)
    every = await revenue_oracle.revenue_of_all(org.owner, org.id, clients, start, end)
    async with database.unit_of_work(org.id) as tx:
        assert [to_figures(rows) for rows in await revenue.by_client(tx, clients, start=start, end=end)] == raw
        assert to_figures(await revenue.for_all_clients(tx, ClientFilter(), start=start, end=end)) == every
        assert to_figures(await revenue.for_all_clients(tx, ClientFilter(search="jansen"), start=start, end=end)) == some


async def count_wrong_clients(database: Database, org: Tenant, clients: list[UUID]) -> list[UUID]:
    async with database.unit_of_work(org.id) as tx:
        return await monthly_balances.find_inconsistent(tx, clients)


@settings(max_examples=60)
@given(papers=st.lists(PAPERS, min_size=1, max_size=8), periods=st.lists(PERIODS, min_size=1, max_size=6))
async def test_monthly_balances_equal_documents_and_payments(
    owner: asyncpg.Connection, database: Database, papers: list[FinancialDocument], periods: list[tuple[date, date]]
) -> None:
    """That holds for each client and for all, after any changes, in periods that begin and end on any day."""
    org = await create_tenant(owner)
    clients = await create_documents(org, papers)
    for start, end in (*periods, (date.min, date.max)):
        await compare_figures(database, org, clients, start, end)
    assert await count_wrong_clients(database, org, clients) == []


@given(period=PERIODS)
def test_each_day_of_a_period_is_read_once(period: tuple[date, date]) -> None:
    """Each day is either in a whole month, which is read from the balances, or in one of the partial months."""
    start, end = period
    bounds = partial_month_bounds(start, end)
    for day in {start, last_day_of_month(start), first_day_of_month(end), end, *bounds.values()}:
        if start <= day <= end:
            is_before = first_day_of_month(day) < bounds["tail"] if "tail" in bounds else first_day_of_month(day) <= end
            is_in_whole_month = is_before and first_day_of_month(day) >= start
            is_in_head = "head" in bounds and day <= bounds["head"]
            is_in_tail = "tail" in bounds and day >= bounds["tail"]
            assert is_in_whole_month + is_in_head + is_in_tail == 1, day


def build_invoice(client: UUID, day: date) -> Invoice:
    """Build an issued invoice of 121.00."""
    amounts = {"net": Decimal(100), "vat": Decimal(21), "gross": Decimal(121)}
    issued: dict[str, Any] = {"status": InvoiceStatus.OPEN, "number": str(new_id()), "client_name": "X", "currency": "EUR", **amounts}
    issued |= {f"{name}_base": amount for name, amount in amounts.items()}
    return Invoice(client_id=client, invoice_date=day, **issued)


class RollbackError(Exception):
    """Rolls back a unit of work."""


async def run_unit_of_work(work: UnitOfWork, *rows: Entity) -> None:
    for row in rows:
        row.tenant_id = work.tenant
        work.session.add(row)
    await work.session.flush()


async def add_payment(work: UnitOfWork, on: Invoice, day: date) -> None:
    payment = Payment(tenant_id=work.tenant, paid_on=day, amount=Decimal(1), currency=on.currency)
    await run_unit_of_work(work, payment)
    allocation: dict[str, Any] = {
        "invoice_id": on.id,
        "client_id": on.client_id,
        "currency": on.currency,
        "amount": Decimal(1),
        "amount_base": Decimal(1),
    }
    work.session.add(PaymentAllocation(tenant_id=work.tenant, payment_id=payment.id, paid_on=day, **allocation))


async def test_concurrent_writes_for_one_client_lose_nothing(database: Database, org: Tenant) -> None:
    """Overlapping units of work write invoices and payments of the same months. Some of them are rolled back."""
    clients = [await org.add_client("Jansen A"), await org.add_client("Jansen B")]
    paid_invoice = build_invoice(clients[0], date(2026, 1, 1))
    async with database.unit_of_work(org.id) as work:
        await run_unit_of_work(work, paid_invoice)
        await monthly_balances.rebuild(work, clients[:1], date(2026, 1, 1))

    async def write(number: int) -> None:
        day = date(2026, 1 + number % 2, 1 + number % 28)
        async with database.unit_of_work(org.id, is_long=True) as work:
            await (await work.session.connection()).execute(PATIENT)
            if number % 3:
                await run_unit_of_work(work, *(build_invoice(client, day) for client in clients))
            else:
                await add_payment(work, paid_invoice, day)
            await monthly_balances.rebuild(work, clients[:: 1 if number % 2 else -1], day)
            if number % 5 == 0:
                raise RollbackError

    results = await asyncio.gather(*(write(number) for number in range(40)), return_exceptions=True)
    assert [type(each) for each in results if each is not None] == [RollbackError] * 8
    assert await count_wrong_clients(database, org, clients) == []
    await compare_figures(database, org, clients, date.min, date.max)
    ((total, _), (other, _)) = await revenue_oracle.revenue_by_client(org.owner, org.id, clients, date.min, date.max)
    assert (total[2:4], other[2:4]) == (("2200.00", "11.00"), ("2100.00", "0.00"))


async def test_missing_month_would_be_detected(database: Database, org: Tenant) -> None:
    """The check finds a wrong amount, a missing month, a wrong month and a surplus month."""
    clients = [await org.add_client(f"Client {index}") for index in range(4)]
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
    assert await count_wrong_clients(database, org, clients) == sorted(clients)
    async with database.unit_of_work(org.id) as work:
        await monthly_balances.rebuild(work, clients)
    assert await count_wrong_clients(database, org, clients) == []


def test_every_writer_of_documents_or_payments_rebuilds_balances() -> None:
    """The test reads the source, so it covers new writers. Deleting a client deletes its balances, so that code is exempt."""
    source_modules = read_modules()
    rebuilding = {
        name
        for module in source_modules
        for name, node in iterate_functions(module)
        if "db.queries.monthly_balances.rebuild" in module.referenced_names(node)
    }
    assert "domain.reports.monthly_balances._verify_batch" in rebuilding
    deletion = {"db.queries.deletions._delete_children", "db.queries.deletions.delete_client", "db.queries.deletions.lock"}
    assert find_writers(WRITTEN_TABLES, source_modules) - rebuilding == deletion
    new = """from db.tables import Invoice
async def add(work, client):
    work.session.add(Invoice(client_id=client))"""
    assert find_writers(WRITTEN_TABLES, [SourceModule("db.new", ast.parse(new))]) == {"db.new.add"}


@pytest.mark.parametrize("before", ["0010", "0011"])
async def test_migration_builds_balances_of_existing_documents(fresh_database: Callable[[], Awaitable[str]], before: str) -> None:
    """The balances are computed from the documents (before 0011), or from the monthly sums (before 0012)."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    orgs = [await create_tenant(owner, "Een"), await create_tenant(owner, "Twee")]
    payments = [(date(2026, 2, 28), "21.00"), (date(2026, 3, 1), "10.00")]
    papers = [
        FinancialDocument(n % 3, kind, status, currency, FIRST_DAY + timedelta(days=20 * n), "100.00", payments, None, None)
        for n, (kind, status, currency) in enumerate(product(("INVOICE", "CREDIT_NOTE"), ("OPEN", "DRAFT", "VOID"), RATES))
    ]
    clients = [await create_documents(org, papers) for org in orgs]
    await downgrade(url, revision=before)
    await upgrade(url, runtime_url(url))
    database = await Database.connect(url)
    assert [await count_wrong_clients(database, org, client_keys) for org, client_keys in zip(orgs, clients, strict=True)] == [[], []]
    assert await owner.fetchval("SELECT count(*) FROM relaties.client_month") > 20
    await database.close()
    await owner.close()

"""The demo organization: invoices, payments and registrations that are consistent to the cent."""

from decimal import Decimal

import asyncpg

from tests.support.demo_data import round_half_up

PAID_PER_DOCUMENT = """SELECT i.kind, i.status, i.gross, i.gross_base,
    coalesce(sum(a.amount), 0) AS paid, coalesce(sum(a.amount_base), 0) AS paid_base
FROM relaties.invoice i LEFT JOIN relaties.payment_allocation a ON a.tenant_id = i.tenant_id AND a.invoice_id = i.id
GROUP BY i.tenant_id, i.id"""


async def test_no_document_is_paid_more_than_its_total(demo_connection: asyncpg.Connection) -> None:
    """The payments of a paid document equal its gross amount exactly, in the base currency, too."""
    rows = await demo_connection.fetch(PAID_PER_DOCUMENT)

    for row in rows:
        sign = -1 if row["kind"] == "CREDIT_NOTE" else 1
        assert 0 <= sign * row["paid"] <= row["gross"]
        if row["status"] == "PAID":
            assert (sign * row["paid"], sign * row["paid_base"]) == (row["gross"], row["gross_base"])
        else:
            assert sign * row["paid"] < row["gross"]
    assert {row["status"] for row in rows} == {"DRAFT", "OPEN", "PAID", "VOID"}


async def test_payments_are_fully_allocated(demo_connection: asyncpg.Connection) -> None:
    """The allocations of a payment add up to its amount."""
    rows = await demo_connection.fetch(
        "SELECT p.amount, sum(a.amount) AS taken, count(*) AS parts FROM relaties.payment p"
        " JOIN relaties.payment_allocation a ON a.payment_id = p.id GROUP BY p.id, p.amount"
    )

    assert len(rows) == await demo_connection.fetchval("SELECT count(*) FROM relaties.payment")
    assert all(row["amount"] == row["taken"] for row in rows)
    assert {row["parts"] for row in rows} == {1, 2}
    assert min(row["amount"] for row in rows) < 0


async def test_allocations_in_base_are_rounded_cumulatively(demo_connection: asyncpg.Connection) -> None:
    """In order of payment, each allocation is the increase of the rounded running total; the last one completes the document's total."""
    rows = await demo_connection.fetch(
        """SELECT i.id, i.gross, i.gross_base, i.exchange_rate, a.amount, a.amount_base FROM relaties.payment_allocation a
        JOIN relaties.invoice i ON i.id = a.invoice_id ORDER BY a.paid_on, a.payment_id"""
    )
    running: dict[object, tuple[Decimal, Decimal]] = {}
    for row in rows:
        paid_total, base = running.get(row["id"], (Decimal(0), Decimal(0)))
        paid_total += abs(row["amount"])
        total = row["gross_base"] if paid_total == row["gross"] else round_half_up(paid_total * row["exchange_rate"])
        assert abs(row["amount_base"]) == total - base
        running[row["id"]] = (paid_total, total)


async def test_invoice_total_equals_its_lines(demo_connection: asyncpg.Connection) -> None:
    """A line is quantity times price minus discount. VAT is rounded per rate, and amounts in base currency per document."""
    invoices = await demo_connection.fetch("SELECT * FROM relaties.invoice")
    lines = await demo_connection.fetch("SELECT * FROM relaties.invoice_line ORDER BY invoice_id, position")
    lines_by_invoice: dict[object, list[asyncpg.Record]] = {}
    for line in lines:
        assert line["net"] == round_half_up(line["quantity"] * line["unit_price"] * (100 - line["discount_percentage"]) / 100)
        lines_by_invoice.setdefault(line["invoice_id"], []).append(line)

    for invoice in invoices:
        own = lines_by_invoice[invoice["id"]]
        assert [line["position"] for line in own] == list(range(1, len(own) + 1))
        assert len(own) <= 4
        assert invoice["net"] == sum(line["net"] for line in own)
        assert invoice["vat"] == sum(line["vat"] for line in own) == sum(vat_by_rate(own))
        assert invoice["net_base"] == round_half_up(invoice["net"] * invoice["exchange_rate"])
        assert invoice["vat_base"] == round_half_up(invoice["vat"] * invoice["exchange_rate"])


def vat_by_rate(lines: list[asyncpg.Record]) -> list[Decimal]:
    net: dict[tuple[object, Decimal], Decimal] = {}
    for line in lines:
        group = (line["vat_rate_id"], line["vat_percentage"])
        net[group] = net.get(group, Decimal(0)) + line["net"]
    return [round_half_up(amount * percentage / 100) for (_, percentage), amount in net.items()]


async def test_numbers_are_consecutive_by_date(demo_connection: asyncpg.Connection) -> None:
    """A year has no gaps, and only drafts have no number."""
    rows = await demo_connection.fetch("SELECT number, invoice_date FROM relaties.invoice WHERE status <> 'DRAFT' ORDER BY number")
    years = [row["invoice_date"].year for row in rows]

    assert [row["number"] for row in rows] == [f"{year}-{n - years.index(year) + 1:05d}" for n, year in enumerate(years)]
    assert [row["invoice_date"] for row in rows] == sorted(row["invoice_date"] for row in rows)
    assert await demo_connection.fetchval("SELECT count(number) FROM relaties.invoice WHERE status = 'DRAFT'") == 0


async def test_a_credit_note_follows_an_issued_invoice_of_its_client(demo_connection: asyncpg.Connection) -> None:
    """It has the client, currency and exchange rate of the invoice, is not earlier, and is not for a larger amount."""
    rows = await demo_connection.fetch(
        """SELECT c.client_id = i.client_id AND c.currency = i.currency AND c.exchange_rate = i.exchange_rate AND i.kind = 'INVOICE'
            AND i.is_issued AND c.invoice_date >= i.invoice_date AND c.number > i.number AND c.gross <= i.gross AS is_valid
        FROM relaties.invoice c LEFT JOIN relaties.invoice i ON i.id = c.credits_invoice_id WHERE c.kind = 'CREDIT_NOTE'"""
    )

    assert len(rows) > 10
    assert all(row["is_valid"] for row in rows)


async def test_invoiced_registrations_match_their_line(demo_connection: asyncpg.Connection) -> None:
    """The registrations of a line are billable, belong to the client, are not later than the invoice, and add up to the line."""
    rows = await demo_connection.fetch(
        """SELECT l.net, sum(r.amount_net) AS total, bool_and(r.client_id = i.client_id AND r.currency = i.currency AND r.is_billable
            AND r.registered_on <= i.invoice_date AND i.is_issued AND r.project_id IS NOT DISTINCT FROM l.project_id) AS is_valid
        FROM relaties.registration r JOIN relaties.invoice_line l ON l.id = r.invoice_line_id JOIN relaties.invoice i ON i.id = l.invoice_id
        GROUP BY l.id, l.net"""
    )

    assert len(rows) > 100
    assert all(row["is_valid"] and row["net"] == row["total"] for row in rows)


async def test_registration_amount_equals_quantity_times_rate(demo_connection: asyncpg.Connection) -> None:
    """The rate is the one of its source: the project's, the client's, an explicit one, or zero."""
    rows = await demo_connection.fetch(
        """SELECT r.*, p.invoice_method, p.hourly_rate, c.default_hourly_rate, c.default_mileage_rate FROM relaties.registration r
        JOIN relaties.client c ON c.id = r.client_id LEFT JOIN relaties.project p ON p.id = r.project_id"""
    )

    for row in rows:
        count = {"TIME": Decimal(row["minutes"] or 0) / 60, "EXPENSE": row["quantity"], "MILEAGE": row["distance_km"]}[row["kind"]]
        assert row["amount_net"] == round_half_up(count * row["unit_rate"])
        own = {"PROJECT": row["hourly_rate"], "NONE": Decimal(0), "EXPLICIT": row["unit_rate"]}
        client = row["default_hourly_rate" if row["kind"] == "TIME" else "default_mileage_rate"]
        assert row["unit_rate"] == own.get(row["rate_source"], client)
    assert {row["status"] for row in rows} == {"OPEN", "PENDING", "APPROVED", "INVOICED", "WRITTEN_OFF", "REJECTED"}

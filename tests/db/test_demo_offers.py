"""The demo organization: quotes with consistent amounts and statuses, and portals that show only their client's data."""

from collections import defaultdict
from decimal import Decimal

import asyncpg

from tests.support.demo_data import round_half_up


async def test_quote_total_equals_its_lines(demo_connection: asyncpg.Connection) -> None:
    """A line is quantity times price, VAT is rounded per rate, and the currency is the client's."""
    lines: defaultdict[object, list[asyncpg.Record]] = defaultdict(list)
    for line in await demo_connection.fetch("SELECT * FROM relaties.quote_line ORDER BY quote_id, position"):
        lines[line["quote_id"]].append(line)
    quotes = await demo_connection.fetch(
        """SELECT q.*, c.currency AS own, c.vat_rate_id FROM relaties.quote q JOIN relaties.client c ON c.id = q.client_id"""
    )

    for quote in quotes:
        own = lines.pop(quote["id"])
        assert [line["position"] for line in own] == list(range(1, len(own) + 1))
        assert all(line["net"] == round_half_up(line["quantity"] * line["unit_price"]) for line in own)
        (percentage,) = {line["vat_percentage"] for line in own}
        assert quote["net"] == sum(line["net"] for line in own) > 0
        assert quote["vat"] == sum(line["vat"] for line in own) == round_half_up(quote["net"] * percentage / 100)
        assert (quote["gross"], quote["currency"]) == (quote["net"] + quote["vat"], quote["own"])
        assert (quote["exchange_rate"] == 1) == (quote["currency"] == "EUR")
    assert lines == {}
    assert max(quote["net"] for quote in quotes) < Decimal(60_000)


async def test_quotes_are_numbered_by_year_in_order_of_date(demo_connection: asyncpg.Connection) -> None:
    """A year has no gaps. Drafts have no number and no dates."""
    rows = await demo_connection.fetch("SELECT number, quote_date FROM relaties.quote WHERE status <> 'DRAFT' ORDER BY number")
    drafts = await demo_connection.fetch("SELECT number, quote_date, valid_until FROM relaties.quote WHERE status = 'DRAFT'")

    last: dict[int, int] = {}
    for row in rows:
        year = row["quote_date"].year
        last[year] = last.get(year, 0) + 1
        assert row["number"] == f"OFF-{year}-{last[year]:04d}"
    assert [row["quote_date"] for row in rows] == sorted(row["quote_date"] for row in rows)
    assert sorted(last) == [2023, 2024, 2025, 2026]
    assert {tuple(draft) for draft in drafts} == {(None, None, None)}


async def test_quote_status_matches_its_dates(demo_connection: asyncpg.Connection) -> None:
    """Only expired quotes are past their last day. Archived clients have no open quotes, and prospects have no accepted ones."""
    rows = await demo_connection.fetch(
        """SELECT q.status, q.valid_until, q.version, q.updated_at, q.created_at, c.archived_at, c.is_prospect,
            q.updated_at::date > q.valid_until AS is_late, l.of_another
        FROM relaties.quote q JOIN relaties.client c ON c.id = q.client_id
        CROSS JOIN LATERAL (SELECT bool_or(p.client_id <> q.client_id OR q.status <> 'ACCEPTED') AS of_another
          FROM relaties.quote_line l JOIN relaties.project p ON p.id = l.project_id WHERE l.quote_id = q.id) l"""
    )
    today = await demo_connection.fetchval("SELECT max(registered_on) FROM relaties.registration")

    for row in rows:
        assert row["status"] != "SENT" or row["valid_until"] >= today
        assert row["status"] != "EXPIRED" or row["is_late"]
        assert not row["archived_at"] or row["status"] in {"ACCEPTED", "REJECTED", "EXPIRED"}
        assert not row["is_prospect"] or row["status"] != "ACCEPTED"
        assert row["version"] == {"DRAFT": 1, "SENT": 2}.get(row["status"], 3)
        assert row["created_at"] <= row["updated_at"]
    assert {row["status"] for row in rows} == {"DRAFT", "SENT", "ACCEPTED", "REJECTED", "EXPIRED"}
    assert any(row["archived_at"] for row in rows)
    assert {row["of_another"] for row in rows} == {None, False}


async def test_portal_shows_only_its_client_until_archived(demo_connection: asyncpg.Connection) -> None:
    """A portal is closed exactly if its client is archived, by the same operation, and no contact got access after that."""
    rows = await demo_connection.fetch(
        """SELECT o.created_at, o.closed_at, o.archive_operation_id, o.version, c.archived_at, c.archive_operation_id AS of_client,
          (SELECT count(*) FROM relaties.portal_project p WHERE p.portal_id = o.id) AS projects,
          (SELECT count(*) FROM relaties.portal_access a WHERE a.portal_id = o.id) AS contacts,
          (SELECT max(a.created_at) FROM relaties.portal_access a WHERE a.portal_id = o.id) AS opened,
          (SELECT min(a.created_at) FROM relaties.portal_access a WHERE a.portal_id = o.id) AS first
        FROM relaties.client_portal o JOIN relaties.client c ON c.id = o.client_id"""
    )

    for row in rows:
        assert (row["closed_at"], row["archive_operation_id"]) == (row["archived_at"], row["of_client"])
        assert row["version"] == (2 if row["closed_at"] else 1)
        assert row["projects"] in {1, 2, 3}
        assert row["contacts"] in {1, 2, 3}
        assert row["created_at"] <= row["first"]
        assert not row["closed_at"] or row["opened"] < row["closed_at"]
    assert {bool(row["closed_at"]) for row in rows} == {True, False}

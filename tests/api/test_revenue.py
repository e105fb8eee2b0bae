"""Test revenue figures against sums of the raw rows, computed in Python to the cent."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import httpx
import pytest
import strawberry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine.database import Database
from db.tables import Role
from tests.support.api import UNLIMITED, Api, connect_client
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.demo_data import round_half_up
from tests.support.full_client import create_full_client
from tests.support.ids import decode_key
from tests.support.queries import FIGURES

NOTHING = Decimal(0)
MEASURES = ("invoiced", "paid", "outstanding")


@dataclass(frozen=True)
class Movement:
    """Amount of a day, in its own currency and in the base currency."""

    day: date
    currency: str
    native: Decimal
    base: Decimal


@dataclass
class ClientBooks:
    """Net and gross amounts of one client's documents, and the payments on them."""

    nets: list[Movement] = field(default_factory=list)
    grosses: list[Movement] = field(default_factory=list)
    payments: list[Movement] = field(default_factory=list)


async def read_books(owner: asyncpg.Connection) -> dict[str, ClientBooks]:
    """Return the books of each client by its id, read from documents and payments and never from the stored monthly sums."""
    books_by_client: dict[str, ClientBooks] = defaultdict(ClientBooks)
    documents = await owner.fetch(
        """SELECT i.*, c.id::text AS client FROM relaties.invoice i JOIN relaties.client c ON c.id = i.client_id
        WHERE i.status IN ('OPEN', 'PAID')"""
    )
    parts = await owner.fetch(
        """SELECT a.invoice_id, a.amount, p.paid_on, p.id FROM relaties.payment_allocation a
        JOIN relaties.payment p ON p.id = a.payment_id ORDER BY p.paid_on, p.id"""
    )
    by_document: dict[object, list[asyncpg.Record]] = defaultdict(list)
    for part in parts:
        by_document[part["invoice_id"]].append(part)
    for document in documents:
        _add_document(books_by_client[document["client"]], document, by_document[document["id"]])
    return books_by_client


def _add_document(client: ClientBooks, document: asyncpg.Record, parts: list[asyncpg.Record]) -> None:
    sign = -1 if document["kind"] == "CREDIT_NOTE" else 1
    rate, day, currency = document["exchange_rate"], document["invoice_date"], document["currency"]
    net, vat = document["net"], document["vat"]
    gross_base = round_half_up(net * rate) + round_half_up(vat * rate)
    client.nets.append(Movement(day, currency, sign * net, sign * round_half_up(net * rate)))
    client.grosses.append(Movement(day, currency, sign * (net + vat), sign * gross_base))
    sum_, counted_sum = NOTHING, NOTHING
    for part in parts:
        sum_ += part["amount"]
        # Sums of payments are converted, not single payments, so that a fully paid document comes to its rounded gross amount.
        is_whole = abs(sum_) == net + vat
        base = (gross_base.copy_sign(sum_) if is_whole else round_half_up(abs(sum_) * rate).copy_sign(sum_)) - counted_sum
        counted_sum += base
        client.payments.append(Movement(part["paid_on"], currency, part["amount"], base))


def expected_figures(client: ClientBooks, since: date, until: date) -> dict[str, Any]:
    """Compute the expected figures in the shape of the answer."""
    in_period = [move for move in client.nets if since <= move.day <= until], [m for m in client.payments if since <= m.day <= until]
    open_moves = [m for m in client.grosses if m.day <= until], [m for m in client.payments if m.day <= until]
    currencies = sorted({move.currency for moves in open_moves for move in moves})

    def sum_figures(amount_of: Callable[[Movement], Decimal], keep: Callable[[Movement], bool]) -> list[str]:
        invoiced_sum, paid_sum, gross, settled_sum = (
            sum((amount_of(move) for move in moves if keep(move)), NOTHING) for moves in (*in_period, *open_moves)
        )
        return [str(round_half_up(amount)) for amount in (invoiced_sum, paid_sum, gross - settled_sum)]

    total = sum_figures(lambda move: move.base, lambda _: True)
    names = ("invoiced", "paid", "outstanding")
    each = {currency: sum_figures(lambda move: move.native, lambda move, c=currency: move.currency == c) for currency in currencies}  # type: ignore[misc]
    return {
        **{name: {"amount": amount, "currency": "EUR"} for name, amount in zip(names, total, strict=True)},
        "byCurrency": [
            {"currency": currency, **{name: {"amount": amount} for name, amount in zip(names, amounts, strict=True)}}
            for currency, amounts in each.items()
        ],
    }


def choose_periods() -> list[tuple[date, date]]:
    """Return all time and twenty pseudo-random periods, from a day to years, which are the same in every run."""
    chance, first = random.Random(20), date(2022, 12, 1)  # noqa: S311 the same in every run
    some = [first + timedelta(days=chance.randrange(1500)) for _ in range(20)]
    return [
        (date(1900, 1, 1), date(9998, 12, 31)),
        *((start, start + timedelta(days=chance.choice([0, 6, 30, 91, 365, 900]))) for start in some),
    ]


@pytest.fixture(scope="module")
async def demo_api(demo_url: str, demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    database = await Database.connect(runtime_url(demo_url))
    async with connect_client(schema, database, UNLIMITED) as http:
        http.timeout = httpx.Timeout(120)
        yield Api(http, demo_token)
    await database.close()


async def test_revenue_equals_documents_and_payments(demo_api: Api, demo_url: str) -> None:
    """Every client of the demo is compared for all time and twenty periods, per currency and in the base currency."""
    owner = await asyncpg.connect(demo_url)
    expected = await read_books(owner)
    await owner.close()
    selection = " ".join(
        f'p{n}: revenue(period: {{since: "{since:%Y-%m-%d}", until: "{until:%Y-%m-%d}"}}) {{ ...Figures }}'
        for n, (since, until) in enumerate(choose_periods())
    )
    page = f"nodes {{ id {selection} }} pageInfo {{ hasNextPage endCursor }}"
    query = f"query ($after: String) {{ clients(first: 100, after: $after) {{ {page} }} }}"
    compared_count, after, more, all_of = 0, None, True, [Decimal()] * len(MEASURES)
    while more:
        page = (await demo_api.data(f"{query} {FIGURES}", after=after))["clients"]
        for client in page["nodes"]:
            own = expected[_decode_global_id(client["id"])]
            for n, (since, until) in enumerate(choose_periods()):
                assert client[f"p{n}"] == expected_figures(own, since, until), (client["id"], since, until)
                compared_count += 1
            all_of = [total + Decimal(client["p0"][name]["amount"]) for total, name in zip(all_of, MEASURES, strict=True)]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert compared_count == 1000 * 21
    total = (await demo_api.data(f"{{ clients(first: 1) {{ revenue {{ ...Figures }} }} }} {FIGURES}"))["clients"]["revenue"]
    assert [Decimal(total[name]["amount"]) for name in MEASURES] == all_of
    assert all(all_of)


async def test_revenue_of_a_search_is_the_sum_of_all_its_clients(api_for: Callable[..., Api], org: Tenant, statements: list[str]) -> None:
    """It does not depend on the page, takes one statement, and is null without permission to read figures."""
    for number, name in enumerate(("Bos", "Bosman", "Vos")):
        client = await org.add_client(name)
        await org.add_invoice(client, date(2026, 1, 1), f"{number + 1}00.00")
        dollars = await org.add_invoice(client, date(2026, 1, 1), "10.00", currency="USD", exchange_rate=Decimal("0.5"))
        await org.add_payment(client, dollars, date(2026, 1, 2), "4.00", "2.00", "USD")
    query = f"query ($search: String) {{ clients(first: 1, search: $search) {{ revenue {{ ...Figures }} }} }} {FIGURES}"
    revenue_data = (await api_for(org).data(query, search="bos"))["clients"]["revenue"]
    assert [revenue_data[name]["amount"] for name in MEASURES] == ["310.00", "4.00", "371.10"]
    assert revenue_data["byCurrency"] == [
        {"currency": "EUR", "invoiced": {"amount": "300.00"}, "paid": {"amount": "0.00"}, "outstanding": {"amount": "363.00"}},
        {"currency": "USD", "invoiced": {"amount": "20.00"}, "paid": {"amount": "8.00"}, "outstanding": {"amount": "16.20"}},
    ]
    assert [(await api_for(org).data(query, search=text))["clients"]["revenue"]["invoiced"]["amount"] for text in ("VOS", "x")] == [
        "305.00",
        "0.00",
    ]
    assert await api_for(org, Role.VIEWER).data(query) == {"clients": {"revenue": None}}
    statements.clear()
    await api_for(org).data(f"{{ clients {{ a: revenue {{ ...Figures }} b: revenue {{ since }} }} }} {FIGURES}")
    assert sum("client_month" in statement for statement in statements) == 1


TOTALS = "query ($period: PeriodInput) { clients { nodes { name revenue(period: $period) { since ...Totals MORE } } } } "
TOTALS += "fragment Totals on Revenue { invoiced { amount currency } paid { amount currency } outstanding { amount currency } }"
days = st.dates(date(2025, 11, 1), date(2026, 4, 30))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(days, days).map(sorted))
async def test_totals_alone_equal_totals_beside_currencies(mixed_currency_org: Api, statements: list[str], period: list[date]) -> None:
    """Sums per currency are computed only if requested. The totals are the same for any period."""
    variables = {"since": str(period[0]), "until": str(period[1])}
    alone = (await mixed_currency_org.data(TOTALS.replace("MORE", ""), period=variables))["clients"]["nodes"]
    assert not [statement for statement in statements if "GROUPING SETS" in statement]
    beside = (await mixed_currency_org.data(TOTALS.replace("MORE", "byCurrency { currency }"), period=variables))["clients"]["nodes"]
    assert [statement for statement in statements if "GROUPING SETS" in statement]
    statements.clear()
    for client in beside:
        del client["revenue"]["byCurrency"]
    assert alone == beside


@pytest.fixture(scope="module")
async def mixed_currency_org(owner: asyncpg.Connection, api_for: Callable[..., Api]) -> Api:
    """Create an organization whose clients have several currencies, credit notes, payments, drafts, or no documents."""
    org = await create_tenant(owner, "Totals")
    for name in ("Een", "Twee"):
        client = await create_full_client(org, name, is_archived=name == "Twee")
        dollars = await org.add_invoice(client.id, date(2025, 12, 15), "99.99", currency="USD", exchange_rate=Decimal("0.91237"))
        await org.add_payment(client.id, dollars, date(2026, 1, 15), "33.33", "30.41", "USD")
    await org.add_client("Leeg")
    return api_for(org)


def _decode_global_id(global_id: str) -> str:
    return str(decode_key(global_id))


REVENUE = "query ($period: PeriodInput) { clients { nodes { revenue(period: $period) { since until ...Figures } } } } " + FIGURES


async def fetch_revenue(api: Api, **period: str) -> dict[str, Any]:
    revenue_data: dict[str, Any] = (await api.data(REVENUE, period=period))["clients"]["nodes"][0]["revenue"]
    return revenue_data


async def test_client_without_documents_has_zero_revenue(api_for: Callable[..., Api], org: Tenant) -> None:
    """Zero is a known figure, so it is not null."""
    await org.add_client("Empty")
    zero = {"amount": "0.00", "currency": "EUR"}
    assert await fetch_revenue(api_for(org)) == {
        "since": None, "until": None, "invoiced": zero, "paid": zero, "outstanding": zero, "byCurrency": [],
    }  # fmt: skip


async def test_drafts_and_void_documents_never_count_and_credit_notes_count_below_zero(api_for: Callable[..., Api], org: Tenant) -> None:
    client = await org.add_client("Client")
    await org.add_invoice(client, date(2026, 1, 1), "100.00")
    await org.add_invoice(client, date(2026, 1, 2), "30.00", kind="CREDIT_NOTE")
    for status in ("DRAFT", "VOID"):
        await org.add_invoice(client, date(2026, 1, 3), "1000.00", status=status)
    revenue = await fetch_revenue(api_for(org))
    assert revenue["invoiced"]["amount"] == "70.00"
    assert revenue["outstanding"]["amount"] == "84.70"


async def test_period_applies_to_document_and_payment_dates(api_for: Callable[..., Api], org: Tenant) -> None:
    """Both ends belong to the period. The outstanding amount is that at its end."""
    client = await org.add_client("Client")
    invoice = await org.add_invoice(client, date(2026, 1, 31), "100.00")
    await org.add_payment(client, invoice, date(2026, 2, 28), "21.00")
    await org.add_payment(client, invoice, date(2026, 3, 1), "100.00")
    cases = {
        ("2026-01-31", "2026-01-31"): ("100.00", "0.00", "121.00"),
        ("2026-02-01", "2026-02-27"): ("0.00", "0.00", "121.00"),
        ("2026-02-01", "2026-02-28"): ("0.00", "21.00", "100.00"),
        ("2026-03-01", "2026-12-31"): ("0.00", "100.00", "0.00"),
        ("2026-01-01", "2026-12-31"): ("100.00", "121.00", "0.00"),
    }
    for (since, until), expected in cases.items():
        revenue_data = await fetch_revenue(api_for(org), since=since, until=until)
        assert (revenue_data["since"], revenue_data["until"]) == (since, until)
        assert tuple(revenue_data[name]["amount"] for name in ("invoiced", "paid", "outstanding")) == expected


async def test_currencies_are_never_added(api_for: Callable[..., Api], org: Tenant) -> None:
    """Each currency has its own sum. The base amounts use the exchange rate of each document's issue date."""
    client = await org.add_client("Client")
    await org.add_invoice(client, date(2026, 1, 1), "100.00")
    dollars = await org.add_invoice(client, date(2026, 1, 1), "100.01", currency="USD", exchange_rate=Decimal("0.9"))
    await org.add_payment(client, dollars, date(2026, 1, 2), "50.00", "45.00", "USD")
    revenue_data = await fetch_revenue(api_for(org))
    assert {name: revenue_data[name] for name in ("invoiced", "paid", "outstanding")} == {
        "invoiced": {"amount": "190.01", "currency": "EUR"},
        "paid": {"amount": "45.00", "currency": "EUR"},
        "outstanding": {"amount": "184.91", "currency": "EUR"},
    }
    assert revenue_data["byCurrency"] == [
        {"currency": "EUR", "invoiced": {"amount": "100.00"}, "paid": {"amount": "0.00"}, "outstanding": {"amount": "121.00"}},
        {"currency": "USD", "invoiced": {"amount": "100.01"}, "paid": {"amount": "50.00"}, "outstanding": {"amount": "71.01"}},
    ]


async def test_document_with_payments_cannot_be_voided_or_moved(org: Tenant) -> None:
    """The database enforces it, because the stored monthly sums depend on it."""
    client, other = await org.add_client("Client"), await org.add_client("Other")
    invoice = await org.add_invoice(client, date(2026, 1, 1), "100.00")
    await org.add_payment(client, invoice, date(2026, 1, 2), "10.00")
    for change in ("status = 'VOID'", "status = 'DRAFT'", f"client_id = '{other}'", "currency = 'USD'"):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await org.owner.execute(f"UPDATE relaties.invoice SET {change} WHERE tenant_id = $1 AND id = $2", org.id, invoice)
    await org.owner.execute("UPDATE relaties.invoice SET status = 'PAID' WHERE tenant_id = $1 AND id = $2", org.id, invoice)

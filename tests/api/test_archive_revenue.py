"""Test that archiving changes no revenue figure, for any documents and any period, of one client and of all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant
from tests.support.ids import global_id
from tests.support.mutations import mutate
from tests.support.queries import FIGURES

REVENUE_QUERY = f"""query ($period: PeriodInput) {{
  all: clients {{ totalCount revenue(period: $period) {{ ...Figures }} nodes {{ id revenue(period: $period) {{ ...Figures }} }} }}
  some: clients(search: "jansen") {{ revenue(period: $period) {{ ...Figures }} }}
}} {FIGURES}"""
FIRST_DAY = date(2025, 12, 1)
RATES = {"EUR": Decimal(1), "USD": Decimal("0.91234567"), "GBP": Decimal("1.17")}
DAYS = st.integers(0, 120).map(lambda days: FIRST_DAY + timedelta(days=days))
CENTS = st.integers(1, 10_000_00).map(lambda cents: str(Decimal(cents) / 100))


@dataclass(frozen=True)
class FinancialDocument:
    """Invoice or credit note of one of the clients, with its payments or refunds."""

    client: int
    kind: str
    status: str
    currency: str
    day: date
    net: str
    payments: list[tuple[date, str]]


DOCUMENTS = st.builds(
    FinancialDocument,
    st.integers(0, 2),
    st.sampled_from(["INVOICE", "INVOICE", "CREDIT_NOTE"]),
    st.sampled_from(["OPEN", "OPEN", "PAID", "DRAFT", "VOID"]),
    st.sampled_from([*RATES]),
    DAYS,
    CENTS,
    st.lists(st.tuples(DAYS, CENTS), max_size=2),
)
ANY_TWO = st.fixed_dictionaries({}, optional={"since": DAYS.map(str), "until": DAYS.map(str)})
PERIODS = ANY_TWO.filter(lambda period: period.get("since", "") <= period.get("until", "9999"))


async def create_documents(org: Tenant, documents: list[FinancialDocument]) -> list[UUID]:
    """Create three clients with these documents, and payments for those that are neither drafts nor void."""
    clients = [await org.add_client(name) for name in ("Jansen A", "Jansen B", "Smit")]
    for document in documents:
        client, rate = clients[document.client], RATES[document.currency]
        more = {"kind": document.kind, "status": document.status, "currency": document.currency, "exchange_rate": rate}
        invoice = await org.add_invoice(client, document.day, document.net, **more)
        for day, amount in document.payments if document.status in {"OPEN", "PAID"} else ():
            signed_amount = f"-{amount}" if document.kind == "CREDIT_NOTE" else amount
            base = (Decimal(signed_amount) * rate).quantize(Decimal("0.01"))
            await org.add_payment(client, invoice, day, signed_amount, str(base), document.currency)
    return clients


@settings(max_examples=25)
@given(
    documents=st.lists(DOCUMENTS, min_size=1, max_size=8),
    periods=st.lists(PERIODS, min_size=1, max_size=3),
    archived=st.sets(st.integers(0, 2), min_size=1),
)
async def test_s41_archiving_changes_no_revenue_figure(
    owner: asyncpg.Connection,
    api_for: Callable[..., Api],
    documents: list[FinancialDocument],
    periods: list[dict[str, str]],
    archived: set[int],
) -> None:
    """Figures of each client, of all clients and of a search are the same before archiving, after it and after unarchiving."""
    org = await create_tenant(owner)
    api, clients = api_for(org), await create_documents(org, documents)

    async def figures() -> list[Any]:
        return [await api.data(REVENUE_QUERY, period=period) for period in (None, *periods)]

    before = await figures()
    assert [figures_of_period["all"]["totalCount"] for figures_of_period in before] == [3] * len(before)
    for version, mutation in enumerate(("clientArchive", "clientUnarchive"), start=1):
        for index in sorted(archived):
            key = global_id("Client", clients[index])
            result = await mutate(api, mutation, "client { isArchived }", id=key, expectedVersion=version)
            assert result == {"isArchived": mutation == "clientArchive"}
        assert await figures() == before


async def test_s41_revenue_of_an_archived_client_still_changes(api_for: Callable[..., Api], org: Tenant) -> None:
    """A payment and a credit note of later date still count."""
    api, (client, *_) = api_for(org), await create_documents(org, [])
    invoice = await org.add_invoice(client, date(2026, 1, 31), "100.00")
    await mutate(api, "clientArchive", "client { id }", id=global_id("Client", client), expectedVersion=1)
    await org.add_payment(client, invoice, date(2026, 2, 1), "21.00")
    await org.add_invoice(client, date(2026, 2, 2), "40.00", kind="CREDIT_NOTE")
    revenue = (await api.data(REVENUE_QUERY))["all"]["revenue"]
    assert [revenue[name]["amount"] for name in ("invoiced", "paid", "outstanding")] == ["60.00", "21.00", "51.60"]

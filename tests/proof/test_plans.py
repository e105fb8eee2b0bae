"""No statement scans a large table in full: it runs with 100,000 clients, 500,000 invoices and registrations, and the server's role."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from tests.support.databases import runtime_url
from tests.support.explain import PageWithRelation, explain, large_tables
from tests.support.large_organization import CONTACTS_EACH, LargeOrganization, create_large_organization
from tests.support.product_queries import QUERIES
from tests.support.query_arguments import query_arguments

pytestmark = pytest.mark.proof
MOST = 2_000  # rows that may be read of each table for a page of 50
# These queries read all contacts of a client, and one client has 5,000.
OF_A_CLIENT = {"previews.orphans", "contacts.invoice_contacts"}
# These queries read a whole index: searches, total counts, and sums over all clients.
WHOLE_INDEX = {"clients.search", "clients.count", "contacts.page", "contacts.count", "clients.of_labels"}
WHOLE_INDEX |= {"clients.count_of_labels", "contacts.count_of_clients", "revenue.of_all", "revenue.of_all_partial_months"}
# One organization has almost all rows, and these queries read the months of all its clients. The table is no wider than its index. One
# member has all jobs, and the query counts those of some kinds and statuses.
WHOLE_TABLE = {"revenue.of_all": {"client_month"}, "revenue.of_all_partial_months": {"client_month"}, "jobs.count_filtered": {"job"}}
WHOLE_INDEX |= {
    "registrations.count",
    "registrations.count_filtered",
    "jobs.count",
    "jobs.count_filtered",
    "jobs.with_files",  # of all exports of a day, which a deletion removes: it returns each
    "monthly_balances.count_clients",
}

PAGES = ("page", "page_after", "page_active", "page_by_number")
OF_CLIENTS = ("contacts.all_of_clients", "labels.of_clients", "revenue.total_by_client")
PLANNED_ONCE = [*(f"clients.{name}" for name in PAGES), "clients.by_id", *OF_CLIENTS]


@pytest.fixture(scope="module")
async def url(fresh_database: Callable[[], Awaitable[str]]) -> str:
    return await fresh_database()


@pytest.fixture(scope="module")
async def large_org(url: str) -> LargeOrganization:
    owner = await asyncpg.connect(url)
    large_organization = await create_large_organization(owner)
    await owner.close()
    return large_organization


@pytest.fixture(scope="module")
async def server(url: str, large_org: LargeOrganization) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the server's role, which row-level security restricts."""
    assert large_org.clients
    connection = await asyncpg.connect(runtime_url(url), server_settings={"jit": "off"})
    yield connection
    await connection.close()


def test_every_statement_has_arguments(large_org: LargeOrganization) -> None:
    """Add the arguments of a new query to `tests/support/query_arguments.py`."""
    assert set(query_arguments(large_org)) == set(QUERIES)


@pytest.mark.parametrize("name", QUERIES)
async def test_no_statement_scans_a_large_table(server: asyncpg.Connection, large_org: LargeOrganization, name: str) -> None:
    """This holds for custom and generic plans. A query reads about as many rows as it returns."""
    large_ones = await large_tables(server)
    assert {
        "client",
        "contact",
        "client_contact",
        "client_label",
        "invoice",
        "payment_allocation",
        "client_month",
        "audit_event",
        "registration",
    } <= large_ones
    assert {"project", "quote", "quote_line", "client_portal", "portal_project", "portal_access"} <= large_ones
    how = await explain(server, QUERIES[name], large_org.tenant.id, query_arguments(large_org)[name])
    assert how.sequential_scans(large_ones) <= WHOLE_TABLE.get(name, set())
    assert name in WHOLE_INDEX | OF_A_CLIENT or {table: rows for table, rows in how.rows.items() if rows > MOST} == {}


@pytest.mark.parametrize("name", PLANNED_ONCE)
async def test_frequent_reads_use_a_generic_plan(server: asyncpg.Connection, large_org: LargeOrganization, name: str) -> None:
    """This holds for one client in a large table too, because planning takes longer than running the statement."""
    values = query_arguments(large_org)[name]
    one = values | ({"ids": large_org.clients[:1]} if "ids" in values else {})
    assert (await explain(server, QUERIES[name], large_org.tenant.id, one)).generic


@pytest.mark.parametrize("page", ["clients.page", "clients.page_active", "clients.by_id"])
async def test_no_combined_page_scans_a_large_table(server: asyncpg.Connection, large_org: LargeOrganization, page: str) -> None:
    """PostgreSQL does not know how many rows the page will have, and must still use indexes for the relation."""
    large_ones = await large_tables(server)
    after = dict(zip(("after_key", "after_id"), large_org.middle, strict=True))
    names = [
        name
        for name, values in query_arguments(large_org).items()
        if values.get("ids") is large_org.clients and QUERIES[name] is not QUERIES[page]
    ]
    assert {"contacts.all_of_clients", "contacts.of_clients", "labels.of_clients", "revenue.total_by_client"} <= {*names}
    for name in names:
        how = await explain(
            server,
            PageWithRelation(QUERIES[page], QUERIES[name], {"count": 51, "ids": large_org.clients, **after}),
            large_org.tenant.id,
            query_arguments(large_org)[name],
        )
        assert how.sequential_scans(large_ones) == set(), name
        assert name in WHOLE_INDEX | OF_A_CLIENT or {table: rows for table, rows in how.rows.items() if rows > MOST} == {}, name


async def test_sequential_scan_would_be_detected(server: asyncpg.Connection, large_org: LargeOrganization) -> None:
    """The test forbids PostgreSQL to use an index, so that the check must find the scan."""
    without_indexes = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off"
    async with server.transaction():
        await server.execute(without_indexes)
        how = await explain(server, QUERIES["clients.page"], large_org.tenant.id, query_arguments(large_org)["clients.page"])
    assert how.sequential_scans({"client", "invoice"}) == {"client"}
    assert how.rows["client"] > MOST


async def test_only_the_first_of_5000_contacts_are_read(server: asyncpg.Connection, large_org: LargeOrganization) -> None:
    """One more link is read than requested, which shows whether there is a next page."""
    query, first = QUERIES["contacts.of_clients"], 25
    alone = await explain(server, query, large_org.tenant.id, {"ids": [large_org.largest_client], "count": first + 1})
    assert alone.rows["client_contact"] == first + 1
    page = await explain(server, query, large_org.tenant.id, {"ids": large_org.clients, "count": first + 1})
    assert page.rows["client_contact"] == first + 1 + (len(large_org.clients) - 1) * CONTACTS_EACH

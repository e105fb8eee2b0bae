"""No statement reads a large table whole: 100,000 clients, 500,000 invoices and registrations, asked as the server's role."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from tests.conftest import runtime_url
from tests.db.test_golden import QUERIES
from tests.large import CONTACTS_EACH, Large, large
from tests.plans import Led, arguments, large_tables, ran

pytestmark = pytest.mark.proof
MOST = 2_000  # rows read of any one table for a page of 50
# This looks at all contacts of a client, and one has 5,000.
OF_A_CLIENT = {"consequences.orphans"}
# These look at all there is, in an index: searches, totals, the sums over all clients.
WHOLE_INDEX = {"clients.search", "clients.count", "contacts.page", "contacts.count", "clients.of_labels"}
WHOLE_INDEX |= {"clients.count_of_labels", "contacts.count_of_clients", "revenue.of_all", "revenue.of_all_apart"}
# Of an organization that has nearly all there is, the months of all clients: a table no wider than its index.
WHOLE_TABLE = {"revenue.of_all": {"client_month"}, "revenue.of_all_apart": {"client_month"}}
WHOLE_INDEX |= {"registrations.count", "registrations.count_filtered"}

PAGES = ("page", "page_after", "page_active", "page_by_number")
OF_CLIENTS = ("contacts.all_of_clients", "labels.of_clients", "revenue.total_by_client")
PLANNED_ONCE = [*(f"clients.{name}" for name in PAGES), "clients.by_id", *OF_CLIENTS]


@pytest.fixture(scope="module")
async def url(fresh_database: Callable[[], Awaitable[str]]) -> str:
    return await fresh_database()


@pytest.fixture(scope="module")
async def found(url: str) -> Large:
    owner = await asyncpg.connect(url)
    made = await large(owner)
    await owner.close()
    return made


@pytest.fixture(scope="module")
async def server(url: str, found: Large) -> AsyncIterator[asyncpg.Connection]:
    """The role of the server, who is behind the wall."""
    assert found.clients
    connection = await asyncpg.connect(runtime_url(url), server_settings={"jit": "off"})
    yield connection
    await connection.close()


def test_every_statement_is_looked_at(found: Large) -> None:
    """A new one needs arguments in `tests.plans`."""
    assert set(arguments(found)) == set(QUERIES)


@pytest.mark.parametrize("name", QUERIES)
async def test_no_statement_reads_a_large_table_whole(server: asyncpg.Connection, found: Large, name: str) -> None:
    """Neither by the plan made for its values, nor by the one that the server settles on; and it reads about what it gives."""
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
    how = await ran(server, QUERIES[name], found.tenant.id, arguments(found)[name])
    assert how.whole(large_ones) <= WHOLE_TABLE.get(name, set())
    assert name in WHOLE_INDEX | OF_A_CLIENT or {table: rows for table, rows in how.rows.items() if rows > MOST} == {}


@pytest.mark.parametrize("name", PLANNED_ONCE)
async def test_what_is_read_most_is_planned_once(server: asyncpg.Connection, found: Large, name: str) -> None:
    """For one client as well, of a large table: planning takes longer than the statement itself."""
    values = arguments(found)[name]
    one = values | ({"ids": found.clients[:1]} if "ids" in values else {})
    assert (await ran(server, QUERIES[name], found.tenant.id, one)).generic


@pytest.mark.parametrize("page", ["clients.page", "clients.page_active", "clients.by_id"])
async def test_no_page_that_leads_reads_a_large_table_whole(server: asyncpg.Connection, found: Large, page: str) -> None:
    """PostgreSQL does not know how many rows a page will bring, and finds what it has by its indexes."""
    large_ones = await large_tables(server)
    after = dict(zip(("after_key", "after_id"), found.middle, strict=True))
    names = [name for name, values in arguments(found).items() if values.get("ids") is found.clients and QUERIES[name] is not QUERIES[page]]
    assert {"contacts.all_of_clients", "contacts.of_clients", "labels.of_clients", "revenue.total_by_client"} <= {*names}
    for name in names:
        how = await ran(
            server, Led(QUERIES[page], QUERIES[name], {"count": 51, "ids": found.clients, **after}), found.tenant.id, arguments(found)[name]
        )
        assert how.whole(large_ones) == set(), name
        assert name in WHOLE_INDEX | OF_A_CLIENT or {table: rows for table, rows in how.rows.items() if rows > MOST} == {}, name


async def test_a_whole_read_would_be_seen(server: asyncpg.Connection, found: Large) -> None:
    """The check itself, where the server may use no index."""
    without_indexes = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off"
    async with server.transaction():
        await server.execute(without_indexes)
        how = await ran(server, QUERIES["clients.page"], found.tenant.id, arguments(found)["clients.page"])
    assert how.whole({"client", "invoice"}) == {"client"}
    assert how.rows["client"] > MOST


async def test_of_5000_contacts_only_the_first_are_read(server: asyncpg.Connection, found: Large) -> None:
    """One link more than asked for, which tells whether there are more."""
    query, first = QUERIES["contacts.of_clients"], 25
    alone = await ran(server, query, found.tenant.id, {"ids": [found.crowded], "count": first + 1})
    assert alone.rows["client_contact"] == first + 1
    page = await ran(server, query, found.tenant.id, {"ids": found.clients, "count": first + 1})
    assert page.rows["client_contact"] == first + 1 + (len(found.clients) - 1) * CONTACTS_EACH

"""Test the nested query: clients with their contacts, labels and revenue."""

import asyncio
import gc
from collections.abc import Callable

import asyncpg
import pytest

from db.engine.database import Database
from db.engine.statement import Row
from db.rows import ActorRow
from db.tables import Role
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.databases import RUNTIME
from tests.support.queries import NESTED_QUERY, data_statements


@pytest.mark.parametrize("first", [1, 50, 100])
async def test_nested_page_takes_one_statement(api_for: Callable[..., Api], sample_org: Tenant, statements: list[str], first: int) -> None:
    """The number of statements does not grow with the rows, and a single statement needs no transaction."""
    api = api_for(sample_org)
    # The first time the relations are not yet known and are read one by one. A new connection also reads the types of the server.
    for _ in range(2):
        await api.data(NESTED_QUERY, first=1)
    statements.clear()
    page = (await api.data(NESTED_QUERY, first=first))["clients"]

    assert len(page["edges"]) == min(first, 60)
    assert len(data_statements(statements)) == 1
    assert not [statement for statement in statements if statement.startswith(("BEGIN", "COMMIT"))]


async def test_client_shows_its_fields_links_and_revenue(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    client = (await api_for(sample_org).data(NESTED_QUERY, first=1))["clients"]["edges"][0]["node"]

    assert (client["name"], client["number"], client["kind"], client["archivedAt"]) == ("Client 00000", "0000", "COMPANY", None)
    assert [(e["isInvoiceContact"], e["position"], e["node"]["fullName"]) for e in client["contacts"]["edges"]] == [
        (True, 0, "An Person 00000-0"),
        (False, 1, "An Person 00000-1"),
    ]
    assert client["contacts"]["pageInfo"]["hasNextPage"] is True
    assert [label["name"] for label in client["labels"]] == ["Label 0", "Label 4"]
    assert client["revenue"] == {
        "invoiced": {"amount": "150.00", "currency": "EUR"},
        "paid": {"amount": "121.00"},
        "outstanding": {"amount": "60.50"},
        "byCurrency": [{"currency": "EUR", "invoiced": {"amount": "150.00"}}],
    }


async def test_pages_are_consecutive(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    """Each client is on one page, in order, and only the last page has no next one."""
    names, after, more, api = [], None, True, api_for(sample_org)
    while more:
        page = (await api.data(NESTED_QUERY, first=25, after=after))["clients"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        names += [edge["node"]["name"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert names == [f"Client {index:05}" for index in range(60)]


async def test_contacts_of_a_client_continue_after_a_cursor(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    contacts = "contacts(first: 2, after: $after) { edges { cursor node { lastName } } }"
    query = f"query ($after: String) {{ clients(first: 1) {{ nodes {{ {contacts} }} }} }}"
    api = api_for(sample_org)
    first = (await api.data(query))["clients"]["nodes"][0]["contacts"]["edges"]
    rest = (await api.data(query, after=first[1]["cursor"]))["clients"]["nodes"][0]["contacts"]["edges"]
    assert [edge["node"]["lastName"] for edge in first + rest] == ["Person 00000-0", "Person 00000-1", "Person 00000-2"]


async def test_s06_revenue_is_computed_only_if_requested(api_for: Callable[..., Api], sample_org: Tenant, statements: list[str]) -> None:
    """A page of names reads no invoices."""
    await api_for(sample_org).data("{ clients(first: 50) { nodes { name } } }")
    assert len(data_statements(statements)) == 1
    assert "invoice" not in data_statements(statements)[0]


async def test_same_revenue_under_two_aliases_takes_one_statement(
    api_for: Callable[..., Api], sample_org: Tenant, statements: list[str]
) -> None:
    """The statement has three parts: the clients, the revenue of both aliases, and the revenue with other arguments."""
    query = '{ clients { nodes { a: revenue { since } b: revenue { since } c: revenue(period: {since: "2026-01-01"}) { since } } } }'
    for _ in range(3):
        statements.clear()
        await api_for(sample_org).data(query)
    (statement,) = data_statements(statements)
    assert statement.count(") AS part") == 3


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_figures_without_permission_are_null_and_no_error(api_for: Callable[..., Api], sample_org: Tenant, role: Role) -> None:
    body = await api_for(sample_org, role).execute("{ clients(first: 2) { nodes { revenue { paid { amount } } } } }")
    assert body == {"data": {"clients": {"nodes": [{"revenue": None}, {"revenue": None}]}}}


async def test_sixteen_concurrent_queries_on_five_connections_all_answer(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    """An operation holds one connection and never waits for a second."""
    api = api_for(sample_org)
    pages = await asyncio.gather(*(api.data(NESTED_QUERY, first=50) for _ in range(16)))
    assert [len(page["clients"]["edges"]) for page in pages] == [50] * 16


async def test_failing_statement_leaves_other_fields_intact(
    api_for: Callable[..., Api], sample_org: Tenant, owner: asyncpg.Connection
) -> None:
    """Revenue is null for each client, with an error without details. Contacts and labels, which are read after it, are present."""
    await owner.execute(f"REVOKE SELECT ON relaties.client_month FROM {RUNTIME}")
    try:
        query = "{ clients(first: 3) { nodes { revenue { since } contacts { nodes { lastName } } labels { name } } } }"
        body = await api_for(sample_org).execute(query)
    finally:
        await owner.execute(f"GRANT SELECT ON relaties.client_month TO {RUNTIME}")
    nodes = body["data"]["clients"]["nodes"]
    assert [(node["revenue"], len(node["contacts"]["nodes"]), len(node["labels"])) for node in nodes] == [(None, 3, 2)] * 3
    assert {error["message"] for error in body["errors"]} == {"An internal error occurred. Report its `incident` to the operator."}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL_SERVER_ERROR"] * 3


async def test_operation_cancelled_at_any_moment_releases_its_connection(
    api_for: Callable[..., Api], sample_org: Tenant, database: Database
) -> None:
    """The operation is cancelled after a growing number of turns of the event loop, also within a statement of a loader."""
    api, turns, is_through = api_for(sample_org), 0, False
    while not is_through:
        task = asyncio.create_task(api.execute(NESTED_QUERY, first=50))
        for _ in range(turns):
            await asyncio.sleep(0)
        is_through = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        turns = turns * 2 + 1
    assert turns > 16
    pages = await asyncio.gather(*(api.data(NESTED_QUERY, first=50) for _ in range(16)))
    assert [len(page["clients"]["edges"]) for page in pages] == [50] * 16
    assert database.read_connections_in_use == 0


async def test_rows_are_freed_without_the_garbage_collector(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    api = api_for(sample_org)
    await api.data(NESTED_QUERY, first=50)
    gc.collect()
    gc.disable()
    try:
        await api.data(NESTED_QUERY, first=50)
        remaining_types = [type(each).__name__ for each in gc.get_objects() if isinstance(each, Row)]
    finally:
        gc.enable()
    assert set(remaining_types) <= {ActorRow.__name__}

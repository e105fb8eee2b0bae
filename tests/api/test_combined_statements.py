"""Test that one statement outside a transaction reads a page with the relations of its rows, and what happens where more are needed."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import asyncpg
import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from db.queries.contacts import EXPECTED_LINKS
from db.tables import Role
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant
from tests.support.databases import RUNTIME, runtime_url
from tests.support.explain import FROM_TABLES
from tests.support.ids import global_id
from tests.support.queries import data_statements

PAGE_SIZE = 2
PAGE = f"{{ clients(first: 3) {{ nodes {{ name contacts(first: {PAGE_SIZE}) {{ nodes {{ lastName }} }} labels {{ name }} }} }} }}"
CLIENT_QUERY = "query ($id: ID!) { node(id: $id) { ... on Client { name contacts { nodes { lastName } } labels { name } } } }"
BEGIN = "BEGIN"


class RecordingServer(NamedTuple):
    """Server, the statements that it sends, and those that it sends before each combined statement."""

    api_for: Callable[[Tenant, Role], Api]
    statements: list[str]
    around: list[str]


@pytest.fixture(params=[False, True], ids=["session", "transaction"])
async def server(request: pytest.FixtureRequest, owner_url: str, schema: strawberry.Schema) -> AsyncIterator[RecordingServer]:
    """Create a server with one connection that has served no query yet, once with sessions and once always in a transaction."""
    statements: list[str] = []
    database = await Database.connect(
        runtime_url(owner_url), DatabaseLimits(read_pool_size=1), always_in_transaction=bool(request.param), on_statement=statements.append
    )
    async with connect_client(schema, database) as http:
        yield RecordingServer(lambda tenant, role: Api(http, tenant.tokens[role]), statements, [BEGIN] if request.param else [])
    await database.close()


def classify_statements(statements: list[str]) -> list[str]:
    """Return the kind of each statement that reads data or begins a transaction: "one" relation, "batch" or "each" row separately."""
    kinds = []
    for each in statements:
        if each.startswith(BEGIN):
            kinds.append(BEGIN)
        elif each in data_statements([each]) and FROM_TABLES in each:
            kinds.append("batch" if each.startswith("WITH leader") else "each" if "JOIN LATERAL" in each else "one")
    return kinds


async def ask_three_times(
    server: RecordingServer, org: Tenant, query: str, role: Role = Role.OWNER, **variables: object
) -> tuple[object, list[list[str]]]:
    """Return the answer, after checking that it is the same three times, and the statement kinds of each time.

    The first time the relations are not yet known and are read one by one.
    """
    answers: list[object] = []
    statement_lists: list[list[str]] = []
    for _ in range(3):
        server.statements.clear()
        answers.append(await server.api_for(org, role).data(query, **variables))
        statement_lists.append(classify_statements(server.statements))
    assert answers[0] == answers[1] == answers[2]
    return answers[0], statement_lists


async def add_clients(org: Tenant, contacts: int) -> list[dict[str, object]]:
    """Create one client with that many contacts and three more, each with a label, and return the expected first page."""
    expected: list[dict[str, object]] = []
    for name, count in (("A", contacts), ("B", 0), ("C", 1), ("D", 1)):
        client = await org.add_client(name)
        await org.add_label(f"L{name}", client)
        people = [f"{index:03}" for index in range(count)]
        for index, person in enumerate(people):
            await org.add_contact(person, client, position=index)
        expected.append(
            {"name": name, "contacts": {"nodes": [{"lastName": each} for each in people[:PAGE_SIZE]]}, "labels": [{"name": f"L{name}"}]}
        )
    return expected[:3]


async def test_page_with_relations_needs_no_transaction(server: RecordingServer, org: Tenant, sample_org: Tenant) -> None:
    """On the same connection another organization sees none of these rows."""
    expected = await add_clients(org, contacts=3)
    answer, statements = await ask_three_times(server, org, PAGE)
    assert answer == {"clients": {"nodes": expected}}
    assert statements == [[BEGIN, "one", "one", "one"], [*server.around, "batch"], [*server.around, "batch"]]
    theirs = await server.api_for(sample_org, Role.OWNER).data(PAGE)
    assert {each["name"] for each in theirs["clients"]["nodes"]}.isdisjoint({"A", "B", "C"})


async def test_object_with_relations_needs_no_transaction(server: RecordingServer, org: Tenant, sample_org: Tenant) -> None:
    """Another organization does not find the object."""
    client = await org.add_client("A")
    await org.add_contact("Bos", client)
    answer, statements = await ask_three_times(server, org, CLIENT_QUERY, id=global_id("Client", client))
    assert answer == {"node": {"name": "A", "contacts": {"nodes": [{"lastName": "Bos"}]}, "labels": []}}
    assert statements == [[BEGIN, "one", "one", "one"], [*server.around, "batch"], [*server.around, "batch"]]
    assert await server.api_for(sample_org, Role.OWNER).data(CLIENT_QUERY, id=global_id("Client", client)) == {"node": None}


async def test_more_statements_are_read_in_a_transaction(server: RecordingServer, org: Tenant) -> None:
    """Too many contacts need a second statement. Once that is known, the operation begins a transaction at once."""
    expected = await add_clients(org, contacts=4 * EXPECTED_LINKS)
    answer, statements = await ask_three_times(server, org, PAGE)
    assert answer == {"clients": {"nodes": expected}}
    # Outside a transaction, the second request tries the combined statement alone, and starts again with a transaction.
    again = [BEGIN, "batch", "each"]
    assert statements[1:] == [again if server.around else ["batch", *again], again]


async def test_relation_without_permission_is_not_prefetched(server: RecordingServer, org: Tenant) -> None:
    """The viewer may not see figures, so the server cannot know that one statement is enough and reads in a transaction."""
    client = await org.add_client("A")
    await org.add_label("L", client)
    query = "{ clients { nodes { labels { name } revenue { since } } } }"
    answer, statements = await ask_three_times(server, org, query, Role.VIEWER)
    assert answer == {"clients": {"nodes": [{"labels": [{"name": "L"}], "revenue": None}]}}
    assert statements[1:] == [[BEGIN, "batch"]] * 2


async def test_page_without_rows_is_empty(server: RecordingServer, org: Tenant) -> None:
    answer, _ = await ask_three_times(server, org, PAGE)
    assert answer == {"clients": {"nodes": []}}


async def test_relations_of_a_backward_page_belong_to_its_rows(server: RecordingServer, org: Tenant) -> None:
    await add_clients(org, contacts=1)
    answer, _ = await ask_three_times(server, org, "{ clients(last: 2) { nodes { name labels { name } } } }")
    assert answer == {"clients": {"nodes": [{"name": name, "labels": [{"name": f"L{name}"}]} for name in "CD"]}}


async def test_failing_relation_leaves_the_others_intact(server: RecordingServer, org: Tenant, owner: asyncpg.Connection) -> None:
    """The combined statement fails as a whole. The server then reads each relation separately."""
    expected = await add_clients(org, contacts=1)
    await ask_three_times(server, org, PAGE)
    await owner.execute(f"REVOKE SELECT ON relaties.contact FROM {RUNTIME}")
    try:
        body = await server.api_for(org, Role.OWNER).execute(PAGE)
    finally:
        await owner.execute(f"GRANT SELECT ON relaties.contact TO {RUNTIME}")
    assert body["data"] == {"clients": {"nodes": [{**each, "contacts": None} for each in expected]}}
    assert [error["path"] for error in body["errors"]] == [["clients", "nodes", index, "contacts"] for index in range(3)]
    assert await server.api_for(org, Role.OWNER).data(PAGE) == {"clients": {"nodes": expected}}

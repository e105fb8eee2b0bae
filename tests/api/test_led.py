"""A page and all that is asked of its rows: one statement outside a transaction, and what comes where that is not all."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import asyncpg
import pytest
import strawberry

from db.engine.database import Database, DatabaseLimits
from db.queries.contacts import EXPECTED_LINKS
from db.tables import Role
from tests.api.test_nested_query import answering
from tests.ask import Api, connected
from tests.builders import Tenant
from tests.conftest import RUNTIME, runtime_url
from tests.ids import global_id
from tests.plans import OF_TABLES

FIRST = 2
PAGE = f"{{ clients(first: 3) {{ nodes {{ name contacts(first: {FIRST}) {{ nodes {{ lastName }} }} labels {{ name }} }} }} }}"
ONE = "query ($id: ID!) { node(id: $id) { ... on Client { name contacts { nodes { lastName } } labels { name } } } }"
BEGIN = "BEGIN"


class Server(NamedTuple):
    """A server, what it sends, and what it sends before a batch."""

    asks: Callable[[Tenant, Role], Api]
    sent: list[str]
    around: list[str]


@pytest.fixture(params=[False, True], ids=["session", "transaction"])
async def server(request: pytest.FixtureRequest, owner_url: str, schema: strawberry.Schema) -> AsyncIterator[Server]:
    """Nobody asked it anything before; and what it sends on its only connection."""
    sent: list[str] = []
    database = await Database.connect(
        runtime_url(owner_url), DatabaseLimits(read_pool_size=1), always_in_transaction=bool(request.param), on_statement=sent.append
    )
    async with connected(schema, database) as http:
        yield Server(lambda tenant, role: Api(http, tenant.tokens[role]), sent, [BEGIN] if request.param else [])
    await database.close()


def shown(sent: list[str]) -> list[str]:
    """Which statements there were, of those that answer and those around them."""
    kinds = []
    for each in sent:
        if each.startswith(BEGIN):
            kinds.append(BEGIN)
        elif each in answering([each]) and OF_TABLES in each:
            kinds.append("batch" if each.startswith("WITH leader") else "each" if "JOIN LATERAL" in each else "one")
    return kinds


async def three_times(
    server: Server, org: Tenant, query: str, role: Role = Role.OWNER, **variables: object
) -> tuple[object, list[list[str]]]:
    """The answer, which is the same three times, and what was sent each time: what was never asked before is asked one by one."""
    answers: list[object] = []
    found: list[list[str]] = []
    for _ in range(3):
        server.sent.clear()
        answers.append(await server.asks(org, role).data(query, **variables))
        found.append(shown(server.sent))
    assert answers[0] == answers[1] == answers[2]
    return answers[0], found


async def add_clients(org: Tenant, contacts: int) -> list[dict[str, object]]:
    """One with so many contacts, and three with a label; how the first page shows them."""
    expected: list[dict[str, object]] = []
    for name, count in (("A", contacts), ("B", 0), ("C", 1), ("D", 1)):
        client = await org.add_client(name)
        await org.add_label(f"L{name}", client)
        people = [f"{place:03}" for place in range(count)]
        for place, person in enumerate(people):
            await org.add_contact(person, client, position=place)
        expected.append(
            {"name": name, "contacts": {"nodes": [{"lastName": each} for each in people[:FIRST]]}, "labels": [{"name": f"L{name}"}]}
        )
    return expected[:3]


async def test_all_that_is_asked_of_a_page_needs_no_transaction(server: Server, org: Tenant, crowded: Tenant) -> None:
    """And is of its organization alone, on the same connection."""
    expected = await add_clients(org, contacts=3)
    answer, sent = await three_times(server, org, PAGE)
    assert answer == {"clients": {"nodes": expected}}
    assert sent == [[BEGIN, "one", "one", "one"], [*server.around, "batch"], [*server.around, "batch"]]
    theirs = await server.asks(crowded, Role.OWNER).data(PAGE)
    assert {each["name"] for each in theirs["clients"]["nodes"]}.isdisjoint({"A", "B", "C"})


async def test_all_that_is_asked_of_an_object_needs_no_transaction(server: Server, org: Tenant, crowded: Tenant) -> None:
    """Another organization's is not there."""
    client = await org.add_client("A")
    await org.add_contact("Bos", client)
    answer, sent = await three_times(server, org, ONE, id=global_id("Client", client))
    assert answer == {"node": {"name": "A", "contacts": {"nodes": [{"lastName": "Bos"}]}, "labels": []}}
    assert sent == [[BEGIN, "one", "one", "one"], [*server.around, "batch"], [*server.around, "batch"]]
    assert await server.asks(crowded, Role.OWNER).data(ONE, id=global_id("Client", client)) == {"node": None}


async def test_what_turns_out_to_need_more_is_read_in_a_transaction(server: Server, org: Tenant) -> None:
    """Contacts that are too many to be read together: the first time from the beginning, then at once."""
    expected = await add_clients(org, contacts=4 * EXPECTED_LINKS)
    answer, sent = await three_times(server, org, PAGE)
    assert answer == {"clients": {"nodes": expected}}
    again = [BEGIN, "batch", "each"]
    assert sent[1:] == [again if server.around else ["batch", *again], again]


async def test_a_relation_that_is_not_asked_is_not_led(server: Server, org: Tenant) -> None:
    """Figures of somebody who may not see them: then it is not known that this is all, and read in a transaction."""
    client = await org.add_client("A")
    await org.add_label("L", client)
    query = "{ clients { nodes { labels { name } revenue { since } } } }"
    answer, sent = await three_times(server, org, query, Role.VIEWER)
    assert answer == {"clients": {"nodes": [{"labels": [{"name": "L"}], "revenue": None}]}}
    assert sent[1:] == [[BEGIN, "batch"]] * 2


async def test_a_page_without_rows_has_nothing(server: Server, org: Tenant) -> None:
    answer, _ = await three_times(server, org, PAGE)
    assert answer == {"clients": {"nodes": []}}


async def test_relations_of_a_page_read_backwards_are_those_of_its_rows(server: Server, org: Tenant) -> None:
    await add_clients(org, contacts=1)
    answer, _ = await three_times(server, org, "{ clients(last: 2) { nodes { name labels { name } } } }")
    assert answer == {"clients": {"nodes": [{"name": name, "labels": [{"name": f"L{name}"}]} for name in "CD"]}}


async def test_a_part_that_fails_leaves_the_others_whole(server: Server, org: Tenant, owner: asyncpg.Connection) -> None:
    """The whole statement fails; then each is asked by itself."""
    expected = await add_clients(org, contacts=1)
    await three_times(server, org, PAGE)
    await owner.execute(f"REVOKE SELECT ON relaties.contact FROM {RUNTIME}")
    try:
        body = await server.asks(org, Role.OWNER).ask(PAGE)
    finally:
        await owner.execute(f"GRANT SELECT ON relaties.contact TO {RUNTIME}")
    assert body["data"] == {"clients": {"nodes": [{**each, "contacts": None} for each in expected]}}
    assert [error["path"] for error in body["errors"]] == [["clients", "nodes", place, "contacts"] for place in range(3)]
    assert await server.asks(org, Role.OWNER).data(PAGE) == {"clients": {"nodes": expected}}

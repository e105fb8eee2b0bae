"""Test lists of registrations (all, of a client, of a project): filters, order and pages in both directions."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from db.tables import Role
from db.tables.keys import new_id
from domain.organization.tokens import new_secret
from tests.support.api import Api
from tests.support.builders import Tenant, add_token, create_tenant
from tests.support.ids import global_id
from tests.support.registrations import ApiFor, client_id, project_id

PAGE = """{ totalCount nodes { note } edges { cursor }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"""
PAGE_ARGUMENTS = "filter: $filter, first: $first, after: $after, last: $last, before: $before"
HEAD = "($id: ID!, $filter: RegistrationFilterInput, $first: Int, $after: String, $last: Int, $before: String)"
QUERIES: dict[str, str] = {
    "client": f"query {HEAD} {{ of: client(by: {{id: $id}}) {{ registrations({PAGE_ARGUMENTS}) {PAGE} }} }}",
    "project": f"query {HEAD} {{ of: node(id: $id) {{ ... on Project {{ registrations({PAGE_ARGUMENTS}) {PAGE} }} }} }}",
    "all": f"query {HEAD.replace('$id: ID!, ', '')} {{ registrations({PAGE_ARGUMENTS}) {PAGE} }}",
}
SIDES = st.sampled_from(["client", "project", "all"])


async def fetch_page(api: Api, parent: str, key: str, **arguments: object) -> dict[str, Any]:
    data = await api.data(QUERIES[parent], **arguments, **({} if parent == "all" else {"id": key}))
    connection: dict[str, Any] = (data if parent == "all" else data["of"])["registrations"]
    return connection


def list_notes(connection: dict[str, Any]) -> list[str]:
    return [node["note"] for node in connection["nodes"]]


class RegistrationWorld:
    """Client with a project, and another client."""

    def __init__(self, org: Tenant, client: UUID, project: UUID, other: UUID) -> None:
        self.org, self.client, self.project, self.other = org, client, project, other
        self.ids = {"client": client_id(client), "project": project_id(project), "all": ""}

    @classmethod
    async def create(cls, org: Tenant) -> "RegistrationWorld":
        client = await org.add_client("A")
        return cls(org, client, await org.add_project(client), await org.add_client("B"))

    async def add(self, note: str, day: date, *, client: bool = True, project: bool = False, **more: object) -> UUID:
        client_key = self.client if client else self.other
        return await self.org.add_registration(client_key, self.project if project else None, note=note, registered_on=day, **more)


async def test_registrations_are_sorted_by_newest_day(api_for: ApiFor, org: Tenant) -> None:
    """Those of one day are sorted by creation, newest first. A client's list includes those of its projects."""
    world = await RegistrationWorld.create(org)
    await world.add("a", date(2026, 1, 2))
    await world.add("b", date(2026, 1, 5), project=True)
    await world.add("c", date(2026, 1, 2), project=True)
    await world.add("d", date(2025, 12, 31))
    await world.add("e", date(2026, 1, 3), client=False)
    for parent, expected in (("client", "bcad"), ("project", "bc"), ("all", "becad")):
        connection = await fetch_page(api_for(org, Role.VIEWER), parent, world.ids[parent])
        assert (list_notes(connection), connection["totalCount"]) == ([*expected], len(expected))
    both = "{ clients { nodes { registrations(first: 1) { totalCount nodes { note } } } } }"
    assert (await api_for(org).data(both))["clients"]["nodes"] == [
        {"registrations": {"totalCount": 4, "nodes": [{"note": "b"}]}}, {"registrations": {"totalCount": 1, "nodes": [{"note": "e"}]}},
    ]  # fmt: skip


async def test_registrations_are_filtered(api_for: ApiFor, org: Tenant) -> None:
    """All conditions of a filter must match, for the page and for the total. Each alias has its own filter."""
    world, api = await RegistrationWorld.create(org), api_for(org)
    viewer = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'VIEWER'", org.id)
    trip: dict[str, Any] = {"kind": "MILEAGE", "minutes": None, "distance_km": 5}
    await world.add("a", date(2026, 1, 1), project=True, status="PENDING", is_billable=False)
    await world.add("b", date(2026, 1, 2), project=True, member_id=viewer)
    await world.add("c", date(2026, 1, 3), project=True, **trip)
    await world.add("d", date(2026, 1, 4), project=True, status="PENDING")
    tries: list[tuple[dict[str, object], str]] = [
        ({}, "dcba"),
        ({"kind": "MILEAGE"}, "c"),
        ({"status": "PENDING"}, "da"),
        ({"isBillable": False}, "a"),
        ({"isBillable": True}, "dcb"),
        ({"period": {"since": "2026-01-02", "until": "2026-01-03"}}, "cb"),
        ({"period": {"since": "2026-01-03"}}, "dc"),
        ({"period": {"until": "2026-01-01"}}, "a"),
        ({"memberId": global_id("Member", viewer)}, "b"),
        ({"memberId": global_id("Member", new_id())}, ""),
        ({"memberId": global_id("Client", world.client)}, ""),
        ({"kind": "TIME", "status": "PENDING", "isBillable": True, "period": {"since": "2026-01-01"}}, "d"),
    ]
    for parent in ("client", "project", "all"):
        for filter_, expected in tries:
            connection = await fetch_page(api, parent, world.ids[parent], filter=filter_)
            assert (list_notes(connection), connection["totalCount"]) == ([*expected], len(expected))
    each = "{ a: registrations(filter: {kind: TIME}) { totalCount } b: registrations(filter: {kind: MILEAGE}) { totalCount } }"
    query = f"query ($id: ID!) {{ client(by: {{id: $id}}) {each} }}"
    assert (await api.data(query, id=world.ids["client"]))["client"] == {"a": {"totalCount": 3}, "b": {"totalCount": 1}}
    backwards = {"since": "2026-02-01", "until": "2026-01-01"}
    body = await api.execute(QUERIES["all"], filter={"period": backwards})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


@settings(max_examples=15)
@given(days=st.lists(st.integers(0, 3), max_size=9), size=st.integers(1, 4), is_forward=st.booleans(), parent=SIDES)
async def test_pages_contain_every_registration_once(
    owner: asyncpg.Connection, api_for: Callable[..., Api], days: list[int], size: int, parent: str, *, is_forward: bool
) -> None:
    """This holds in both directions, also if many registrations have the same day."""
    world, api = await RegistrationWorld.create(await create_tenant(owner)), None
    for index, day in enumerate(days):
        await world.add(f"{index}", date(2026, 1, 1) + timedelta(days=day), project=True)
    api = api_for(world.org)
    all_notes, cursor, has_more = list[str](), None, True
    while has_more:
        arguments = {"first": size, "after": cursor} if is_forward else {"last": size, "before": cursor}
        connection = await fetch_page(api, parent, world.ids[parent], **arguments)
        info = connection["pageInfo"]
        all_notes = [*all_notes, *list_notes(connection)] if is_forward else [*list_notes(connection), *all_notes]
        cursor, has_more = (info["endCursor"], info["hasNextPage"]) if is_forward else (info["startCursor"], info["hasPreviousPage"])
        assert connection["totalCount"] == len(days)
    assert all_notes == [str(index) for _, index in sorted(((day, index) for index, day in enumerate(days)), reverse=True)]


async def test_cursor_of_another_list_is_rejected(api_for: ApiFor, org: Tenant) -> None:
    """The cursor comes from the client's projects, which are sorted differently."""
    world = await RegistrationWorld.create(org)
    await world.add("a", date(2026, 1, 1), project=True)
    query = "query ($id: ID!) { client(by: {id: $id}) { projects { pageInfo { endCursor } } } }"
    cursor = (await api_for(org).data(query, id=world.ids["client"]))["client"]["projects"]["pageInfo"]["endCursor"]
    for parent, text in QUERIES.items():
        body = await api_for(org).execute(text, **({} if parent == "all" else {"id": world.ids[parent]}), after=cursor)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


async def test_registrations_of_50_clients_take_three_statements(api_for: ApiFor, sample_org: Tenant, statements: list[str]) -> None:
    """They include figures, labels, members, projects and totals. The number of statements does not depend on the number of clients."""
    project = "project { name registrations(first: 1) { totalCount } }"
    selection = f"nodes {{ labels {{ name }} member {{ name }} {project} financial {{ rateSource }} }} totalCount"
    query = f"query ($first: Int!) {{ clients(first: $first) {{ nodes {{ registrations(first: 5) {{ {selection} }} }} }} }}"
    for first in (1, 50):
        for _ in range(2):
            await api_for(sample_org).data(query, first=first)
        statements.clear()
        nodes = (await api_for(sample_org).data(query, first=first))["clients"]["nodes"]
        assert [node["registrations"]["totalCount"] for node in nodes] == [1] * first
        assert sum(statement.startswith("SELECT") and "token_actor" not in statement for statement in statements) == 3


async def test_token_without_permission_to_read_clients_cannot_read_registrations(api_for: ApiFor, org: Tenant) -> None:
    secret = new_secret()
    await add_token(org.owner, org.id, secret, role="OWNER", scope=["FINANCE_READ", "REGISTRATIONS_WRITE"])
    for query in ("{ registrations { totalCount } }", f'{{ registration(id: "{global_id("Registration", new_id())}") {{ id }} }}'):
        body = await Api(api_for(org).http, secret).execute(query)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]

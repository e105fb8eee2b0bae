"""Lists of registrations: of all, of a client, of a project; filtered, page by page both ways, by the newest day."""

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
from tests.ask import Api
from tests.builders import Tenant, add_token, tenant
from tests.ids import global_id
from tests.registering import As, client_id, project_id

PAGE = """{ totalCount nodes { note } edges { cursor }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"""
GIVEN = "filter: $filter, first: $first, after: $after, last: $last, before: $before"
HEAD = "($id: ID!, $filter: RegistrationFilterInput, $first: Int, $after: String, $last: Int, $before: String)"
OF: dict[str, str] = {
    "client": f"query {HEAD} {{ of: client(by: {{id: $id}}) {{ registrations({GIVEN}) {PAGE} }} }}",
    "project": f"query {HEAD} {{ of: node(id: $id) {{ ... on Project {{ registrations({GIVEN}) {PAGE} }} }} }}",
    "all": f"query {HEAD.replace('$id: ID!, ', '')} {{ registrations({GIVEN}) {PAGE} }}",
}
SIDES = st.sampled_from(["client", "project", "all"])


async def page(api: Api, of: str, key: str, **given: object) -> dict[str, Any]:
    data = await api.data(OF[of], **given, **({} if of == "all" else {"id": key}))
    found: dict[str, Any] = (data if of == "all" else data["of"])["registrations"]
    return found


def notes(found: dict[str, Any]) -> list[str]:
    return [node["note"] for node in found["nodes"]]


class World:
    """A client with a project, and another client beside it."""

    def __init__(self, org: Tenant, client: UUID, project: UUID, other: UUID) -> None:
        self.org, self.client, self.project, self.other = org, client, project, other
        self.ids = {"client": client_id(client), "project": project_id(project), "all": ""}

    @classmethod
    async def of(cls, org: Tenant) -> "World":
        client = await org.add_client("A")
        return cls(org, client, await org.add_project(client), await org.add_client("B"))

    async def add(self, note: str, day: date, *, client: bool = True, project: bool = False, **more: object) -> UUID:
        of = self.client if client else self.other
        return await self.org.add_registration(of, self.project if project else None, note=note, registered_on=day, **more)


async def test_registrations_are_by_the_newest_day(as_: As, org: Tenant) -> None:
    """Of equal days the latest made first; a client's are those on its projects too; totals are of the same."""
    world = await World.of(org)
    await world.add("a", date(2026, 1, 2))
    await world.add("b", date(2026, 1, 5), project=True)
    await world.add("c", date(2026, 1, 2), project=True)
    await world.add("d", date(2025, 12, 31))
    await world.add("e", date(2026, 1, 3), client=False)
    for of, expected in (("client", "bcad"), ("project", "bc"), ("all", "becad")):
        found = await page(as_(org, Role.VIEWER), of, world.ids[of])
        assert (notes(found), found["totalCount"]) == ([*expected], len(expected))
    both = "{ clients { nodes { registrations(first: 1) { totalCount nodes { note } } } } }"
    assert (await as_(org).data(both))["clients"]["nodes"] == [
        {"registrations": {"totalCount": 4, "nodes": [{"note": "b"}]}}, {"registrations": {"totalCount": 1, "nodes": [{"note": "e"}]}},
    ]  # fmt: skip


async def test_registrations_are_filtered(as_: As, org: Tenant) -> None:
    """All that is given holds, for the page and for the total; one's own conditions under each alias."""
    world, api = await World.of(org), as_(org)
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
    for of in ("client", "project", "all"):
        for filter_, expected in tries:
            found = await page(api, of, world.ids[of], filter=filter_)
            assert (notes(found), found["totalCount"]) == ([*expected], len(expected))
    each = "{ a: registrations(filter: {kind: TIME}) { totalCount } b: registrations(filter: {kind: MILEAGE}) { totalCount } }"
    query = f"query ($id: ID!) {{ client(by: {{id: $id}}) {each} }}"
    assert (await api.data(query, id=world.ids["client"]))["client"] == {"a": {"totalCount": 3}, "b": {"totalCount": 1}}
    backwards = {"since": "2026-02-01", "until": "2026-01-01"}
    body = await api.ask(OF["all"], filter={"period": backwards})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


@settings(max_examples=15)
@given(days=st.lists(st.integers(0, 3), max_size=9), size=st.integers(1, 4), is_forward=st.booleans(), of=SIDES)
async def test_pages_have_every_registration_once(
    owner: asyncpg.Connection, as_: Callable[..., Api], days: list[int], size: int, of: str, *, is_forward: bool
) -> None:
    """Both ways, however many are of one day."""
    world, api = await World.of(await tenant(owner)), None
    for place, day in enumerate(days):
        await world.add(f"{place}", date(2026, 1, 1) + timedelta(days=day), project=True)
    api = as_(world.org)
    seen, cursor, has_more = list[str](), None, True
    while has_more:
        asked = {"first": size, "after": cursor} if is_forward else {"last": size, "before": cursor}
        found = await page(api, of, world.ids[of], **asked)
        info = found["pageInfo"]
        seen = [*seen, *notes(found)] if is_forward else [*notes(found), *seen]
        cursor, has_more = (info["endCursor"], info["hasNextPage"]) if is_forward else (info["startCursor"], info["hasPreviousPage"])
        assert found["totalCount"] == len(days)
    assert seen == [str(place) for _, place in sorted(((day, place) for place, day in enumerate(days)), reverse=True)]


async def test_a_cursor_of_another_order_is_refused(as_: As, org: Tenant) -> None:
    """A client's registrations are not in the order of its projects."""
    world = await World.of(org)
    await world.add("a", date(2026, 1, 1), project=True)
    query = "query ($id: ID!) { client(by: {id: $id}) { projects { pageInfo { endCursor } } } }"
    cursor = (await as_(org).data(query, id=world.ids["client"]))["client"]["projects"]["pageInfo"]["endCursor"]
    for of, asked in OF.items():
        body = await as_(org).ask(asked, **({} if of == "all" else {"id": world.ids[of]}), after=cursor)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


async def test_the_registrations_of_50_clients_are_one_statement(as_: As, crowded: Tenant, statements: list[str]) -> None:
    """With their figures, labels, members, projects and totals: a round trip for each level, whatever the number."""
    project = "project { name registrations(first: 1) { totalCount } }"
    shown = f"nodes {{ labels {{ name }} member {{ name }} {project} financial {{ rateSource }} }} totalCount"
    query = f"query ($first: Int!) {{ clients(first: $first) {{ nodes {{ registrations(first: 5) {{ {shown} }} }} }} }}"
    for first in (1, 50):
        for _ in range(2):
            await as_(crowded).data(query, first=first)
        statements.clear()
        found = (await as_(crowded).data(query, first=first))["clients"]["nodes"]
        assert [node["registrations"]["totalCount"] for node in found] == [1] * first
        assert sum(sent.startswith("SELECT") and "token_actor" not in sent for sent in statements) == 3


async def test_registrations_take_the_right_to_see_clients(as_: As, org: Tenant) -> None:
    """A token without it is told so."""
    secret = new_secret()
    await add_token(org.owner, org.id, secret, role="OWNER", scope=["FINANCE_READ", "REGISTRATIONS_WRITE"])
    for query in ("{ registrations { totalCount } }", f'{{ registration(id: "{global_id("Registration", new_id())}") {{ id }} }}'):
        body = await Api(as_(org).http, secret).ask(query)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]

"""Projects: made, changed and listed."""

from collections.abc import Callable
from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from tests.api.test_nested_query import answering
from tests.ask import Api
from tests.builders import EARLY, Tenant, tenant
from tests.changing import change, everything, forbidden, refusal, refusals, traced
from tests.ids import global_id, key_of

SHOWN = """project { id name code startsOn endsOn invoiceMethod invoiceReference archivedAt isArchived isArchivedWithClient version
  client { name } financial { currency hourlyRate { amount } fixedPrice { amount } effectiveHourlyRate { amount currency } } }"""
PRICES = "project { id version financial { hourlyRate { amount } fixedPrice { amount } effectiveHourlyRate { amount currency } } }"
MADE: dict[str, object] = {
    "name": "Verhuizing", "code": "V-1", "startsOn": "2026-01-01", "endsOn": "2026-12-31", "invoiceReference": "PO 12",
}  # fmt: skip

OTHERS: dict[str, dict[str, object]] = {
    "projectUpdate": {"name": "Anders"},
    "projectArchive": {},
    "projectUnarchive": {},
    "projectDelete": {},
}


async def test_s24_a_new_project_has_the_clients_price(as_: Callable[..., Api], org: Tenant) -> None:
    """Without being told: its hours cost what the client's do, now and after that changes; a price of its own wins."""
    api, client = as_(org, Role.FINANCE), await org.add_client("Bakker", default_hourly_rate=95, currency="USD")
    made = await change(api, "projectCreate", SHOWN, clientId=global_id("Client", client), **MADE)
    plain = {"isArchived": False, "archivedAt": None, "isArchivedWithClient": False, "client": {"name": "Bakker"}, "version": 1}
    own = {"currency": "USD", "hourlyRate": None, "fixedPrice": None}
    rate = {"effectiveHourlyRate": {"amount": "95.0000", "currency": "USD"}}
    assert made == {"id": made["id"], **MADE, "invoiceMethod": "CLIENT_HOURLY", **plain, "financial": own | rate}
    settings = {"id": global_id("Client", client), "expectedVersion": 1, "financial": {"defaultHourlyRate": "97.50"}}
    await change(api, "clientUpdate", "client { id }", **settings)
    found = (await api.data(f"query ($id: ID!) {{ {SHOWN.replace('project {', 'project(id: $id) {')} }}", id=made["id"]))["project"]
    assert found == {**made, "financial": own | {"effectiveHourlyRate": {"amount": "97.5000", "currency": "USD"}}}
    given = {"invoiceMethod": "PROJECT_HOURLY", "financial": {"hourlyRate": "120"}}
    found = await change(api, "projectUpdate", PRICES, id=made["id"], expectedVersion=1, **given)
    assert found["financial"]["effectiveHourlyRate"] == {"amount": "120.0000", "currency": "USD"}


@pytest.mark.parametrize(
    ("method", "price", "of_client", "effective"),
    [
        ("CLIENT_HOURLY", "120.00", 95, "95.0000"),
        ("CLIENT_HOURLY", "120.00", None, None),
        ("PROJECT_HOURLY", "120.00", 95, "120.0000"),
        ("PROJECT_HOURLY", "0", 95, "0.0000"),
        ("PROJECT_HOURLY", None, 95, "95.0000"),
        ("PROJECT_HOURLY", None, None, None),
        ("PROJECT_FIXED", "120.00", 95, None),
        ("NONE", "120.00", 95, None),
    ],
)
async def test_s24_what_an_hour_costs_goes_by_the_method(
    as_: Callable[..., Api], org: Tenant, method: str, price: str | None, of_client: int | None, effective: str | None
) -> None:
    """The project's own price or the client's; a price of another method is kept and not used. In the organization's currency."""
    client = await org.add_client("Bakker", default_hourly_rate=of_client)
    given = {"clientId": global_id("Client", client), "name": "P", "invoiceMethod": method}
    prices = {"hourlyRate": price, "fixedPrice": "5000"}
    found = (await change(as_(org, Role.FINANCE), "projectCreate", PRICES, **given, financial=prices))["financial"]
    assert found["effectiveHourlyRate"] == (effective and {"amount": effective, "currency": "EUR"})
    assert (found["hourlyRate"] is None, found["fixedPrice"]) == (price is None, {"amount": "5000.00"})


async def test_s28_a_client_that_was_just_made_has_projects(as_: Callable[..., Api], org: Tenant) -> None:
    """In one request: the client, and what is read of it after."""
    client = await change(as_(org, Role.MEMBER), "clientCreate", "client { id }", name="Nieuw")
    shown = "project { client { projects { totalCount nodes { name } } } }"
    found = await change(as_(org, Role.MEMBER), "projectCreate", shown, clientId=client["id"], name="Eerste")
    assert found == {"client": {"projects": {"totalCount": 1, "nodes": [{"name": "Eerste"}]}}}


async def test_a_project_is_changed_and_the_rest_stays(as_: Callable[..., Api], org: Tenant) -> None:
    """One version on for the fields and the prices together; null clears; the second time nothing is other than it was."""
    api = as_(org, Role.FINANCE)
    project = await org.add_project(await org.add_client("A"), code="X", hourly_rate=80, fixed_price=900)
    same = {"id": global_id("Project", project), "code": None, "financial": {"hourlyRate": "85.25", "fixedPrice": None}}
    changed = await change(api, "projectUpdate", SHOWN, expectedVersion=1, name=" Nieuwe naam ", **same)
    assert (changed["name"], changed["code"], changed["version"]) == ("Nieuwe naam", None, 2)
    assert (changed["financial"]["hourlyRate"], changed["financial"]["fixedPrice"]) == ({"amount": "85.2500"}, None)
    before = await everything(org)
    assert await change(api, "projectUpdate", SHOWN, expectedVersion=2, name="Nieuwe naam", **same) == changed
    assert await everything(org) == before
    assert await traced(org, project) == [
        (
            "projectUpdate",
            "CHANGED",
            {"name": ["Project", "Nieuwe naam"], "code": ["X", None], "hourly_rate": ["80", "85.25"], "fixed_price": ["900", None]},
        )
    ]
    stale = await refusal(api, "projectUpdate", expectedVersion=1, **same)
    assert (stale["code"], stale["path"], stale["currentVersion"]) == ("VERSION_CONFLICT", ["expectedVersion"], 2)


async def test_every_fault_of_a_new_project_is_told_at_once(as_: Callable[..., Api], org: Tenant) -> None:
    """Each at its path, and nothing is made."""
    before = await everything(org)
    wrong = {"name": " ", "code": "x" * 51, "invoiceReference": "x" * 101, "financial": {"hourlyRate": "-1", "fixedPrice": "1.001"}}
    found = await refusals(as_(org, Role.FINANCE), "projectCreate", clientId=global_id("Client", new_id()), **wrong)
    assert [(error["code"], error["path"]) for error in found] == [
        ("INVALID", ["name"]),
        ("INVALID", ["code"]),
        ("INVALID", ["invoiceReference"]),
        ("INVALID", ["financial", "hourlyRate"]),
        ("INVALID", ["financial", "fixedPrice"]),
        ("NOT_FOUND", ["clientId"]),
    ]
    assert await everything(org) == before


async def test_a_project_does_not_end_before_it_begins(as_: Callable[..., Api], org: Tenant) -> None:
    """Said of the day that was given, with what is there; one day is long enough; nothing changes when it is refused."""
    api, client = as_(org), global_id("Client", await org.add_client("A"))
    days = {"startsOn": "2026-02-01", "endsOn": "2026-01-31"}
    before = await everything(org)
    found = await refusal(api, "projectCreate", clientId=client, name="P", **days)
    assert (found["code"], found["path"]) == ("INVALID", ["endsOn"])
    assert found["message"] == "The last day, 2026-01-31, is before the first, 2026-02-01. Take a later last day, or an earlier first."
    assert await everything(org) == before
    made = await change(api, "projectCreate", SHOWN, clientId=client, name="P", startsOn="2026-02-01", endsOn="2026-02-01")
    before, same = await everything(org), {"id": made["id"], "expectedVersion": 1}
    assert (await refusal(api, "projectUpdate", **same, endsOn="2026-01-31"))["path"] == ["endsOn"]
    assert (await refusal(api, "projectUpdate", **same, startsOn="2026-02-02"))["path"] == ["startsOn"]
    assert await everything(org) == before
    both = await change(api, "projectUpdate", SHOWN, **same, startsOn="2026-01-01", endsOn="2026-01-31")
    assert (both["startsOn"], both["endsOn"], both["version"]) == ("2026-01-01", "2026-01-31", 2)


async def test_projects_are_listed_all_or_by_kind(as_: Callable[..., Api], org: Tenant) -> None:
    """The newest first, page by page, each with its own total, for several clients and kinds in one request."""
    clients = [await org.add_client(name) for name in "AB"]
    for number in range(5):
        await org.add_project(clients[0], f"P{number}", archived_at=EARLY if number % 2 else None)
    await org.add_project(clients[1], "Q")
    page = "totalCount nodes { name } pageInfo { hasNextPage endCursor }"
    query = f"""query ($first: Int, $after: String) {{ clients {{ nodes {{ all: projects(first: $first) {{ {page} }}
      active: projects(isArchived: false, first: $first, after: $after) {{ {page} }}
      archived: projects(isArchived: true, first: $first) {{ {page} }} }} }} }}"""

    async def listed(**variables: object) -> tuple[Any, Any]:
        found = (await as_(org, Role.VIEWER).data(query, first=2, **variables))["clients"]["nodes"]
        return [{kind: each["totalCount"] for kind, each in of.items()} for of in found], [
            {kind: [node["name"] for node in each["nodes"]] for kind, each in of.items()} for of in found
        ]

    totals, names = await listed()
    assert totals == [{"all": 5, "active": 3, "archived": 2}, {"all": 1, "active": 1, "archived": 0}]
    first = {"all": ["P4", "P3"], "active": ["P4", "P2"], "archived": ["P3", "P1"]}
    assert names == [first, {"all": ["Q"], "active": ["Q"], "archived": []}]
    end = (await as_(org).data(query, first=2))["clients"]["nodes"][0]["active"]["pageInfo"]["endCursor"]
    _, (rest, _) = await listed(after=end)
    assert rest["active"] == ["P0"]


async def test_projects_of_many_clients_take_one_statement_a_level(as_: Callable[..., Api], org: Tenant, statements: list[str]) -> None:
    """However many clients there are: those of both kinds, their totals, then the prices with the clients of all of them."""
    for name in "ABCDE":
        await org.add_project(await org.add_client(name))
    asked_ = "totalCount nodes { name client { name } financial { effectiveHourlyRate { amount } } }"
    query = f"{{ clients {{ nodes {{ all: projects {{ {asked_} }} active: projects(isArchived: false) {{ {asked_} }} }} }} }}"
    for _ in range(3):
        statements.clear()
        found = (await as_(org).data(query))["clients"]["nodes"]
        assert [len(of[kind]["nodes"]) for of in found for kind in ("all", "active")] == [1] * 10
    assert len(answering(statements)) == 3


async def test_who_may_not_write_changes_no_project(as_: Callable[..., Api], org: Tenant) -> None:
    """A viewer none, a member no prices; who may not see figures sees none. Nothing changes."""
    client = await org.add_client("A", default_hourly_rate=95)
    project = await org.add_project(client, hourly_rate=80)
    same: dict[str, object] = {"id": global_id("Project", project), "expectedVersion": 1}
    new: dict[str, object] = {"clientId": global_id("Client", client), "name": "P"}
    tries: list[tuple[str, dict[str, object]]] = [("projectCreate", new), *((name, {**same, **more}) for name, more in OTHERS.items())]
    before = await everything(org)
    for mutation, given in tries:
        assert await forbidden(as_(org, Role.VIEWER), mutation, **given)
    several: list[dict[str, object]] = [{}, {"hourlyRate": "1"}]
    for prices in several:
        assert await forbidden(as_(org, Role.MEMBER), "projectCreate", **new, financial=prices)
        assert await forbidden(as_(org, Role.MEMBER), "projectUpdate", **same, financial=prices)
    assert await everything(org) == before
    made = await change(as_(org, Role.MEMBER), "projectCreate", SHOWN, **new)
    assert (made["name"], made["financial"]) == ("P", None)


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.FINANCE, Role.MEMBER])
async def test_who_may_write_changes_projects(as_: Callable[..., Api], org: Tenant, role: Role) -> None:
    """Each of the five, without prices."""
    api = as_(org, role)
    made = await change(api, "projectCreate", SHOWN, clientId=global_id("Client", await org.add_client("A")), name="P")
    for version, (mutation, more) in enumerate(OTHERS.items(), 1):
        shown = "deletedId" if mutation == "projectDelete" else "project { id }"
        await change(api, mutation, shown, id=made["id"], expectedVersion=version, **more)
    operations = [(operation, action) for operation, action, _ in await traced(org, key_of(made["id"]))]
    changed = [(name, "CHANGED") for name in ("projectUpdate", "projectArchive", "projectUnarchive")]
    assert operations == [("projectCreate", "CREATED"), *changed, ("projectDelete", "REMOVED")]


async def test_the_clients_activity_tells_of_its_projects(as_: Callable[..., Api], org: Tenant) -> None:
    """Also once the project is gone; its prices to those alone who may see figures."""
    client = global_id("Client", await org.add_client("A"))
    given = {"name": "P", "invoiceMethod": "PROJECT_HOURLY", "financial": {"hourlyRate": "90", "fixedPrice": "10"}}
    made = await change(as_(org), "projectCreate", SHOWN, clientId=client, **given)
    await change(as_(org), "projectUpdate", SHOWN, id=made["id"], expectedVersion=1, name="Q", financial={"hourlyRate": "91"})
    await change(as_(org), "projectDelete", "deletedId", id=made["id"], expectedVersion=2)
    event = "nodes { operation action objectType objectId changes { field from to } }"
    query = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ activity {{ {event} }} }} }}"
    gone, changed, created = (await as_(org, Role.FINANCE).data(query, id=client))["client"]["activity"]["nodes"]
    about = {"objectType": "Project", "objectId": made["id"]}
    steps = [("clientId", client), ("fixedPrice", "10"), ("hourlyRate", "90"), ("invoiceMethod", "PROJECT_HOURLY"), ("name", "P")]
    told = [{"field": name, "from": None, "to": now} for name, now in steps]
    assert created == {"operation": "projectCreate", "action": "CREATED", **about, "changes": told}
    name, rate = {"field": "name", "from": "P", "to": "Q"}, {"field": "hourlyRate", "from": "90", "to": "91"}
    assert changed == {"operation": "projectUpdate", "action": "CHANGED", **about, "changes": [rate, name]}
    assert (gone["operation"], gone["action"], gone["objectId"], len(gone["changes"])) == ("projectDelete", "REMOVED", made["id"], 5)
    less = (await as_(org, Role.VIEWER).data(query, id=client))["client"]["activity"]["nodes"]
    assert [[each["field"] for each in event["changes"]] for event in less] == [
        ["clientId", "invoiceMethod", "name"],
        ["name"],
        ["clientId", "invoiceMethod", "name"],
    ]


async def test_what_is_another_organizations_is_not_found(as_: Callable[..., Api], org: Tenant) -> None:
    """The same as what never was; theirs stays as it is."""
    other = await tenant(org.owner, "Other")
    client = await other.add_client("Van hen")
    project = await other.add_project(client)
    before = await everything(other), await everything(org)
    for mutation, more in OTHERS.items():
        theirs, nobodys = [
            await refusal(as_(org), mutation, id=global_id("Project", key), expectedVersion=1, **more) for key in (project, new_id())
        ]
        assert theirs == nobodys
        assert (theirs["code"], theirs["path"], theirs["message"]) == (
            "NOT_FOUND",
            ["id"],
            "There is no such project. Look it up again: it may be gone.",
        )
    found = await refusal(as_(org), "projectCreate", clientId=global_id("Client", client), name="P")
    assert (found["code"], found["path"]) == ("NOT_FOUND", ["clientId"])
    for key in (global_id("Project", project), global_id("Client", project)):
        assert await as_(org).data("query ($id: ID!) { project(id: $id) { id } }", id=key) == {"project": None}
    assert (await everything(other), await everything(org)) == before

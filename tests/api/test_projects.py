"""Test projects: creating, updating and listing them."""

from collections.abc import Callable
from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant, create_tenant
from tests.support.ids import decode_key, global_id
from tests.support.mutations import dump_rows, fetch_audit_events, fetch_error, fetch_errors, is_forbidden, mutate
from tests.support.projects import PROJECT_FIELDS, UPDATE_INPUTS
from tests.support.queries import data_statements

PRICES = "project { id version financial { hourlyRate { amount } fixedPrice { amount } effectiveHourlyRate { amount currency } } }"
NEW_PROJECT: dict[str, object] = {
    "name": "Verhuizing", "code": "V-1", "startsOn": "2026-01-01", "endsOn": "2026-12-31", "invoiceReference": "PO 12",
}  # fmt: skip


async def test_s24_new_project_has_the_client_price(api_for: Callable[..., Api], org: Tenant) -> None:
    """By default its hours have the client's price, also after that price changes. The project's own price takes precedence."""
    api, client = api_for(org, Role.FINANCE), await org.add_client("Bakker", default_hourly_rate=95, currency="USD")
    project = await mutate(api, "projectCreate", PROJECT_FIELDS, clientId=global_id("Client", client), **NEW_PROJECT)
    plain = {"isArchived": False, "archivedAt": None, "isArchivedWithClient": False, "client": {"name": "Bakker"}, "version": 1}
    own = {"currency": "USD", "hourlyRate": None, "fixedPrice": None}
    rate = {"effectiveHourlyRate": {"amount": "95.0000", "currency": "USD"}}
    assert project == {"id": project["id"], **NEW_PROJECT, "invoiceMethod": "CLIENT_HOURLY", **plain, "financial": own | rate}
    settings = {"id": global_id("Client", client), "expectedVersion": 1, "financial": {"defaultHourlyRate": "97.50"}}
    await mutate(api, "clientUpdate", "client { id }", **settings)
    read_project = (
        await api.data(f"query ($id: ID!) {{ {PROJECT_FIELDS.replace('project {', 'project(id: $id) {')} }}", id=project["id"])
    )["project"]
    assert read_project == {**project, "financial": own | {"effectiveHourlyRate": {"amount": "97.5000", "currency": "USD"}}}
    arguments = {"invoiceMethod": "PROJECT_HOURLY", "financial": {"hourlyRate": "120"}}
    read_project = await mutate(api, "projectUpdate", PRICES, id=project["id"], expectedVersion=1, **arguments)
    assert read_project["financial"]["effectiveHourlyRate"] == {"amount": "120.0000", "currency": "USD"}


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
async def test_s24_hourly_price_depends_on_the_method(
    api_for: Callable[..., Api], org: Tenant, method: str, price: str | None, of_client: int | None, effective: str | None
) -> None:
    """A price that the method does not use is stored and ignored. Amounts are in the organization's currency."""
    client = await org.add_client("Bakker", default_hourly_rate=of_client)
    arguments = {"clientId": global_id("Client", client), "name": "P", "invoiceMethod": method}
    prices = {"hourlyRate": price, "fixedPrice": "5000"}
    financial = (await mutate(api_for(org, Role.FINANCE), "projectCreate", PRICES, **arguments, financial=prices))["financial"]
    assert financial["effectiveHourlyRate"] == (effective and {"amount": effective, "currency": "EUR"})
    assert (financial["hourlyRate"] is None, financial["fixedPrice"]) == (price is None, {"amount": "5000.00"})


async def test_s28_new_client_shows_its_first_project_at_once(api_for: Callable[..., Api], org: Tenant) -> None:
    client = await mutate(api_for(org, Role.MEMBER), "clientCreate", "client { id }", name="Nieuw")
    selection = "project { client { projects { totalCount nodes { name } } } }"
    project_data = await mutate(api_for(org, Role.MEMBER), "projectCreate", selection, clientId=client["id"], name="Eerste")
    assert project_data == {"client": {"projects": {"totalCount": 1, "nodes": [{"name": "Eerste"}]}}}


async def test_project_update_changes_only_given_fields(api_for: Callable[..., Api], org: Tenant) -> None:
    """Fields and prices share one new version, and null clears. A repeated update changes nothing."""
    api = api_for(org, Role.FINANCE)
    project = await org.add_project(await org.add_client("A"), code="X", hourly_rate=80, fixed_price=900)
    same = {"id": global_id("Project", project), "code": None, "financial": {"hourlyRate": "85.25", "fixedPrice": None}}
    changed = await mutate(api, "projectUpdate", PROJECT_FIELDS, expectedVersion=1, name=" Nieuwe naam ", **same)
    assert (changed["name"], changed["code"], changed["version"]) == ("Nieuwe naam", None, 2)
    assert (changed["financial"]["hourlyRate"], changed["financial"]["fixedPrice"]) == ({"amount": "85.2500"}, None)
    before = await dump_rows(org)
    assert await mutate(api, "projectUpdate", PROJECT_FIELDS, expectedVersion=2, name="Nieuwe naam", **same) == changed
    assert await dump_rows(org) == before
    assert await fetch_audit_events(org, project) == [
        (
            "projectUpdate",
            "CHANGED",
            {"name": ["Project", "Nieuwe naam"], "code": ["X", None], "hourly_rate": ["80", "85.25"], "fixed_price": ["900", None]},
        )
    ]
    stale = await fetch_error(api, "projectUpdate", expectedVersion=1, **same)
    assert (stale["code"], stale["path"], stale["currentVersion"]) == ("VERSION_CONFLICT", ["expectedVersion"], 2)


async def test_every_error_of_a_new_project_is_reported(api_for: Callable[..., Api], org: Tenant) -> None:
    """Each error has its path, and no project is created."""
    before = await dump_rows(org)
    wrong = {"name": " ", "code": "x" * 51, "invoiceReference": "x" * 101, "financial": {"hourlyRate": "-1", "fixedPrice": "1.001"}}
    errors = await fetch_errors(api_for(org, Role.FINANCE), "projectCreate", clientId=global_id("Client", new_id()), **wrong)
    assert [(error["code"], error["path"]) for error in errors] == [
        ("INVALID", ["name"]),
        ("INVALID", ["code"]),
        ("INVALID", ["invoiceReference"]),
        ("INVALID", ["financial", "hourlyRate"]),
        ("INVALID", ["financial", "fixedPrice"]),
        ("NOT_FOUND", ["clientId"]),
    ]
    assert await dump_rows(org) == before


async def test_project_cannot_end_before_it_begins(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error has the path of the given day. A project of one day is allowed. A rejected change changes nothing."""
    api, client = api_for(org), global_id("Client", await org.add_client("A"))
    days = {"startsOn": "2026-02-01", "endsOn": "2026-01-31"}
    before = await dump_rows(org)
    error = await fetch_error(api, "projectCreate", clientId=client, name="P", **days)
    assert (error["code"], error["path"]) == ("INVALID", ["endsOn"])
    assert error["message"] == "`endsOn` (2026-01-31) is before `startsOn` (2026-02-01). Choose a later `endsOn` or an earlier `startsOn`."
    assert await dump_rows(org) == before
    project = await mutate(api, "projectCreate", PROJECT_FIELDS, clientId=client, name="P", startsOn="2026-02-01", endsOn="2026-02-01")
    before, same = await dump_rows(org), {"id": project["id"], "expectedVersion": 1}
    assert (await fetch_error(api, "projectUpdate", **same, endsOn="2026-01-31"))["path"] == ["endsOn"]
    assert (await fetch_error(api, "projectUpdate", **same, startsOn="2026-02-02"))["path"] == ["startsOn"]
    assert await dump_rows(org) == before
    both = await mutate(api, "projectUpdate", PROJECT_FIELDS, **same, startsOn="2026-01-01", endsOn="2026-01-31")
    assert (both["startsOn"], both["endsOn"], both["version"]) == ("2026-01-01", "2026-01-31", 2)


async def test_projects_are_listed_all_or_by_archive_state(api_for: Callable[..., Api], org: Tenant) -> None:
    """The newest comes first. Each list has its own pages and total, also for several clients in one request."""
    clients = [await org.add_client(name) for name in "AB"]
    for number in range(5):
        await org.add_project(clients[0], f"P{number}", archived_at=CREATED_AT if number % 2 else None)
    await org.add_project(clients[1], "Q")
    page = "totalCount nodes { name } pageInfo { hasNextPage endCursor }"
    query = f"""query ($first: Int, $after: String) {{ clients {{ nodes {{ all: projects(first: $first) {{ {page} }}
      active: projects(isArchived: false, first: $first, after: $after) {{ {page} }}
      archived: projects(isArchived: true, first: $first) {{ {page} }} }} }} }}"""

    async def list_projects(**variables: object) -> tuple[Any, Any]:
        nodes = (await api_for(org, Role.VIEWER).data(query, first=2, **variables))["clients"]["nodes"]
        return [{kind: each["totalCount"] for kind, each in client_data.items()} for client_data in nodes], [
            {kind: [node["name"] for node in each["nodes"]] for kind, each in client_data.items()} for client_data in nodes
        ]

    totals, names = await list_projects()
    assert totals == [{"all": 5, "active": 3, "archived": 2}, {"all": 1, "active": 1, "archived": 0}]
    first = {"all": ["P4", "P3"], "active": ["P4", "P2"], "archived": ["P3", "P1"]}
    assert names == [first, {"all": ["Q"], "active": ["Q"], "archived": []}]
    end = (await api_for(org).data(query, first=2))["clients"]["nodes"][0]["active"]["pageInfo"]["endCursor"]
    _, (rest, _) = await list_projects(after=end)
    assert rest["active"] == ["P0"]


async def test_projects_of_many_clients_take_three_statements(api_for: Callable[..., Api], org: Tenant, statements: list[str]) -> None:
    """The number of statements does not depend on the number of clients, although both lists, totals and prices are read."""
    for name in "ABCDE":
        await org.add_project(await org.add_client(name))
    selection = "totalCount nodes { name client { name } financial { effectiveHourlyRate { amount } } }"
    query = f"{{ clients {{ nodes {{ all: projects {{ {selection} }} active: projects(isArchived: false) {{ {selection} }} }} }} }}"
    for _ in range(3):
        statements.clear()
        nodes = (await api_for(org).data(query))["clients"]["nodes"]
        assert [len(client_data[kind]["nodes"]) for client_data in nodes for kind in ("all", "active")] == [1] * 10
    assert len(data_statements(statements)) == 3


async def test_projects_cannot_be_changed_without_permission(api_for: Callable[..., Api], org: Tenant) -> None:
    """A viewer can change nothing and a member no prices, and neither sees prices."""
    client = await org.add_client("A", default_hourly_rate=95)
    project = await org.add_project(client, hourly_rate=80)
    same: dict[str, object] = {"id": global_id("Project", project), "expectedVersion": 1}
    new: dict[str, object] = {"clientId": global_id("Client", client), "name": "P"}
    tries: list[tuple[str, dict[str, object]]] = [
        ("projectCreate", new),
        *((name, {**same, **more}) for name, more in UPDATE_INPUTS.items()),
    ]
    before = await dump_rows(org)
    for mutation, arguments in tries:
        assert await is_forbidden(api_for(org, Role.VIEWER), mutation, **arguments)
    several: list[dict[str, object]] = [{}, {"hourlyRate": "1"}]
    for prices in several:
        assert await is_forbidden(api_for(org, Role.MEMBER), "projectCreate", **new, financial=prices)
        assert await is_forbidden(api_for(org, Role.MEMBER), "projectUpdate", **same, financial=prices)
    assert await dump_rows(org) == before
    created_project = await mutate(api_for(org, Role.MEMBER), "projectCreate", PROJECT_FIELDS, **new)
    assert (created_project["name"], created_project["financial"]) == ("P", None)


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.FINANCE, Role.MEMBER])
async def test_projects_can_be_changed_with_permission(api_for: Callable[..., Api], org: Tenant, role: Role) -> None:
    """All five mutations succeed without prices."""
    api = api_for(org, role)
    project = await mutate(api, "projectCreate", PROJECT_FIELDS, clientId=global_id("Client", await org.add_client("A")), name="P")
    for version, (mutation, more) in enumerate(UPDATE_INPUTS.items(), 1):
        selection = "deletedId" if mutation == "projectDelete" else "project { id }"
        await mutate(api, mutation, selection, id=project["id"], expectedVersion=version, **more)
    operations = [(operation, action) for operation, action, _ in await fetch_audit_events(org, decode_key(project["id"]))]
    changed = [(name, "CHANGED") for name in ("projectUpdate", "projectArchive", "projectUnarchive")]
    assert operations == [("projectCreate", "CREATED"), *changed, ("projectDelete", "REMOVED")]


async def test_client_activity_includes_its_projects(api_for: Callable[..., Api], org: Tenant) -> None:
    """Events stay after the project is deleted. Only members with permission to read figures see prices in them."""
    client = global_id("Client", await org.add_client("A"))
    arguments = {"name": "P", "invoiceMethod": "PROJECT_HOURLY", "financial": {"hourlyRate": "90", "fixedPrice": "10"}}
    project = await mutate(api_for(org), "projectCreate", PROJECT_FIELDS, clientId=client, **arguments)
    await mutate(
        api_for(org), "projectUpdate", PROJECT_FIELDS, id=project["id"], expectedVersion=1, name="Q", financial={"hourlyRate": "91"}
    )
    await mutate(api_for(org), "projectDelete", "deletedId", id=project["id"], expectedVersion=2)
    event = "nodes { operation action objectType objectId changes { field from to } }"
    query = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ activity {{ {event} }} }} }}"
    deletion_event, changed, created = (await api_for(org, Role.FINANCE).data(query, id=client))["client"]["activity"]["nodes"]
    about = {"objectType": "Project", "objectId": project["id"]}
    steps = [("clientId", client), ("fixedPrice", "10"), ("hourlyRate", "90"), ("invoiceMethod", "PROJECT_HOURLY"), ("name", "P")]
    expected = [{"field": name, "from": None, "to": now} for name, now in steps]
    assert created == {"operation": "projectCreate", "action": "CREATED", **about, "changes": expected}
    name, rate = {"field": "name", "from": "P", "to": "Q"}, {"field": "hourlyRate", "from": "90", "to": "91"}
    assert changed == {"operation": "projectUpdate", "action": "CHANGED", **about, "changes": [rate, name]}
    assert (deletion_event["operation"], deletion_event["action"], deletion_event["objectId"], len(deletion_event["changes"])) == (
        "projectDelete",
        "REMOVED",
        project["id"],
        5,
    )
    less = (await api_for(org, Role.VIEWER).data(query, id=client))["client"]["activity"]["nodes"]
    assert [[each["field"] for each in event["changes"]] for event in less] == [
        ["clientId", "invoiceMethod", "name"],
        ["name"],
        ["clientId", "invoiceMethod", "name"],
    ]


async def test_projects_of_another_organization_are_not_found(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error is the same as for an unknown id, and nothing changes."""
    other = await create_tenant(org.owner, "Other")
    client = await other.add_client("Van hen")
    project = await other.add_project(client)
    before = await dump_rows(other), await dump_rows(org)
    for mutation, more in UPDATE_INPUTS.items():
        theirs, for_unknown_id = [
            await fetch_error(api_for(org), mutation, id=global_id("Project", key), expectedVersion=1, **more)
            for key in (project, new_id())
        ]
        assert theirs == for_unknown_id
        assert (theirs["code"], theirs["path"], theirs["message"]) == (
            "NOT_FOUND",
            ["id"],
            "There is no project with this ID. It may have been deleted: look it up again.",
        )
    error = await fetch_error(api_for(org), "projectCreate", clientId=global_id("Client", client), name="P")
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["clientId"])
    for key in (global_id("Project", project), global_id("Client", project)):
        assert await api_for(org).data("query ($id: ID!) { project(id: $id) { id } }", id=key) == {"project": None}
    assert (await dump_rows(other), await dump_rows(org)) == before

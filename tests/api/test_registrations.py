"""Test registering, changing, moving and deleting time, expenses and trips."""

from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from domain.organization.tokens import new_secret
from tests.support.activity import activity, event
from tests.support.api import Api
from tests.support.builders import Tenant, add_token, create_tenant
from tests.support.ids import global_id
from tests.support.mutations import dump_rows, fetch_audit_events, fetch_error, fetch_errors, is_forbidden, mutate
from tests.support.registrations import (
    DAY,
    HOUR,
    LUNCH,
    TRIP,
    ApiFor,
    client_id,
    create_client_with_rates,
    project_id,
    register,
    registration_id,
    update_registration,
)

FIELDS = {"note": "Overleg\nmet An", "isBillable": False}
NOTHING = {"time": None, "expense": None, "mileage": None}


async def test_time_is_registered(api_for: ApiFor, org: Tenant) -> None:
    """Every field is returned as given, for the member of the token. An update changes only the given fields."""
    api, client = api_for(org), await create_client_with_rates(org)
    project, label = await org.add_project(client, "Bouw"), await org.add_label("Vast")
    time = {"minutes": 50, "startedAt": "2026-01-15T09:00:00.000Z", "endedAt": "2026-01-15T10:00:00.000Z"}
    ids = {"clientId": client_id(client), "projectId": project_id(project), "labelIds": [global_id("Label", label)] * 2}
    registration = await register(api, {"time": time}, **ids, **FIELDS)
    assert registration == {
        "id": registration["id"], "kind": "TIME", "registeredOn": DAY, **FIELDS, "status": "OPEN", "clientStatus": "OPEN",
        "isEditable": True, "version": 1, "client": {"name": "Klant"}, "project": {"name": "Bouw"}, "member": {"name": "Owner"},
        "labels": [{"name": "Vast"}], **NOTHING, "time": time,
        "financial": {
            "currency": "EUR", "rate": {"amount": "95.0000"}, "rateSource": "CLIENT", "unitPrice": None,
            "amount": {"amount": "79.17", "currency": "EUR"}, "vatRate": None, "warnings": [],
        },
    }  # fmt: skip
    changed = await update_registration(api, registration, registeredOn="2026-02-01", note=None)
    assert changed == {**registration, "registeredOn": "2026-02-01", "note": None, "version": 2}
    assert await update_registration(api, changed, note="", work={"time": {"minutes": 50}}) == changed


async def test_an_expense_and_a_trip_are_registered(api_for: ApiFor, org: Tenant) -> None:
    """Each kind has its own fields and can be registered for another member."""
    api, client = api_for(org, Role.MEMBER), await create_client_with_rates(org)
    viewer = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'VIEWER'", org.id)
    lunch = await register(api, LUNCH, clientId=client_id(client), memberId=global_id("Member", viewer))
    common_fields = {name: lunch[name] for name in (*NOTHING, "kind", "member", "financial")}
    assert common_fields == {
        **NOTHING,
        "kind": "EXPENSE",
        "expense": {"quantity": "2.0000"},
        "member": {"name": "Viewer"},
        "financial": None,
    }
    trip = {"distanceKm": "40.5", "departure": "Ede", "destination": "Delft", "tripType": "BUSINESS"}
    mileage = await register(api, {"mileage": trip}, clientId=client_id(client))
    assert {name: mileage[name] for name in (*NOTHING, "kind", "member")} == {
        **NOTHING, "kind": "MILEAGE", "mileage": trip, "member": {"name": "Member"}
    }  # fmt: skip
    changed = await update_registration(
        api, mileage, work={"mileage": {"destination": "Delft ", "departure": None, "tripType": None, "distanceKm": 41}}
    )
    assert changed["mileage"] == {"distanceKm": "41.0", "departure": None, "destination": "Delft", "tripType": None}
    assert (await update_registration(api, lunch, work={"expense": {"quantity": "0.5"}}))["expense"] == {"quantity": "0.5000"}


async def test_minutes_are_computed_from_start_and_end(api_for: ApiFor, org: Tenant) -> None:
    """Only whole minutes count. Another start or end recomputes them, and so does null. Otherwise the given minutes stay."""
    api, client = api_for(org), client_id(await create_client_with_rates(org))
    time = {"startedAt": "2026-01-15T09:00:00+01:00", "endedAt": "2026-01-15T10:30:59+01:00"}
    registration = await register(api, {"time": time}, clientId=client)
    assert (registration["time"]["minutes"], registration["financial"]["amount"]["amount"]) == (90, "142.50")
    shorter = await update_registration(api, registration, work={"time": {"minutes": 45}})
    assert (shorter["time"]["minutes"], shorter["financial"]["amount"]["amount"]) == (45, "71.25")
    same = await update_registration(api, shorter, work={"time": {"startedAt": "2026-01-15T08:00:00Z"}})
    assert same == shorter
    longer = await update_registration(api, shorter, work={"time": {"endedAt": "2026-01-15T11:00:00+01:00"}})
    assert longer["time"]["minutes"] == 120
    both = await update_registration(api, longer, work={"time": {"endedAt": "2026-01-15T12:00:00+01:00", "minutes": 100}})
    assert both["time"]["minutes"] == 100
    from_times = await update_registration(api, both, work={"time": {"minutes": None}})
    assert from_times["time"]["minutes"] == 180
    open_ = await update_registration(api, from_times, work={"time": {"endedAt": None}})
    assert open_["time"] == {"minutes": 180, "startedAt": "2026-01-15T08:00:00.000Z", "endedAt": None}


NINE, TEN = "2026-01-15T09:00:00Z", "2026-01-15T10:00:00Z"


@pytest.mark.parametrize(
    ("work", "path"),
    [
        ({"time": {}}, ["time", "minutes"]),
        ({"time": {"startedAt": NINE}}, ["time", "minutes"]),
        ({"time": {"minutes": 0}}, ["time", "minutes"]),
        ({"time": {"minutes": 1441}}, ["time", "minutes"]),
        ({"time": {"minutes": 61, "startedAt": NINE, "endedAt": TEN}}, ["time", "minutes"]),
        ({"time": {"startedAt": TEN, "endedAt": NINE}}, ["time", "endedAt"]),
        ({"time": {"startedAt": NINE, "endedAt": NINE}}, ["time", "endedAt"]),
        ({"time": {"startedAt": NINE, "endedAt": "2026-01-15T09:00:59Z"}}, ["time", "endedAt"]),
        ({"time": {"startedAt": NINE, "endedAt": "2026-01-16T09:01:00Z"}}, ["time", "endedAt"]),
        ({"expense": {"quantity": "0", "unitPrice": "1"}}, ["expense", "quantity"]),
        ({"expense": {"quantity": "1", "unitPrice": "-0.01"}}, ["expense", "unitPrice"]),
        ({"mileage": {"distanceKm": "0"}}, ["mileage", "distanceKm"]),
        ({"mileage": {"distanceKm": "1.25"}}, ["mileage", "distanceKm"]),
        ({"mileage": {"distanceKm": "1", "destination": "x" * 201}}, ["mileage", "destination"]),
    ],
    ids=str,
)
async def test_invalid_work_is_rejected(api_for: ApiFor, org: Tenant, work: dict[str, Any], path: list[str]) -> None:
    """The error has the path of the invalid field, and nothing is registered."""
    client, before = client_id(await create_client_with_rates(org)), await dump_rows(org)
    error = await fetch_error(api_for(org), "registrationCreate", registeredOn=DAY, work=work, clientId=client)
    assert (error["code"], error["path"]) == ("INVALID", ["work", *path])
    assert (await dump_rows(org))["registration"] == before["registration"] == []


async def test_changed_time_is_validated_as_a_whole(api_for: ApiFor, org: Tenant) -> None:
    """A value that conflicts with stored values is rejected at the path of the given value. The kind of work cannot change."""
    api = api_for(org)
    registration = await register(
        api, {"time": {"startedAt": NINE, "endedAt": TEN}}, clientId=client_id(await create_client_with_rates(org))
    )
    before = await dump_rows(org)
    tries = [
        ({"time": {"minutes": 61}}, ["time", "minutes"]),
        ({"time": {"startedAt": "2026-01-15T10:00:00Z"}}, ["time", "startedAt"]),
        ({"time": {"startedAt": None, "minutes": None}}, ["time", "minutes"]),
        ({"time": {"endedAt": "2026-01-17T10:00:00Z"}}, ["time", "endedAt"]),
        ({"time": {"endedAt": "2026-01-15T09:30:00Z", "minutes": 31}}, ["time", "minutes"]),
        ({"mileage": {"destination": "Ede"}}, ["mileage"]),
        ({"expense": {}}, ["expense"]),
    ]
    for work, path in tries:
        error = await fetch_error(api, "registrationUpdate", id=registration["id"], expectedVersion=1, work=work)
        assert (error["code"], error["path"]) == ("INVALID", ["work", *path])
    assert await dump_rows(org) == before


async def test_every_error_is_reported(api_for: ApiFor, org: Tenant) -> None:
    """One request has errors in the target, the general fields, the work, the member and the labels."""
    unknown = {"memberId": global_id("Member", new_id()), "labelIds": [global_id("Label", new_id())]}
    errors = await fetch_errors(
        api_for(org), "registrationCreate", registeredOn=DAY, note="x" * 2001, work={"time": {"minutes": 0}}, **unknown
    )
    assert [(each["code"], each["path"]) for each in errors] == [
        ("INVALID", ["clientId"]), ("INVALID", ["note"]), ("INVALID", ["work", "time", "minutes"]),
        ("NOT_FOUND", ["memberId"]), ("NOT_FOUND", ["labelIds", "0"]),
    ]  # fmt: skip


async def test_project_determines_the_client(api_for: ApiFor, org: Tenant) -> None:
    """At least one of both is required. A project of another client is rejected, and so is none if the organization requires one."""
    api, client, other = api_for(org), await create_client_with_rates(org), await create_client_with_rates(org, "Ander")
    project = await org.add_project(client)
    registration = await register(api, projectId=project_id(project))
    assert (registration["client"], registration["project"]) == ({"name": "Klant"}, {"name": "Project"})
    tries: list[dict[str, object]] = [{}, {"clientId": client_id(other), "projectId": project_id(project)}, {"clientId": client_id(client)}]
    before = await dump_rows(org)
    for arguments, path in zip(tries[:2], ("clientId", "projectId"), strict=True):
        error = await fetch_error(api, "registrationCreate", registeredOn=DAY, work=HOUR, **arguments)
        assert (error["code"], error["path"]) == ("INVALID", [path])
    await org.owner.execute("UPDATE relaties.organization SET project_required = true WHERE tenant_id = $1", org.id)
    error = await fetch_error(api, "registrationCreate", registeredOn=DAY, work=HOUR, **tries[2])
    assert (error["code"], error["path"]) == ("INVALID", ["projectId"])
    move_input = {"id": registration["id"], "expectedVersion": 1}
    for away in ({"projectId": None}, {"clientId": client_id(other)}):
        error = await fetch_error(api, "registrationUpdate", **move_input, **away)
        assert (error["code"], error["path"]) == ("INVALID", ["projectId"])
    assert (await dump_rows(org))["registration"] == before["registration"]
    assert (await update_registration(api, registration, note="Mag", clientId=client_id(client)))["note"] == "Mag"


async def test_registration_is_moved(api_for: ApiFor, org: Tenant) -> None:
    """Moving to another client clears the project. Moving to a project sets its client. Labels are kept."""
    api, client, other = api_for(org), await create_client_with_rates(org), await create_client_with_rates(org, "Ander")
    project, theirs = await org.add_project(client), await org.add_project(other, "Van hen")
    label = await org.add_label("Vast")
    registration = await register(api, projectId=project_id(project), labelIds=[global_id("Label", label)])
    away = await update_registration(api, registration, clientId=client_id(other))
    assert (away["client"], away["project"], away["labels"]) == ({"name": "Ander"}, None, [{"name": "Vast"}])
    back = await update_registration(api, away, projectId=project_id(project))
    assert (back["client"], back["project"]) == ({"name": "Klant"}, {"name": "Project"})
    there = await update_registration(api, back, projectId=project_id(theirs), clientId=client_id(other), labelIds=[])
    assert (there["client"], there["project"], there["labels"], there["version"]) == ({"name": "Ander"}, {"name": "Van hen"}, [], 4)
    off = await update_registration(api, there, projectId=None)
    assert (off["client"], off["project"]) == ({"name": "Ander"}, None)
    for path in ("clientId", "memberId"):
        error = await fetch_error(api, "registrationUpdate", id=registration["id"], expectedVersion=5, **{path: None})
        assert (error["code"], error["path"]) == ("INVALID", [path])
    error = await fetch_error(
        api, "registrationUpdate", id=registration["id"], expectedVersion=5, clientId=client_id(other), projectId=project_id(project)
    )
    assert (error["code"], error["path"]) == ("INVALID", ["projectId"])


async def test_labels_are_replaced(api_for: ApiFor, org: Tenant) -> None:
    """A registration has at most 50 labels. Replacing them is one version, and the same labels in another order change nothing."""
    api, client = api_for(org), client_id(await create_client_with_rates(org))
    red, blue = [global_id("Label", await org.add_label(name)) for name in ("Rood", "Blauw")]
    registration = await register(api, clientId=client, labelIds=[red])
    both = await update_registration(api, registration, labelIds=[blue, red])
    assert (both["labels"], both["version"]) == ([{"name": "Blauw"}, {"name": "Rood"}], 2)
    before = await dump_rows(org)
    assert await update_registration(api, both, labelIds=[red, blue, red]) == both
    error = await fetch_error(api, "registrationUpdate", id=registration["id"], expectedVersion=2, labelIds=[red] * 51)
    assert (error["code"], error["path"]) == ("TOO_MANY", ["labelIds"])
    error = await fetch_error(api, "registrationCreate", registeredOn=DAY, work=HOUR, clientId=client, labelIds=[red] * 51)
    assert (error["code"], error["path"]) == ("TOO_MANY", ["labelIds"])
    assert await dump_rows(org) == before
    assert (await update_registration(api, both, labelIds=None))["labels"] == []


async def test_token_without_a_member_must_name_one(api_for: ApiFor, org: Tenant) -> None:
    secret, client = new_secret(), client_id(await create_client_with_rates(org))
    await add_token(org.owner, org.id, secret, role=Role.MEMBER.value)
    api = Api(api_for(org).http, secret)
    error = await fetch_error(api, "registrationCreate", registeredOn=DAY, work=HOUR, clientId=client)
    assert (error["code"], error["path"]) == ("INVALID", ["memberId"])
    owner = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", org.id)
    assert (await register(api, clientId=client, memberId=global_id("Member", owner)))["member"] == {"name": "Owner"}


async def test_a_registration_is_deleted(api_for: ApiFor, org: Tenant) -> None:
    """Its labels stay without the links. A second deletion does not find it."""
    api, client, label = api_for(org), await create_client_with_rates(org), await org.add_label("Vast")
    registration = await register(api, LUNCH, clientId=client_id(client), labelIds=[global_id("Label", label)])
    assert await mutate(api, "registrationDelete", "deletedId", id=registration["id"], expectedVersion=1) == registration["id"]
    rows = await dump_rows(org)
    assert (rows["registration"], rows["registration_label"], len(rows["label"])) == ([], [], 1)
    assert (await fetch_error(api, "registrationDelete", id=registration["id"], expectedVersion=1))["code"] == "NOT_FOUND"
    assert (await api.data("query ($id: ID!) { registration(id: $id) { id } node(id: $id) { id } }", id=registration["id"])) == {
        "registration": None, "node": None
    }  # fmt: skip


async def test_outdated_version_is_rejected(api_for: ApiFor, org: Tenant) -> None:
    """The error has the current version, and nothing changes."""
    api, client = api_for(org), await create_client_with_rates(org)
    key = registration_id(await org.add_registration(client))
    before = await dump_rows(org)
    tries: list[tuple[str, dict[str, object]]] = [
        ("registrationUpdate", {"note": "X"}),
        ("registrationStatusUpdate", {"status": "PENDING"}),
        ("registrationDelete", {}),
    ]
    for mutation, arguments in tries:
        error = await fetch_error(api, mutation, id=key, expectedVersion=7, **arguments)
        assert (error["__typename"], error["path"], error["currentVersion"]) == ("RegistrationVersionConflictError", ["expectedVersion"], 1)
    assert await dump_rows(org) == before


async def test_members_register_and_viewers_only_read(api_for: ApiFor, org: Tenant) -> None:
    """A member sees no figures and sets no rate. A viewer can create, change and delete nothing."""
    client = await create_client_with_rates(org)
    member, viewer = api_for(org, Role.MEMBER), api_for(org, Role.VIEWER)
    registration = await register(member, TRIP, clientId=client_id(client))
    assert registration["financial"] is None
    assert (await api_for(org, Role.FINANCE).data(REGISTRATION_QUERY, id=registration["id"]))["registration"]["financial"] == {
        "amount": {"amount": "9.32"}
    }
    before, identification = await dump_rows(org), {"id": registration["id"], "expectedVersion": 1}
    create: dict[str, object] = {"registeredOn": DAY, "clientId": client_id(client)}
    for rate in ("1", None):
        assert await is_forbidden(member, "registrationUpdate", **identification, work={"mileage": {"rate": rate}})
    assert await is_forbidden(member, "registrationCreate", **create, work={"time": {"minutes": 1, "rate": "1"}})
    assert await is_forbidden(viewer, "registrationCreate", **create, work=HOUR)
    assert await is_forbidden(viewer, "registrationUpdate", **identification, note="X")
    assert await is_forbidden(viewer, "registrationStatusUpdate", **identification, status="PENDING")
    assert await is_forbidden(viewer, "registrationDelete", **identification)
    assert await dump_rows(org) == before
    assert (await viewer.data(REGISTRATION_QUERY, id=registration["id"]))["registration"] == {"financial": None}


REGISTRATION_QUERY = "query ($id: ID!) { registration(id: $id) { financial { amount { amount } } } }"


async def test_registrations_of_another_organization_are_not_found(api_for: ApiFor, org: Tenant) -> None:
    """They can be neither read nor changed, and own registrations cannot be moved to another organization's client."""
    other = await create_tenant(org.owner, "Other")
    theirs, client = await create_client_with_rates(other, "Van hen"), await create_client_with_rates(org)
    key = registration_id(await other.add_registration(theirs))
    before = await dump_rows(other), await dump_rows(org)
    assert (await api_for(org).data(REGISTRATION_QUERY, id=key))["registration"] is None
    for mutation, arguments in (("registrationUpdate", {"note": "X"}), ("registrationStatusUpdate", {}), ("registrationDelete", {})):
        error = await fetch_error(api_for(org), mutation, id=key, expectedVersion=1, **arguments)
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])
    own = await register(api_for(org), clientId=client_id(client))
    error = await fetch_error(api_for(org), "registrationUpdate", id=own["id"], expectedVersion=1, clientId=client_id(theirs))
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["clientId"])
    assert await dump_rows(other) == before[0]


async def test_changes_are_recorded_for_the_client(api_for: ApiFor, org: Tenant) -> None:
    """Events list the changed fields and labels. Without permission to read figures, events contain no figures."""
    api, client, label = api_for(org), await create_client_with_rates(org), global_id("Label", await org.add_label("Vast"))
    registration = await register(api, clientId=client_id(client), labelIds=[label])
    await update_registration(api, registration, note="Klaar", work={"time": {"minutes": 30}}, labelIds=[])
    key = registration["id"]
    label_event = event(
        "registrationUpdate", "REMOVED", "RegistrationLabel", label,
        ("clientId", client_id(client), None), ("labelId", label, None), ("registrationId", key, None),
    )  # fmt: skip
    for role in (Role.FINANCE, Role.MEMBER):
        events = {(each["action"], each["objectType"]): each for each in await activity(api_for(org, role), client_id(client))}
        amount = [("amountNet", "95", "47.5")] if role is Role.FINANCE else []
        changes = (*amount, ("minutes", "60", "30"), ("note", None, "Klaar"))
        assert events["REMOVED", "RegistrationLabel"] == label_event
        assert events["CHANGED", "Registration"] == event("registrationUpdate", "CHANGED", "Registration", key, *changes)
        fields = {each["field"] for each in events["CREATED", "Registration"]["changes"]}
        assert ({"unitRate", "rateSource", "currency", "amountNet"} & fields == set()) is (role is Role.MEMBER)
    registration_key = await org.owner.fetchval("SELECT id FROM relaties.registration WHERE tenant_id = $1", org.id)
    operations = [(operation, action) for operation, action, _ in await fetch_audit_events(org, registration_key)]
    assert operations == [("registrationCreate", "CREATED"), ("registrationUpdate", "CHANGED")]


async def test_registration_is_editable_until_it_is_locked(api_for: ApiFor, org: Tenant) -> None:
    """Its status locks it, and so does archiving its client or its project."""
    client, archived_client = await create_client_with_rates(org), await create_client_with_rates(org, "Dicht")
    old = await org.add_project(client)
    keys = [
        await org.add_registration(client),
        await org.add_registration(client, status="REJECTED"),
        await org.add_registration(client, status="APPROVED"),
        await org.add_registration(client, old),
        await org.add_registration(archived_client),
    ]
    await org.owner.execute("UPDATE relaties.client SET archived_at = now() WHERE id = $1", archived_client)
    await org.owner.execute("UPDATE relaties.project SET archived_at = now() WHERE id = $1", old)
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Registration { isEditable } } }"
    nodes = (await api_for(org).data(query, ids=[registration_id(key) for key in keys]))["nodes"]
    assert [each["isEditable"] for each in nodes] == [True, True, False, False, False]

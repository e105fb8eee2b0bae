"""Work is registered, changed, moved and deleted: time, expenses and trips."""

from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from domain.organization.tokens import new_secret
from tests.api.test_activity import activity, event
from tests.ask import Api
from tests.builders import Tenant, add_token, tenant
from tests.changing import change, everything, forbidden, refusal, refusals, traced
from tests.ids import global_id
from tests.registering import DAY, HOUR, LUNCH, TRIP, As, altered, client_id, priced, project_id, register, registration_id

FIELDS = {"note": "Overleg\nmet An", "isBillable": False}
NOTHING = {"time": None, "expense": None, "mileage": None}


async def test_time_is_registered(as_: As, org: Tenant) -> None:
    """Every field comes back as it was given, for the member whose token it is; an update changes what it names and nothing else."""
    api, client = as_(org), await priced(org)
    project, label = await org.add_project(client, "Bouw"), await org.add_label("Vast")
    time = {"minutes": 50, "startedAt": "2026-01-15T09:00:00.000Z", "endedAt": "2026-01-15T10:00:00.000Z"}
    ids = {"clientId": client_id(client), "projectId": project_id(project), "labelIds": [global_id("Label", label)] * 2}
    made = await register(api, {"time": time}, **ids, **FIELDS)
    assert made == {
        "id": made["id"], "kind": "TIME", "registeredOn": DAY, **FIELDS, "status": "OPEN", "clientStatus": "OPEN", "isEditable": True,
        "version": 1, "client": {"name": "Klant"}, "project": {"name": "Bouw"}, "member": {"name": "Owner"},
        "labels": [{"name": "Vast"}], **NOTHING, "time": time,
        "financial": {
            "currency": "EUR", "rate": {"amount": "95.0000"}, "rateSource": "CLIENT", "unitPrice": None,
            "amount": {"amount": "79.17", "currency": "EUR"}, "vatRate": None, "warnings": [],
        },
    }  # fmt: skip
    changed = await altered(api, made, registeredOn="2026-02-01", note=None)
    assert changed == {**made, "registeredOn": "2026-02-01", "note": None, "version": 2}
    assert await altered(api, changed, note="", work={"time": {"minutes": 50}}) == changed


async def test_an_expense_and_a_trip_are_registered(as_: As, org: Tenant) -> None:
    """Each with fields of its own; for somebody else where that is said."""
    api, client = as_(org, Role.MEMBER), await priced(org)
    viewer = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'VIEWER'", org.id)
    lunch = await register(api, LUNCH, clientId=client_id(client), memberId=global_id("Member", viewer))
    shown = {name: lunch[name] for name in (*NOTHING, "kind", "member", "financial")}
    assert shown == {**NOTHING, "kind": "EXPENSE", "expense": {"quantity": "2.0000"}, "member": {"name": "Viewer"}, "financial": None}
    trip = {"distanceKm": "40.5", "departure": "Ede", "destination": "Delft", "tripType": "BUSINESS"}
    driven = await register(api, {"mileage": trip}, clientId=client_id(client))
    assert {name: driven[name] for name in (*NOTHING, "kind", "member")} == {
        **NOTHING, "kind": "MILEAGE", "mileage": trip, "member": {"name": "Member"}
    }  # fmt: skip
    changed = await altered(api, driven, work={"mileage": {"destination": "Delft ", "departure": None, "tripType": None, "distanceKm": 41}})
    assert changed["mileage"] == {"distanceKm": "41.0", "departure": None, "destination": "Delft", "tripType": None}
    assert (await altered(api, lunch, work={"expense": {"quantity": "0.5"}}))["expense"] == {"quantity": "0.5000"}


async def test_minutes_are_those_from_start_to_end_unless_given(as_: As, org: Tenant) -> None:
    """Whole ones; another start or end makes them anew; null too; without both the given ones stay."""
    api, client = as_(org), client_id(await priced(org))
    time = {"startedAt": "2026-01-15T09:00:00+01:00", "endedAt": "2026-01-15T10:30:59+01:00"}
    made = await register(api, {"time": time}, clientId=client)
    assert (made["time"]["minutes"], made["financial"]["amount"]["amount"]) == (90, "142.50")
    shorter = await altered(api, made, work={"time": {"minutes": 45}})
    assert (shorter["time"]["minutes"], shorter["financial"]["amount"]["amount"]) == (45, "71.25")
    same = await altered(api, shorter, work={"time": {"startedAt": "2026-01-15T08:00:00Z"}})
    assert same == shorter
    longer = await altered(api, shorter, work={"time": {"endedAt": "2026-01-15T11:00:00+01:00"}})
    assert longer["time"]["minutes"] == 120
    both = await altered(api, longer, work={"time": {"endedAt": "2026-01-15T12:00:00+01:00", "minutes": 100}})
    assert both["time"]["minutes"] == 100
    anew = await altered(api, both, work={"time": {"minutes": None}})
    assert anew["time"]["minutes"] == 180
    open_ = await altered(api, anew, work={"time": {"endedAt": None}})
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
async def test_wrong_work_is_refused(as_: As, org: Tenant, work: dict[str, Any], path: list[str]) -> None:
    """At the field that is wrong, and nothing is registered."""
    client, before = client_id(await priced(org)), await everything(org)
    found = await refusal(as_(org), "registrationCreate", registeredOn=DAY, work=work, clientId=client)
    assert (found["code"], found["path"]) == ("INVALID", ["work", *path])
    assert (await everything(org))["registration"] == before["registration"] == []


async def test_what_a_time_becomes_is_looked_at_as_a_whole(as_: As, org: Tenant) -> None:
    """What is right by itself and wrong with what is there is refused, at what was given; so is another kind than it is of."""
    api = as_(org)
    made = await register(api, {"time": {"startedAt": NINE, "endedAt": TEN}}, clientId=client_id(await priced(org)))
    before = await everything(org)
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
        found = await refusal(api, "registrationUpdate", id=made["id"], expectedVersion=1, work=work)
        assert (found["code"], found["path"]) == ("INVALID", ["work", *path])
    assert await everything(org) == before


async def test_every_fault_is_told_at_once(as_: As, org: Tenant) -> None:
    """Of the place, the general part, the work, the member and the labels."""
    unknown = {"memberId": global_id("Member", new_id()), "labelIds": [global_id("Label", new_id())]}
    found = await refusals(as_(org), "registrationCreate", registeredOn=DAY, note="x" * 2001, work={"time": {"minutes": 0}}, **unknown)
    assert [(each["code"], each["path"]) for each in found] == [
        ("INVALID", ["clientId"]), ("INVALID", ["note"]), ("INVALID", ["work", "time", "minutes"]),
        ("NOT_FOUND", ["memberId"]), ("NOT_FOUND", ["labelIds", "0"]),
    ]  # fmt: skip


async def test_a_project_brings_its_client_along(as_: As, org: Tenant) -> None:
    """One of both is given at least; a project of another client is refused, and so is none where the organization wants one."""
    api, client, other = as_(org), await priced(org), await priced(org, "Ander")
    project = await org.add_project(client)
    made = await register(api, projectId=project_id(project))
    assert (made["client"], made["project"]) == ({"name": "Klant"}, {"name": "Project"})
    tries: list[dict[str, object]] = [{}, {"clientId": client_id(other), "projectId": project_id(project)}, {"clientId": client_id(client)}]
    before = await everything(org)
    for given, path in zip(tries[:2], ("clientId", "projectId"), strict=True):
        found = await refusal(api, "registrationCreate", registeredOn=DAY, work=HOUR, **given)
        assert (found["code"], found["path"]) == ("INVALID", [path])
    await org.owner.execute("UPDATE relaties.organization SET project_required = true WHERE tenant_id = $1", org.id)
    found = await refusal(api, "registrationCreate", registeredOn=DAY, work=HOUR, **tries[2])
    assert (found["code"], found["path"]) == ("INVALID", ["projectId"])
    moved = {"id": made["id"], "expectedVersion": 1}
    for away in ({"projectId": None}, {"clientId": client_id(other)}):
        found = await refusal(api, "registrationUpdate", **moved, **away)
        assert (found["code"], found["path"]) == ("INVALID", ["projectId"])
    assert (await everything(org))["registration"] == before["registration"]
    assert (await altered(api, made, note="Mag", clientId=client_id(client)))["note"] == "Mag"


async def test_work_is_moved(as_: As, org: Tenant) -> None:
    """To another client it leaves its project; to a project it takes that one's client; its labels go along."""
    api, client, other = as_(org), await priced(org), await priced(org, "Ander")
    project, theirs = await org.add_project(client), await org.add_project(other, "Van hen")
    label = await org.add_label("Vast")
    made = await register(api, projectId=project_id(project), labelIds=[global_id("Label", label)])
    away = await altered(api, made, clientId=client_id(other))
    assert (away["client"], away["project"], away["labels"]) == ({"name": "Ander"}, None, [{"name": "Vast"}])
    back = await altered(api, away, projectId=project_id(project))
    assert (back["client"], back["project"]) == ({"name": "Klant"}, {"name": "Project"})
    there = await altered(api, back, projectId=project_id(theirs), clientId=client_id(other), labelIds=[])
    assert (there["client"], there["project"], there["labels"], there["version"]) == ({"name": "Ander"}, {"name": "Van hen"}, [], 4)
    off = await altered(api, there, projectId=None)
    assert (off["client"], off["project"]) == ({"name": "Ander"}, None)
    for path in ("clientId", "memberId"):
        found = await refusal(api, "registrationUpdate", id=made["id"], expectedVersion=5, **{path: None})
        assert (found["code"], found["path"]) == ("INVALID", [path])
    found = await refusal(
        api, "registrationUpdate", id=made["id"], expectedVersion=5, clientId=client_id(other), projectId=project_id(project)
    )
    assert (found["code"], found["path"]) == ("INVALID", ["projectId"])


async def test_labels_are_all_of_them_from_now_on(as_: As, org: Tenant) -> None:
    """50 at most; a change of them alone is one version; the same ones in another order are no change."""
    api, client = as_(org), client_id(await priced(org))
    red, blue = [global_id("Label", await org.add_label(name)) for name in ("Rood", "Blauw")]
    made = await register(api, clientId=client, labelIds=[red])
    both = await altered(api, made, labelIds=[blue, red])
    assert (both["labels"], both["version"]) == ([{"name": "Blauw"}, {"name": "Rood"}], 2)
    before = await everything(org)
    assert await altered(api, both, labelIds=[red, blue, red]) == both
    found = await refusal(api, "registrationUpdate", id=made["id"], expectedVersion=2, labelIds=[red] * 51)
    assert (found["code"], found["path"]) == ("TOO_MANY", ["labelIds"])
    found = await refusal(api, "registrationCreate", registeredOn=DAY, work=HOUR, clientId=client, labelIds=[red] * 51)
    assert (found["code"], found["path"]) == ("TOO_MANY", ["labelIds"])
    assert await everything(org) == before
    assert (await altered(api, both, labelIds=None))["labels"] == []


async def test_a_machine_says_whose_work_it_is(as_: As, org: Tenant) -> None:
    """Its token is no member's own."""
    secret, client = new_secret(), client_id(await priced(org))
    await add_token(org.owner, org.id, secret, role=Role.MEMBER.value)
    api = Api(as_(org).http, secret)
    found = await refusal(api, "registrationCreate", registeredOn=DAY, work=HOUR, clientId=client)
    assert (found["code"], found["path"]) == ("INVALID", ["memberId"])
    owner = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", org.id)
    assert (await register(api, clientId=client, memberId=global_id("Member", owner)))["member"] == {"name": "Owner"}


async def test_a_registration_is_deleted(as_: As, org: Tenant) -> None:
    """With its labels' links; the labels stay; the second time there is none."""
    api, client, label = as_(org), await priced(org), await org.add_label("Vast")
    made = await register(api, LUNCH, clientId=client_id(client), labelIds=[global_id("Label", label)])
    assert await change(api, "registrationDelete", "deletedId", id=made["id"], expectedVersion=1) == made["id"]
    found = await everything(org)
    assert (found["registration"], found["registration_label"], len(found["label"])) == ([], [], 1)
    assert (await refusal(api, "registrationDelete", id=made["id"], expectedVersion=1))["code"] == "NOT_FOUND"
    assert (await api.data("query ($id: ID!) { registration(id: $id) { id } node(id: $id) { id } }", id=made["id"])) == {
        "registration": None, "node": None
    }  # fmt: skip


async def test_who_saw_another_version_is_refused(as_: As, org: Tenant) -> None:
    """With the version that it has now, and nothing changes."""
    api, client = as_(org), await priced(org)
    key = registration_id(await org.add_registration(client))
    before = await everything(org)
    tries: list[tuple[str, dict[str, object]]] = [
        ("registrationUpdate", {"note": "X"}),
        ("registrationStatusUpdate", {"status": "PENDING"}),
        ("registrationDelete", {}),
    ]
    for mutation, given in tries:
        found = await refusal(api, mutation, id=key, expectedVersion=7, **given)
        assert (found["__typename"], found["path"], found["currentVersion"]) == ("VersionConflictError", ["expectedVersion"], 1)
    assert await everything(org) == before


async def test_members_register_and_viewers_look(as_: As, org: Tenant) -> None:
    """A member sees no figures, and gives no rate; a viewer registers, changes and deletes nothing."""
    client = await priced(org)
    member, viewer = as_(org, Role.MEMBER), as_(org, Role.VIEWER)
    made = await register(member, TRIP, clientId=client_id(client))
    assert made["financial"] is None
    assert (await as_(org, Role.FINANCE).data(ONE, id=made["id"]))["registration"]["financial"] == {"amount": {"amount": "9.32"}}
    before, of = await everything(org), {"id": made["id"], "expectedVersion": 1}
    create: dict[str, object] = {"registeredOn": DAY, "clientId": client_id(client)}
    for rate in ("1", None):
        assert await forbidden(member, "registrationUpdate", **of, work={"mileage": {"rate": rate}})
    assert await forbidden(member, "registrationCreate", **create, work={"time": {"minutes": 1, "rate": "1"}})
    assert await forbidden(viewer, "registrationCreate", **create, work=HOUR)
    assert await forbidden(viewer, "registrationUpdate", **of, note="X")
    assert await forbidden(viewer, "registrationStatusUpdate", **of, status="PENDING")
    assert await forbidden(viewer, "registrationDelete", **of)
    assert await everything(org) == before
    assert (await viewer.data(ONE, id=made["id"]))["registration"] == {"financial": None}


ONE = "query ($id: ID!) { registration(id: $id) { financial { amount { amount } } } }"


async def test_what_is_another_organizations_is_not_found(as_: As, org: Tenant) -> None:
    """Neither shown nor changed, and nothing of theirs is registered on."""
    other = await tenant(org.owner, "Other")
    theirs, client = await priced(other, "Van hen"), await priced(org)
    key = registration_id(await other.add_registration(theirs))
    before = await everything(other), await everything(org)
    assert (await as_(org).data(ONE, id=key))["registration"] is None
    for mutation, given in (("registrationUpdate", {"note": "X"}), ("registrationStatusUpdate", {}), ("registrationDelete", {})):
        found = await refusal(as_(org), mutation, id=key, expectedVersion=1, **given)
        assert (found["code"], found["path"]) == ("NOT_FOUND", ["id"])
    own = await register(as_(org), clientId=client_id(client))
    found = await refusal(as_(org), "registrationUpdate", id=own["id"], expectedVersion=1, clientId=client_id(theirs))
    assert (found["code"], found["path"]) == ("NOT_FOUND", ["clientId"])
    assert await everything(other) == before[0]


async def test_what_happened_is_told_of_the_client(as_: As, org: Tenant) -> None:
    """Field by field, labels too; the figures to those who may see them."""
    api, client, label = as_(org), await priced(org), global_id("Label", await org.add_label("Vast"))
    made = await register(api, clientId=client_id(client), labelIds=[label])
    await altered(api, made, note="Klaar", work={"time": {"minutes": 30}}, labelIds=[])
    key = made["id"]
    worn = event(
        "registrationUpdate", "REMOVED", "RegistrationLabel", label,
        ("clientId", client_id(client), None), ("labelId", label, None), ("registrationId", key, None),
    )  # fmt: skip
    for role in (Role.FINANCE, Role.MEMBER):
        told = {(each["action"], each["objectType"]): each for each in await activity(as_(org, role), client_id(client))}
        amount = [("amountNet", "95", "47.5")] if role is Role.FINANCE else []
        changes = (*amount, ("minutes", "60", "30"), ("note", None, "Klaar"))
        assert told["REMOVED", "RegistrationLabel"] == worn
        assert told["CHANGED", "Registration"] == event("registrationUpdate", "CHANGED", "Registration", key, *changes)
        fields = {each["field"] for each in told["CREATED", "Registration"]["changes"]}
        assert ({"unitRate", "rateSource", "currency", "amountNet"} & fields == set()) is (role is Role.MEMBER)
    stored = await org.owner.fetchval("SELECT id FROM relaties.registration WHERE tenant_id = $1", org.id)
    operations = [(operation, action) for operation, action, _ in await traced(org, stored)]
    assert operations == [("registrationCreate", "CREATED"), ("registrationUpdate", "CHANGED")]


async def test_it_is_editable_until_something_locks_it(as_: As, org: Tenant) -> None:
    """Its status, its client's archiving or its project's."""
    client, closed = await priced(org), await priced(org, "Dicht")
    old = await org.add_project(client)
    keys = [
        await org.add_registration(client),
        await org.add_registration(client, status="REJECTED"),
        await org.add_registration(client, status="APPROVED"),
        await org.add_registration(client, old),
        await org.add_registration(closed),
    ]
    await org.owner.execute("UPDATE relaties.client SET archived_at = now() WHERE id = $1", closed)
    await org.owner.execute("UPDATE relaties.project SET archived_at = now() WHERE id = $1", old)
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Registration { isEditable } } }"
    found = (await as_(org).data(query, ids=[registration_id(key) for key in keys]))["nodes"]
    assert [each["isEditable"] for each in found] == [True, True, False, False, False]

"""What is archived takes no change, on any path: every mutation there is, tried on an archived client and on what is one's.

Made from the schema itself (`tests/inputs.py`), so that what is added later joins by itself: wherever an input names a client, or a project
or a registration that is a client's, an archived one is put there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.tables.keys import new_id
from tests.ask import Api
from tests.builders import EARLY, Tenant, insert
from tests.changing import change, refusal
from tests.ids import global_id
from tests.inputs import (
    ANYWHERE,
    MUTATIONS,
    NODES,
    TRIES,
    Place,
    World,
    document,
    input_type,
    leaves,
    replaced,
    right,
    type_of_id,
    world,
)
from tests.snapshots import unchanged

SPARED = {"clientUnarchive", "clientDelete"}  # what there is for a client that is archived
DOCUMENT = "... on AlreadyArchivedError { archived { id } }"


@dataclass(frozen=True)
class Frozen:
    """A world, and in it an archived client with what is a client's, by the names of their types."""

    world: World
    ids: dict[str, list[str]]


@pytest.fixture(scope="module")
async def frozen(owner: asyncpg.Connection) -> Frozen:
    """Nothing in it is ever changed: it is only asked for what must be refused."""
    made = await world(owner)
    org = made.tenant
    client = await org.add_client("Archived", "K-9", archived_at=EARLY)
    contact = await org.add_contact("Theirs too", client)
    along, alone = await org.add_project(client, "Along", archived_at=EARLY), await org.add_project(client, "Still open")
    priced: dict[str, Any] = {"quantity": Decimal(1), "unit_price": Decimal(5)}
    registrations = [
        await put_aside(org, client, project, **more)
        for project in (None, along, alone)
        for more in ({}, {"kind": "EXPENSE", "minutes": None, **priced}, {"kind": "MILEAGE", "minutes": None, "distance_km": Decimal(1)})
    ]
    portal = await org.add_portal(client, contact, projects=[along], closed_at=EARLY)
    found = {"Client": [client], "Project": [along, alone], "Registration": registrations, "ClientPortal": [portal]}
    return Frozen(made, {kind: [global_id(kind, key) for key in keys] for kind, keys in found.items()})


async def put_aside(org: Tenant, client: UUID, project: UUID | None, **more: object) -> UUID:
    """A registration from before: the guard of the database is put aside to let it in."""
    async with org.owner.transaction():
        await org.owner.execute("SET LOCAL app.guard = 'off'")
        return await org.add_registration(client, project, **more)


def places(name: str, given: Any) -> list[tuple[Place, str]]:  # noqa: ANN401 JSON
    """Where in an input of a mutation an id of a client stands, or of what is a client's; and which of them it is."""
    found = [(place, type_of_id(place.owner, place.name)) for place in leaves(input_type(name), given, "ID")]
    return [(place, kind) for place, kind in found if kind in {"Client", "Project", "Registration", "ClientPortal"}]


@pytest.mark.parametrize(("name", "turn"), [each for each in TRIES if each[0] not in SPARED])
async def test_what_is_archived_takes_no_change(
    owner: asyncpg.Connection, as_: Callable[..., Api], frozen: Frozen, name: str, turn: int
) -> None:
    """Refused where its id lies, with what is archived; nothing is changed."""
    given, api = right(frozen.world, name, turn), as_(frozen.world.tenant)
    archived = {key for keys in frozen.ids.values() for key in keys}
    query = document(name).replace("message path }", f"message path {DOCUMENT} }}")
    async with unchanged(owner, frozen.world.id):
        for place, kind in places(name, given):
            for key in frozen.ids[kind]:
                tried = replaced(given, place.path, key)
                if kind != "Client" and "clientId" in tried:  # or it would be refused for not being this client's
                    tried["clientId"] = frozen.ids["Client"][0]
                if kind == "Client" and "projectId" in tried:
                    tried["projectId"] = None
                body = await api.ask(query, input=tried)
                assert "errors" not in body, (place.path, body)
                told = [each for each in body["data"][name]["userErrors"] if each["code"] == "ALREADY_ARCHIVED"]
                assert told, (place.path, key, body)
                assert {tuple(each["path"]) for each in told} <= {tuple(place.shown_path), ("clientId",)}, (place.path, key, body)
                assert {each["archived"]["id"] for each in told} <= archived
                assert kind != "Client" or told[0]["archived"]["id"] == key


def test_the_tries_are_made_of_something() -> None:
    """Those that change a client, by name; what is spared is spared for a reason, and what is added joins."""
    tried = {name for name in MUTATIONS if name not in SPARED and places(name, right(ANYWHERE, name))}
    assert tried >= {
        *("clientArchive", "clientUpdate", "clientContactLink", "clientContactUpdate", "clientContactUnlink"),
        *("clientLabelsAdd", "clientLabelsRemove", "projectCreate", "registrationCreate"),
    }
    named = {name for name in MUTATIONS if name.startswith(("project", "registration", "clientPortal"))}
    assert {name for name in named if not name.endswith("Create")} <= tried
    assert {kind for kind in ("Client", "Project") if kind in NODES} == {"Client", "Project"}


@pytest.mark.parametrize("mutation", ["clientLabelsAdd", "clientLabelsRemove"])
async def test_each_archived_client_of_a_list_is_named(as_: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """At its place, all of them; those that are active get and lose nothing either."""
    clients = [await org.add_client(name, archived_at=at) for name, at in (("A", EARLY), ("B", None), ("C", EARLY))]
    label = await org.add_label("Vast", *(clients if mutation == "clientLabelsRemove" else ()))
    given = {"clientIds": [global_id("Client", key) for key in clients], "labelIds": [global_id("Label", label)]}
    both = {"clientIds": [global_id("Client", clients[0])], "labelIds": [global_id("Label", new_id())]}
    async with unchanged(org.owner, org.id):
        first, second = [(await as_(org).data(document(mutation), input=each))[mutation]["userErrors"] for each in (given, both)]
    assert [(each["code"], each["path"]) for each in first] == [("ALREADY_ARCHIVED", ["clientIds", place]) for place in ("0", "2")]
    assert [(each["code"], each["path"]) for each in second] == [("ALREADY_ARCHIVED", ["clientIds", "0"]), ("NOT_FOUND", ["labelIds", "0"])]


PARTS: list[dict[str, object]] = [
    {"name": "Other"},
    {"notes": None},
    {"takesNextNumber": True},
    {"addresses": [{"type": "PRIMARY", "city": "Ede"}]},
    {"addresses": []},
    {"labels": [{"new": {"name": "Nieuw"}}]},
    {"contacts": [{"contact": {"new": {"lastName": "Jansen"}}}]},
    {"financial": {"defaultHourlyRate": "95.50"}},
    {},
]


@pytest.mark.parametrize("part", PARTS, ids=str)
async def test_no_part_of_an_archived_clients_form_is_changed(as_: Callable[..., Api], org: Tenant, part: dict[str, object]) -> None:
    """Whatever version was seen; with what it is, once it is taken back it is changed."""
    key = global_id("Client", await org.add_client("Jansen", "K-1", archived_at=EARLY))
    for version in (1, 7):
        async with unchanged(org.owner, org.id):
            found = await refusal(as_(org), "clientUpdate", id=key, expectedVersion=version, **part)
            assert (found["__typename"], found["code"], found["path"]) == ("AlreadyArchivedError", "ALREADY_ARCHIVED", ["id"])
            assert found["message"] == "Jansen is archived, and stays as it is. Take it back first with `clientUnarchive`."
    await change(as_(org), "clientUnarchive", "client { id }", id=key)
    assert (await change(as_(org), "clientUpdate", "client { id }", id=key, expectedVersion=2, **part))["id"] == key


@pytest.mark.parametrize("policy", ["ALL_OR_NOTHING", "SKIP_FAILED"])
@pytest.mark.parametrize("named", [{"name": "Other", "number": "k-1"}, {"name": "Zonder"}])
async def test_from_elsewhere_an_archived_client_is_not_changed(
    as_: Callable[..., Api], org: Tenant, named: dict[str, object], policy: str
) -> None:
    """By its number or by its name; nor is another made in its place."""
    await org.add_client("Jansen", "K-1", archived_at=EARLY)
    await org.add_client("Zonder", archived_at=EARLY)
    async with unchanged(org.owner, org.id):
        found = await refusal(as_(org), "clientBulkUpsert", clients=[{**named, "notes": "x"}], onError=policy)
    assert (found["code"], found["path"]) == ("ALREADY_ARCHIVED", ["clients", "0", "number" if "number" in named else "name"])


async def test_a_person_of_an_archived_client_is_still_a_person(as_: Callable[..., Api], org: Tenant) -> None:
    """Changed, since they are not the client's alone; deleted only when no client has them, so here not."""
    api, client = as_(org), await org.add_client("Jansen", archived_at=EARLY)
    person = global_id("Contact", await org.add_contact("Bakker", client))
    assert (await change(api, "contactUpdate", "contact { id }", id=person, expectedVersion=1, lastName="Smit"))["id"] == person
    found = await refusal(api, "contactDelete", id=person, expectedVersion=2)
    assert (found["code"], found["uses"]) == ("IN_USE", 1)


async def test_a_label_that_an_archived_client_wears_is_not_deleted(as_: Callable[..., Api], org: Tenant) -> None:
    """With how many and what to do; it can be kept from being chosen; once they are active it goes, and the clients stay."""
    api, clients = as_(org), [await org.add_client(name, archived_at=at) for name, at in (("A", EARLY), ("B", EARLY), ("C", None))]
    label = global_id("Label", await org.add_label("Vast", *clients))
    for left in (2, 1):
        async with unchanged(org.owner, org.id):
            found = await refusal(api, "labelDelete", id=label, expectedVersion=1)
        assert (found["__typename"], found["code"], found["path"], found["uses"]) == ("InUseError", "IN_USE", ["id"], left)
        assert f"by {left} client" in found["message"]
        assert "`clientUnarchive`" in found["message"]
        assert "`labelUpdate`" in found["message"]
        await change(api, "clientUnarchive", "client { id }", id=global_id("Client", clients[left - 1]))
    assert (await change(api, "labelUpdate", "label { version }", id=label, expectedVersion=1, isActive=False))["version"] == 2
    assert await change(api, "labelDelete", "deletedId", id=label, expectedVersion=2) == label
    worn = "SELECT count(*) FROM relaties.client_label WHERE tenant_id = $1"
    assert await org.owner.fetchval(worn, org.id) == 0


async def wear(org: Tenant, registration: UUID, client: UUID, label: UUID) -> None:
    row: dict[str, object] = {"tenant_id": org.id, "registration_id": registration, "label_id": label, "client_id": client}
    async with org.owner.transaction():
        await org.owner.execute("SET LOCAL app.guard = 'off'")
        await insert(org.owner, "registration_label", [row])


async def add_line(org: Tenant, client: UUID) -> UUID:
    """A line of an invoice of the client."""
    key, invoice = new_id(), await org.add_invoice(client, date(2026, 1, 31), "100.00")
    row: dict[str, object] = {"tenant_id": org.id, "id": key, "invoice_id": invoice, "position": 1, "description": "Work"}
    amounts = {
        "quantity": Decimal(1),
        "unit_price": Decimal(100),
        "discount_percentage": Decimal(0),
        "net": Decimal(100),
        "vat": Decimal(21),
    }
    await insert(org.owner, "invoice_line", [{**row, **amounts, "vat_percentage": Decimal(21), "vat_category": "S"}])
    return key


@pytest.mark.parametrize(
    ("status", "of", "is_fixed"),
    [
        *((status, "", False) for status in ("OPEN", "PENDING", "REJECTED")),
        *((status, "", True) for status in ("APPROVED", "INVOICED", "WRITTEN_OFF")),
        ("OPEN", "client", True),
        ("OPEN", "project", True),
        ("OPEN", "both", True),
    ],
)
async def test_s44_a_label_that_a_locked_registration_wears_is_not_deleted(
    as_: Callable[..., Api], org: Tenant, status: str, of: str, *, is_fixed: bool
) -> None:
    """By its status, its client or its project; of others it is taken off, and its being taken off is told of the client."""
    client = await org.add_client("Jansen", archived_at=EARLY if of in {"client", "both"} else None)
    project = await org.add_project(client, archived_at=EARLY if of in {"project", "both"} else None)
    label, other = await org.add_label("Weg"), await org.add_label("Blijft")
    line = await add_line(org, client) if status == "INVOICED" else None
    for day in (1, 2):
        done = {"status": status, "registered_on": date(2026, 1, day), "invoice_line_id": line}
        registration = await put_aside(org, client, project, **done)
        await wear(org, registration, client, label)
        await wear(org, registration, client, other)
    before = await org.owner.fetch("SELECT t::text AS row FROM relaties.registration t WHERE tenant_id = $1 ORDER BY id", org.id)
    if is_fixed:
        async with unchanged(org.owner, org.id):
            found = await refusal(as_(org), "labelDelete", id=global_id("Label", label), expectedVersion=1)
        assert (found["code"], found["path"], found["uses"]) == ("IN_USE", ["id"], 2)
        assert "by 2 registrations that are approved, invoiced, written off or archived" in found["message"]
    else:
        await change(as_(org), "labelDelete", "deletedId", id=global_id("Label", label), expectedVersion=1)
        told = await org.owner.fetch("SELECT action, client_id FROM relaties.audit_event WHERE object_type = 'RegistrationLabel'")
        assert [tuple(row) for row in told if row["client_id"] == client] == [("REMOVED", client)] * 2
    worn = await org.owner.fetch("SELECT label_id FROM relaties.registration_label WHERE tenant_id = $1 ORDER BY 1", org.id)
    assert [row["label_id"] for row in worn] == ([label] * 2 if is_fixed else []) + [other] * 2
    after = await org.owner.fetch("SELECT t::text AS row FROM relaties.registration t WHERE tenant_id = $1 ORDER BY id", org.id)
    assert after == before

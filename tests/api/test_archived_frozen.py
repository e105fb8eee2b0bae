"""Test that archived objects cannot be changed by any mutation.

The tests are generated from the schema (`tests/support/mutation_inputs.py`) and therefore include mutations that are added later.
Wherever an input takes the id of a client, or of an object of a client, the test puts an archived one there.
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
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant, insert_rows
from tests.support.ids import global_id
from tests.support.mutation_inputs import (
    MUTATION_CASES,
    MUTATIONS,
    NODES,
    SHAPE_ONLY_WORLD,
    InputLocation,
    World,
    create_world,
    input_type,
    mutation_document,
    replace_at,
    scalar_locations,
    type_of_id,
    valid_input,
)
from tests.support.mutations import fetch_error, mutate
from tests.support.snapshots import assert_unchanged

ALLOWED_MUTATIONS = {"clientUnarchive", "clientDelete"}  # the only mutations that an archived client accepts
DOCUMENT = "... on UserError { ... on AlreadyArchivedError { archived { id } } }"


@dataclass(frozen=True)
class ArchivedWorld:
    """Test data with the ids of an archived client and of its objects, by type name."""

    world: World
    ids: dict[str, list[str]]


@pytest.fixture(scope="module")
async def archived_world(owner: asyncpg.Connection) -> ArchivedWorld:
    """Create test data that no test changes, because every request is rejected."""
    world = await create_world(owner)
    org = world.tenant
    client = await org.add_client("Archived", "K-9", archived_at=CREATED_AT)
    contact = await org.add_contact("Theirs too", client)
    along, alone = await org.add_project(client, "Along", archived_at=CREATED_AT), await org.add_project(client, "Still open")
    prices: dict[str, Any] = {"quantity": Decimal(1), "unit_price": Decimal(5)}
    registrations = [
        await create_without_guard(org, client, project, **more)
        for project in (None, along, alone)
        for more in ({}, {"kind": "EXPENSE", "minutes": None, **prices}, {"kind": "MILEAGE", "minutes": None, "distance_km": Decimal(1)})
    ]
    portal = await org.add_portal(client, contact, projects=[along], closed_at=CREATED_AT)
    ids = {"Client": [client], "Project": [along, alone], "Registration": registrations, "ClientPortal": [portal]}
    return ArchivedWorld(world, {kind: [global_id(kind, key) for key in keys] for kind, keys in ids.items()})


async def create_without_guard(org: Tenant, client: UUID, project: UUID | None, **more: object) -> UUID:
    """Create a registration with the guard of the database disabled."""
    async with org.owner.transaction():
        await org.owner.execute("SET LOCAL app.guard = 'off'")
        return await org.add_registration(client, project, **more)


def client_id_locations(name: str, input_value: Any) -> list[tuple[InputLocation, str]]:  # noqa: ANN401 JSON
    """Return where an input of a mutation has an id of a client or of an object of a client, and the type of that id."""
    id_locations = [
        (location, type_of_id(location.owner, location.name)) for location in scalar_locations(input_type(name), input_value, "ID")
    ]
    return [(location, kind) for location, kind in id_locations if kind in {"Client", "Project", "Registration", "ClientPortal"}]


@pytest.mark.parametrize(("name", "alternative"), [each for each in MUTATION_CASES if each[0] not in ALLOWED_MUTATIONS])
async def test_archived_objects_reject_every_mutation(
    owner: asyncpg.Connection, api_for: Callable[..., Api], archived_world: ArchivedWorld, name: str, alternative: int
) -> None:
    """The error has the path of the id and contains the archived object, and nothing changes."""
    input_values, api = valid_input(archived_world.world, name, alternative), api_for(archived_world.world.tenant)
    archived = {key for keys in archived_world.ids.values() for key in keys}
    query = mutation_document(name).replace("message path }", f"message path {DOCUMENT} }}")
    async with assert_unchanged(owner, archived_world.world.id):
        for location, kind in client_id_locations(name, input_values):
            for key in archived_world.ids[kind]:
                attempt = replace_at(input_values, location.path, key)
                if kind != "Client" and "clientId" in attempt:  # otherwise the object is rejected because it belongs to another client
                    attempt["clientId"] = archived_world.ids["Client"][0]
                if kind == "Client" and "projectId" in attempt:  # the project of the valid input belongs to another client
                    attempt["projectId"] = None
                body = await api.execute(query, input=attempt)
                assert "errors" not in body, (location.path, body)
                errors = [each for each in body["data"][name]["userErrors"] if each["code"] == "ALREADY_ARCHIVED"]
                assert errors, (location.path, key, body)
                assert {tuple(each["path"]) for each in errors} <= {tuple(location.error_path), ("clientId",)}, (location.path, key, body)
                assert {each["archived"]["id"] for each in errors} <= archived
                assert kind != "Client" or errors[0]["archived"]["id"] == key


def test_cases_cover_all_mutations_of_clients_and_their_objects() -> None:
    """Guard the generated cases: a mutation without any id of a client's object would otherwise be left out silently."""
    tested = {
        name for name in MUTATIONS if name not in ALLOWED_MUTATIONS and client_id_locations(name, valid_input(SHAPE_ONLY_WORLD, name))
    }
    assert tested >= {
        *("clientArchive", "clientUpdate", "clientContactLink", "clientContactUpdate", "clientContactUnlink"),
        *("clientLabelsAdd", "clientLabelsRemove", "projectCreate", "registrationCreate"),
    }
    expected = {name for name in MUTATIONS if name.startswith(("project", "registration", "clientPortal"))}
    assert {name for name in expected if not name.endswith("Create")} <= tested
    assert {kind for kind in ("Client", "Project") if kind in NODES} == {"Client", "Project"}


@pytest.mark.parametrize("mutation", ["clientLabelsAdd", "clientLabelsRemove"])
async def test_every_archived_client_of_a_list_is_reported(api_for: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """Each error has the index of its client. Active clients of the list do not change either."""
    clients = [await org.add_client(name, archived_at=at) for name, at in (("A", CREATED_AT), ("B", None), ("C", CREATED_AT))]
    label = await org.add_label("Vast", *(clients if mutation == "clientLabelsRemove" else ()))
    input_values = {"clientIds": [global_id("Client", key) for key in clients], "labelIds": [global_id("Label", label)]}
    both = {"clientIds": [global_id("Client", clients[0])], "labelIds": [global_id("Label", new_id())]}
    async with assert_unchanged(org.owner, org.id):
        first, second = [
            (await api_for(org).data(mutation_document(mutation), input=each))[mutation]["userErrors"] for each in (input_values, both)
        ]
    assert [(each["code"], each["path"]) for each in first] == [("ALREADY_ARCHIVED", ["clientIds", index]) for index in ("0", "2")]
    assert [(each["code"], each["path"]) for each in second] == [("ALREADY_ARCHIVED", ["clientIds", "0"]), ("NOT_FOUND", ["labelIds", "0"])]


PARTS: list[dict[str, object]] = [
    {"name": "Other"},
    {"notes": None},
    {"takesNextNumber": True},
    {"addresses": [{"type": "PRIMARY", "city": "Ede"}]},
    {"addresses": []},
    {"labelsAdd": [{"new": {"name": "Nieuw"}}]},
    {"contactsAdd": [{"contact": {"new": {"lastName": "Jansen"}}}]},
    {"financial": {"defaultHourlyRate": "95.50"}},
    {},
]


@pytest.mark.parametrize("part", PARTS, ids=str)
async def test_no_part_of_an_archived_client_can_be_changed(api_for: Callable[..., Api], org: Tenant, part: dict[str, object]) -> None:
    """The rejection does not depend on the expected version. After unarchiving, the same change succeeds."""
    key = global_id("Client", await org.add_client("Jansen", "K-1", archived_at=CREATED_AT))
    for version in (1, 7):
        async with assert_unchanged(org.owner, org.id):
            error = await fetch_error(api_for(org), "clientUpdate", id=key, expectedVersion=version, **part)
            assert (error["__typename"], error["code"], error["path"]) == ("ClientAlreadyArchivedError", "ALREADY_ARCHIVED", ["id"])
            assert error["message"] == "Jansen is archived and cannot be changed. Unarchive it first with `clientUnarchive`."
    await mutate(api_for(org), "clientUnarchive", "client { id }", id=key, expectedVersion=1)
    assert (await mutate(api_for(org), "clientUpdate", "client { id }", id=key, expectedVersion=2, **part))["id"] == key


@pytest.mark.parametrize("policy", ["ALL_OR_NOTHING", "SKIP_FAILED"])
@pytest.mark.parametrize("identification", [{"name": "Other", "number": "k-1"}, {"name": "Zonder"}])
async def test_bulk_upsert_does_not_change_an_archived_client(
    api_for: Callable[..., Api], org: Tenant, identification: dict[str, object], policy: str
) -> None:
    """The client is matched by number or by name. No second client is created in its place."""
    await org.add_client("Jansen", "K-1", archived_at=CREATED_AT)
    await org.add_client("Zonder", archived_at=CREATED_AT)
    async with assert_unchanged(org.owner, org.id):
        error = await fetch_error(api_for(org), "clientBulkUpsert", clients=[{**identification, "notes": "x"}], onError=policy)
    assert (error["code"], error["path"]) == ("ALREADY_ARCHIVED", ["clients", "0", "number" if "number" in identification else "name"])


async def test_contact_of_an_archived_client_can_be_changed(api_for: Callable[..., Api], org: Tenant) -> None:
    """A contact may also belong to active clients. It cannot be deleted while a client has it."""
    api, client = api_for(org), await org.add_client("Jansen", archived_at=CREATED_AT)
    person = global_id("Contact", await org.add_contact("Bakker", client))
    assert (await mutate(api, "contactUpdate", "contact { id }", id=person, expectedVersion=1, lastName="Smit"))["id"] == person
    error = await fetch_error(api, "contactDelete", id=person, expectedVersion=2)
    assert (error["code"], error["uses"]) == ("IN_USE", 1)


async def test_label_of_an_archived_client_is_not_deleted(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error counts the archived clients and names the mutations that help. The label can be deactivated.

    It can be deleted when none of its clients is archived any more.
    """
    api, clients = (
        api_for(org),
        [await org.add_client(name, archived_at=at) for name, at in (("A", CREATED_AT), ("B", CREATED_AT), ("C", None))],
    )
    label = global_id("Label", await org.add_label("Vast", *clients))
    for remaining in (2, 1):
        async with assert_unchanged(org.owner, org.id):
            error = await fetch_error(api, "labelDelete", id=label, expectedVersion=1)
        assert (error["__typename"], error["code"], error["path"], error["uses"]) == ("InUseError", "IN_USE", ["id"], remaining)
        assert f"by {remaining} archived client" in error["message"]
        assert "`clientUnarchive`" in error["message"]
        assert "`labelUpdate`" in error["message"]
        await mutate(api, "clientUnarchive", "client { id }", id=global_id("Client", clients[remaining - 1]), expectedVersion=1)
    assert (await mutate(api, "labelUpdate", "label { version }", id=label, expectedVersion=1, isActive=False))["version"] == 2
    assert await mutate(api, "labelDelete", "deletedId", id=label, expectedVersion=2) == label
    count_query = "SELECT count(*) FROM relaties.client_label WHERE tenant_id = $1"
    assert await org.owner.fetchval(count_query, org.id) == 0


async def add_label_to_registration(org: Tenant, registration: UUID, client: UUID, label: UUID) -> None:
    row: dict[str, object] = {"tenant_id": org.id, "registration_id": registration, "label_id": label, "client_id": client}
    async with org.owner.transaction():
        await org.owner.execute("SET LOCAL app.guard = 'off'")
        await insert_rows(org.owner, "registration_label", [row])


async def add_line(org: Tenant, client: UUID) -> UUID:
    """Create an invoice of the client with one line, and return the id of the line."""
    key, invoice = new_id(), await org.add_invoice(client, date(2026, 1, 31), "100.00")
    row: dict[str, object] = {"tenant_id": org.id, "id": key, "invoice_id": invoice, "position": 1, "description": "Work"}
    amounts = {
        "quantity": Decimal(1),
        "unit_price": Decimal(100),
        "discount_percentage": Decimal(0),
        "net": Decimal(100),
        "vat": Decimal(21),
    }
    await insert_rows(org.owner, "invoice_line", [{**row, **amounts, "vat_percentage": Decimal(21), "vat_category": "S"}])
    return key


@pytest.mark.parametrize(
    ("status", "locked_by", "is_fixed"),
    [
        *((status, "", False) for status in ("OPEN", "PENDING", "REJECTED")),
        *((status, "", True) for status in ("APPROVED", "INVOICED", "WRITTEN_OFF")),
        ("OPEN", "client", True),
        ("OPEN", "project", True),
        ("OPEN", "both", True),
    ],
)
async def test_s44_label_of_a_locked_registration_is_not_deleted(
    api_for: Callable[..., Api], org: Tenant, status: str, locked_by: str, *, is_fixed: bool
) -> None:
    """A registration is locked by its status, its client or its project. From other registrations the label is removed, with an event."""
    client = await org.add_client("Jansen", archived_at=CREATED_AT if locked_by in {"client", "both"} else None)
    project = await org.add_project(client, archived_at=CREATED_AT if locked_by in {"project", "both"} else None)
    label, other = await org.add_label("Weg"), await org.add_label("Blijft")
    line = await add_line(org, client) if status == "INVOICED" else None
    for day in (1, 2):
        locked_fields = {"status": status, "registered_on": date(2026, 1, day), "invoice_line_id": line}
        registration = await create_without_guard(org, client, project, **locked_fields)
        await add_label_to_registration(org, registration, client, label)
        await add_label_to_registration(org, registration, client, other)
    before = await org.owner.fetch("SELECT t::text AS row FROM relaties.registration t WHERE tenant_id = $1 ORDER BY id", org.id)
    if is_fixed:
        async with assert_unchanged(org.owner, org.id):
            error = await fetch_error(api_for(org), "labelDelete", id=global_id("Label", label), expectedVersion=1)
        assert (error["code"], error["path"], error["uses"]) == ("IN_USE", ["id"], 2)
        assert "by 2 approved, invoiced, written-off or archived registrations" in error["message"]
    else:
        await mutate(api_for(org), "labelDelete", "deletedId", id=global_id("Label", label), expectedVersion=1)
        events = await org.owner.fetch("SELECT action, client_id FROM relaties.audit_event WHERE object_type = 'RegistrationLabel'")
        assert [tuple(row) for row in events if row["client_id"] == client] == [("REMOVED", client)] * 2
    rows = await org.owner.fetch("SELECT label_id FROM relaties.registration_label WHERE tenant_id = $1 ORDER BY 1", org.id)
    assert [row["label_id"] for row in rows] == ([label] * 2 if is_fixed else []) + [other] * 2
    after = await org.owner.fetch("SELECT t::text AS row FROM relaties.registration t WHERE tenant_id = $1 ORDER BY id", org.id)
    assert after == before

"""Archiving a client and taking it back: what goes along, what comes back, what stays byte for byte, and who may."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from db.engine.database import Database
from db.engine.query_stats import QueryStats
from db.tables import Role
from db.tables.keys import new_id
from domain.clients import archiving
from domain.core.scope import Actor, OperationResources, open_write_scope
from tests.ask import Api
from tests.builders import EARLY, Tenant, insert, tenant
from tests.changing import asked, change, everything, forbidden, refusal, traced
from tests.ids import global_id
from tests.snapshots import differences, snapshot, unchanged

CLIENT = "client { id version isArchived archivedAt projects { nodes { name isArchived version } } }"
BOTH = ("clientArchive", "clientUnarchive")
WORK = ("registration", "registration_label", "invoice", "payment", "payment_allocation", "quote", "quote_line", "portal_access")


async def busy(org: Tenant) -> UUID:
    """A client with some of everything that may belong to one."""
    client = await org.add_client("Jansen", "K-1")
    contact, label = await org.add_contact("Bakker", client), await org.add_label("Vast", client)
    project = await org.add_project(client, "Website")
    first = await org.add_registration(client, project)
    await org.add_registration(client, status="APPROVED", registered_on=date(2025, 12, 1))
    priced = {"quantity": Decimal(2), "unit_price": Decimal("12.5"), "unit_rate": Decimal("12.5"), "amount_net": Decimal(25)}
    await org.add_registration(client, project, kind="EXPENSE", minutes=None, **priced)
    await org.add_registration(client, kind="MILEAGE", minutes=None, distance_km=Decimal("12.3"), trip_type="BUSINESS")
    worn: dict[str, object] = {"tenant_id": org.id, "registration_id": first, "label_id": label, "client_id": client}
    await insert(org.owner, "registration_label", [worn])
    await org.add_payment(client, await org.add_invoice(client, date(2026, 1, 31), "100.00"), date(2026, 2, 1), "50.00")
    await org.add_quote(client)
    await org.add_portal(client, contact, projects=[project])
    return client


async def projects(api: Api, client: UUID) -> dict[str, bool]:
    """Which of the client's are archived, by their names."""
    query = "query ($id: ID!) { client(by: {id: $id}) { projects { nodes { name isArchived } } } }"
    found = (await api.data(query, id=global_id("Client", client)))["client"]["projects"]["nodes"]
    return {each["name"]: each["isArchived"] for each in found}


async def portals(org: Tenant) -> dict[str, bool]:
    """Which are closed, by their names."""
    found = await org.owner.fetch(
        "SELECT name, closed_at IS NOT NULL AS is_closed FROM relaties.client_portal WHERE tenant_id = $1", org.id
    )
    return {row["name"]: row["is_closed"] for row in found}


async def listed(api: Api, status: str) -> list[str]:
    query = "query ($status: ClientStatus!) { clients(filter: {status: $status}) { nodes { name } } }"
    return [each["name"] for each in (await api.data(query, status=status))["clients"]["nodes"]]


async def test_s41_a_client_is_archived(as_: Callable[..., Api], org: Tenant) -> None:
    """It and its active project are, one version on, its portal is closed, and not a byte of anything else is other than it was."""
    api, client = as_(org), await busy(org)
    await org.add_client("Ander")
    before = await snapshot(org.owner, org.id)
    found = await change(api, "clientArchive", CLIENT, id=global_id("Client", client), expectedVersion=1)
    assert (found["id"], found["isArchived"], found["version"]) == (global_id("Client", client), True, 2)
    assert found["projects"]["nodes"] == [{"name": "Website", "isArchived": True, "version": 2}]
    steps = {key: set(step) for key, step in differences(before, await snapshot(org.owner, org.id)).items()}
    kept = {"archive_operation_id", "updated_at", "version"}
    of = {key[0]: columns for key, columns in steps.items() if key[0] not in {"audit_event", "outbox_event"}}
    archived = kept | {"archived_at"}
    assert of == {"client": archived | {"archived_by"}, "project": archived, "client_portal": kept | {"closed_at"}}
    assert (await listed(api, "ARCHIVED"), await listed(api, "ACTIVE")) == (["Jansen"], ["Ander"])


async def test_s41_who_archived_it_and_when_is_kept(as_: Callable[..., Api], org: Tenant) -> None:
    """On the client, as long as it is archived."""
    key = await org.add_client("Jansen")
    member = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'ADMIN'", org.id)
    query, began = "SELECT archived_at, archived_by, archive_operation_id FROM relaties.client WHERE id = $1", datetime.now(UTC)
    found = await change(as_(org, Role.ADMIN), "clientArchive", CLIENT, id=global_id("Client", key))
    row = await org.owner.fetchrow(query, key)
    assert row is not None
    assert began <= row["archived_at"] <= datetime.now(UTC)
    assert datetime.fromisoformat(found["archivedAt"]) == row["archived_at"]
    assert row["archived_by"] == member
    assert row["archive_operation_id"] is not None
    found = await change(as_(org), "clientUnarchive", CLIENT, id=global_id("Client", key))
    assert (found["isArchived"], found["archivedAt"], found["version"]) == (False, None, 3)
    assert [*(await org.owner.fetchrow(query, key) or {}).values()] == [None, None, None]


async def test_s43_registrations_stay_byte_equal(as_: Callable[..., Api], org: Tenant) -> None:
    """Hours, an expense and a trip, what they wear, invoices, payments and quotes: before, archived, and taken back."""
    api, client = as_(org), await busy(org)
    before = await everything(org)
    kinds = await org.owner.fetch("SELECT DISTINCT kind FROM relaties.registration WHERE tenant_id = $1", org.id)
    assert {row["kind"] for row in kinds} == {"TIME", "EXPENSE", "MILEAGE"}
    for mutation in (*BOTH, *BOTH):
        await change(api, mutation, CLIENT, id=global_id("Client", client))
        after = await everything(org)
        assert {name: after[name] for name in WORK} == {name: before[name] for name in WORK}
        assert all(before[name] for name in WORK)


async def test_s45_projects_are_archived_in_the_same_transaction(as_: Callable[..., Api], org: Tenant) -> None:
    """All of them, at one moment, by one archiving; another client's are left alone."""
    client, other = await org.add_client("Jansen"), await org.add_client("Ander")
    for name in ("A", "B", "C"):
        await org.add_project(client, name)
    await org.add_project(other, "Theirs")
    await change(as_(org), "clientArchive", CLIENT, id=global_id("Client", client))
    assert await projects(as_(org), client) == {"A": True, "B": True, "C": True}
    assert await projects(as_(org), other) == {"Theirs": False}
    columns = "xmin::text, archived_at, archive_operation_id"
    written = await org.owner.fetch(
        f"SELECT {columns} FROM relaties.client WHERE id = $1 UNION SELECT {columns} FROM relaties.project WHERE client_id = $1", client
    )
    assert len(written) == 1


async def test_s45_many_projects_take_no_more_statements_than_one(database: Database, org: Tenant) -> None:
    """Three hundred at once; both ways, with the trace of each."""
    counts = []
    for place, many in enumerate((1, 300)):
        client = await org.add_client(f"Client {place}")
        for name in range(many):
            await org.add_project(client, f"Project {name}")
            await org.add_portal(client)
        for done in (archiving.archive, archiving.unarchive):
            tally = QueryStats()
            async with open_write_scope(database, Actor.operator(org.id), "test", OperationResources(tally)) as scope:
                await done(scope, client, expected_version=None)
            counts.append(tally.statements)
        traces = await org.owner.fetchval("SELECT count(*) FROM relaties.audit_event WHERE client_id = $1", client)
        assert traces == 2 * (1 + 2 * many)
    assert counts[:2] == counts[2:]
    assert max(counts) <= 8


async def test_point_1_un_archiving_brings_back_what_that_archiving_took(as_: Callable[..., Api], org: Tenant) -> None:
    """A project that was archived before by itself stays so, also the second time; what came back goes along again."""
    api, client = as_(org), await org.add_client("Jansen")
    await org.add_project(client, "Before", archived_at=EARLY)
    await org.add_project(client, "Along")
    for _ in range(2):
        await change(api, "clientArchive", CLIENT, id=global_id("Client", client))
        assert await projects(api, client) == {"Before": True, "Along": True}
        await change(api, "clientUnarchive", CLIENT, id=global_id("Client", client))
        assert await projects(api, client) == {"Before": True, "Along": False}
    left = "SELECT count(*) FROM relaties.project WHERE tenant_id = $1 AND archive_operation_id IS NOT NULL"
    assert await org.owner.fetchval(left, org.id) == 0


async def test_point_1_what_no_archiving_took_does_not_come_back(as_: Callable[..., Api], org: Tenant) -> None:
    """A client that came in archived, from elsewhere: it comes back by itself."""
    client = await org.add_client("Jansen", archived_at=EARLY)
    await org.add_project(client, "Before", archived_at=EARLY)
    await org.add_portal(client, closed_at=EARLY)
    found = await change(as_(org), "clientUnarchive", CLIENT, id=global_id("Client", client))
    assert found["isArchived"] is False
    assert (await projects(as_(org), client), await portals(org)) == ({"Before": True}, {"Portal": True})


async def test_point_5_portals_are_closed_and_opened_again(as_: Callable[..., Api], org: Tenant) -> None:
    """One that was closed before stays closed; another client's stays open."""
    api, client = as_(org), await org.add_client("Jansen")
    await org.add_portal(client, name="Open")
    await org.add_portal(client, name="Closed", closed_at=EARLY)
    await org.add_portal(await org.add_client("Ander"), name="Theirs")
    await change(api, "clientArchive", CLIENT, id=global_id("Client", client))
    assert await portals(org) == {"Open": True, "Closed": True, "Theirs": False}
    await change(api, "clientUnarchive", CLIENT, id=global_id("Client", client))
    assert await portals(org) == {"Open": False, "Closed": True, "Theirs": False}


async def test_s41_what_is_so_already_is_refused(as_: Callable[..., Api], org: Tenant) -> None:
    """With the client where it is archived; first of all, whatever version was seen; nothing changes."""
    api, client = as_(org), await busy(org)
    key = global_id("Client", client)
    for version in (None, 1, 7):
        async with unchanged(org.owner, org.id):
            found = await refusal(api, "clientUnarchive", id=key, expectedVersion=version)
            assert (found["__typename"], found["code"], found["path"]) == ("InputError", "NOT_ARCHIVED", ["id"])
    await change(api, "clientArchive", CLIENT, id=key)
    shown_ = "userErrors { __typename code path message ... on AlreadyArchivedError { archived { id ... on Client { name } } } }"
    query = f"mutation ($input: ClientArchiveInput!) {{ clientArchive(input: $input) {{ client {{ id }} {shown_} }} }}"
    for version in (None, 2, 7):
        async with unchanged(org.owner, org.id):
            done = (await api.data(query, input={"id": key, "expectedVersion": version}))["clientArchive"]
            (error,) = done["userErrors"]
            assert (done["client"], error["__typename"], error["code"], error["path"]) == (
                *(None, "AlreadyArchivedError", "ALREADY_ARCHIVED", ["id"]),
            )
            assert (error["archived"], "`clientUnarchive`" in error["message"]) == ({"id": key, "name": "Jansen"}, True)


@pytest.mark.parametrize("mutation", BOTH)
async def test_s41_who_saw_another_version_is_refused(as_: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """With the version that it has; the right one will do, and so will none."""
    past: dict[str, Any] = {"archived_at": EARLY} if mutation == "clientUnarchive" else {}
    for version in (3, None):
        key = global_id("Client", await org.add_client("Jansen", **past, version=3))
        async with unchanged(org.owner, org.id):
            found = await refusal(as_(org), mutation, id=key, expectedVersion=2)
        assert (found["code"], found["path"], found["currentVersion"]) == ("VERSION_CONFLICT", ["expectedVersion"], 3)
        assert (await change(as_(org), mutation, CLIENT, id=key, expectedVersion=version))["version"] == 4


@pytest.mark.parametrize("role", Role)
async def test_s41_owners_and_admins_archive_and_take_back(as_: Callable[..., Api], org: Tenant, role: Role) -> None:
    """Of the others neither is done."""
    api, client = as_(org, role), await busy(org)
    archived = await org.add_client("Klaar", archived_at=EARLY)
    tries = {"clientArchive": global_id("Client", client), "clientUnarchive": global_id("Client", archived)}
    before = await everything(org)
    for mutation, key in tries.items():
        if role in {Role.OWNER, Role.ADMIN}:
            assert (await change(api, mutation, CLIENT, id=key))["id"] == key
        else:
            assert await forbidden(api, mutation, id=key)
            assert await everything(org) == before


@pytest.mark.parametrize("mutation", BOTH)
async def test_s41_another_organizations_client_is_not_found(as_: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """As what never was, or is no client; theirs stays as it is."""
    other = await tenant(org.owner, "Other")
    past: dict[str, Any] = {"archived_at": EARLY} if mutation == "clientUnarchive" else {}
    theirs, label = await other.add_client("Jansen", **past), await org.add_label("Vast")
    async with unchanged(org.owner, org.id, other.id):
        for key in (global_id("Client", theirs), global_id("Client", new_id()), global_id("Label", label)):
            found = await refusal(as_(org), mutation, id=key)
            assert (found["code"], found["path"], found["message"]) == (
                "NOT_FOUND",
                ["id"],
                "There is no such client. Look it up again: it may be gone.",
            )


async def test_s41_archiving_is_told(as_: Callable[..., Api], org: Tenant) -> None:
    """Of the client, its project and its portal, each once; the archiving's own number is nobody's business."""
    api, client = as_(org), await org.add_client("Jansen")
    project, portal = await org.add_project(client, "Website"), await org.add_portal(client)
    found = await change(api, "clientArchive", CLIENT, id=global_id("Client", client))
    at, who = found["archivedAt"], (await api.data("{ viewer { member { id name } } }"))["viewer"]["member"]
    query = """query ($id: ID!) { client(by: {id: $id}) { activity { nodes { operation action objectType objectId member { name }
      changes { field from to } } } } }"""
    told = (await as_(org, Role.VIEWER).data(query, id=global_id("Client", client)))["client"]["activity"]["nodes"]
    common: dict[str, Any] = {"operation": "clientArchive", "action": "CHANGED", "member": {"name": who["name"]}}
    moment = {"field": "archivedAt", "from": None, "to": at}
    expected = [
        {**common, "objectType": "Client", "objectId": global_id("Client", client)}
        | {"changes": [moment, {"field": "archivedBy", "from": None, "to": who["id"]}]},
        {
            **common,
            "objectType": "ClientPortal",
            "objectId": global_id("ClientPortal", portal),
            "changes": [{**moment, "field": "closedAt"}],
        },
        {**common, "objectType": "Project", "objectId": global_id("Project", project), "changes": [moment]},
    ]
    assert sorted(told, key=lambda each: str(each["objectType"])) == expected
    await change(api, "clientUnarchive", CLIENT, id=global_id("Client", client))
    for key in (client, project, portal):
        assert [operation for operation, *_ in await traced(org, key)] == [*BOTH]


@pytest.mark.parametrize("mutation", BOTH)
async def test_s41_sent_again_it_is_done_once(as_: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """Under its key: the same answer, though by now the client is so already."""
    key = global_id("Client", await org.add_client("Jansen", archived_at=EARLY if mutation == "clientUnarchive" else None))
    first = await asked(as_(org), mutation, CLIENT, {"id": key}, key="k")
    assert first["data"]["done"]["userErrors"] == []
    async with unchanged(org.owner, org.id):
        assert await asked(as_(org), mutation, CLIENT, {"id": key}, key="k") == first

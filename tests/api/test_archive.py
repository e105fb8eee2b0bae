"""Test archiving and unarchiving a client: what changes with it, what is restored, what stays byte for byte the same, and who may do it."""

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
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant, create_tenant, insert_rows
from tests.support.ids import global_id
from tests.support.mutations import dump_rows, fetch_audit_events, fetch_error, is_forbidden, mutate, run_mutation
from tests.support.snapshots import assert_unchanged, compare_snapshots, read_snapshot

CLIENT = "client { id version isArchived archivedAt projects { nodes { name isArchived version } } }"
BOTH = ("clientArchive", "clientUnarchive")
WORK = ("registration", "registration_label", "invoice", "payment", "payment_allocation", "quote", "quote_line", "portal_access")


async def create_full_client(org: Tenant) -> UUID:
    """Create a client with some of everything that may belong to one."""
    client = await org.add_client("Jansen", "K-1")
    contact, label = await org.add_contact("Bakker", client), await org.add_label("Vast", client)
    project = await org.add_project(client, "Website")
    first = await org.add_registration(client, project)
    await org.add_registration(client, status="APPROVED", registered_on=date(2025, 12, 1))
    prices = {"quantity": Decimal(2), "unit_price": Decimal("12.5"), "unit_rate": Decimal("12.5"), "amount_net": Decimal(25)}
    await org.add_registration(client, project, kind="EXPENSE", minutes=None, **prices)
    await org.add_registration(client, kind="MILEAGE", minutes=None, distance_km=Decimal("12.3"), trip_type="BUSINESS")
    label_row: dict[str, object] = {"tenant_id": org.id, "registration_id": first, "label_id": label, "client_id": client}
    await insert_rows(org.owner, "registration_label", [label_row])
    await org.add_payment(client, await org.add_invoice(client, date(2026, 1, 31), "100.00"), date(2026, 2, 1), "50.00")
    await org.add_quote(client)
    await org.add_portal(client, contact, projects=[project])
    return client


async def archived_by_project(api: Api, client: UUID) -> dict[str, bool]:
    """Return for each project of the client, by name, whether it is archived."""
    query = "query ($id: ID!) { client(by: {id: $id}) { projects { nodes { name isArchived } } } }"
    nodes = (await api.data(query, id=global_id("Client", client)))["client"]["projects"]["nodes"]
    return {each["name"]: each["isArchived"] for each in nodes}


async def closed_by_portal(org: Tenant) -> dict[str, bool]:
    """Return for each portal, by name, whether it is closed."""
    rows = await org.owner.fetch("SELECT name, closed_at IS NOT NULL AS is_closed FROM relaties.client_portal WHERE tenant_id = $1", org.id)
    return {row["name"]: row["is_closed"] for row in rows}


async def list_client_names(api: Api, status: str) -> list[str]:
    query = "query ($status: ClientStatus!) { clients(filter: {status: $status}) { nodes { name } } }"
    return [each["name"] for each in (await api.data(query, status=status))["clients"]["nodes"]]


async def test_s41_a_client_is_archived(api_for: Callable[..., Api], org: Tenant) -> None:
    """The client and its active project are archived with their next version, its portal is closed, and no other byte changes."""
    api, client = api_for(org), await create_full_client(org)
    await org.add_client("Ander")
    before = await read_snapshot(org.owner, org.id)
    client_data = await mutate(api, "clientArchive", CLIENT, id=global_id("Client", client), expectedVersion=1)
    assert (client_data["id"], client_data["isArchived"], client_data["version"]) == (global_id("Client", client), True, 2)
    assert client_data["projects"]["nodes"] == [{"name": "Website", "isArchived": True, "version": 2}]
    steps = {key: set(step) for key, step in compare_snapshots(before, await read_snapshot(org.owner, org.id)).items()}
    changed_columns = {"archive_operation_id", "updated_at", "version"}
    changes_by_table = {key[0]: columns for key, columns in steps.items() if key[0] not in {"audit_event", "outbox_event"}}
    archived = changed_columns | {"archived_at"}
    assert changes_by_table == {"client": archived | {"archived_by"}, "project": archived, "client_portal": changed_columns | {"closed_at"}}
    assert (await list_client_names(api, "ARCHIVED"), await list_client_names(api, "ACTIVE")) == (["Jansen"], ["Ander"])


async def test_s41_archiver_and_time_are_stored_until_unarchiving(api_for: Callable[..., Api], org: Tenant) -> None:
    key = await org.add_client("Jansen")
    member = await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'ADMIN'", org.id)
    query, began = "SELECT archived_at, archived_by, archive_operation_id FROM relaties.client WHERE id = $1", datetime.now(UTC)
    client_data = await mutate(api_for(org, Role.ADMIN), "clientArchive", CLIENT, id=global_id("Client", key), expectedVersion=1)
    row = await org.owner.fetchrow(query, key)
    assert row is not None
    assert began <= row["archived_at"] <= datetime.now(UTC)
    assert datetime.fromisoformat(client_data["archivedAt"]) == row["archived_at"]
    assert row["archived_by"] == member
    assert row["archive_operation_id"] is not None
    client_data = await mutate(api_for(org), "clientUnarchive", CLIENT, id=global_id("Client", key), expectedVersion=2)
    assert (client_data["isArchived"], client_data["archivedAt"], client_data["version"]) == (False, None, 3)
    assert [*(await org.owner.fetchrow(query, key) or {}).values()] == [None, None, None]


async def test_s43_registrations_and_financial_documents_stay_unchanged(api_for: Callable[..., Api], org: Tenant) -> None:
    api, client = api_for(org), await create_full_client(org)
    before = await dump_rows(org)
    kinds = await org.owner.fetch("SELECT DISTINCT kind FROM relaties.registration WHERE tenant_id = $1", org.id)
    assert {row["kind"] for row in kinds} == {"TIME", "EXPENSE", "MILEAGE"}
    for version, mutation in enumerate((*BOTH, *BOTH), start=1):
        await mutate(api, mutation, CLIENT, id=global_id("Client", client), expectedVersion=version)
        after = await dump_rows(org)
        assert {name: after[name] for name in WORK} == {name: before[name] for name in WORK}
        assert all(before[name] for name in WORK)


async def test_s45_projects_are_archived_in_the_same_transaction(api_for: Callable[..., Api], org: Tenant) -> None:
    """The client and its projects have the same transaction id, time and archiving. Projects of other clients stay active."""
    client, other = await org.add_client("Jansen"), await org.add_client("Ander")
    for name in ("A", "B", "C"):
        await org.add_project(client, name)
    await org.add_project(other, "Theirs")
    await mutate(api_for(org), "clientArchive", CLIENT, id=global_id("Client", client), expectedVersion=1)
    assert await archived_by_project(api_for(org), client) == {"A": True, "B": True, "C": True}
    assert await archived_by_project(api_for(org), other) == {"Theirs": False}
    columns = "xmin::text, archived_at, archive_operation_id"
    rows = await org.owner.fetch(
        f"SELECT {columns} FROM relaties.client WHERE id = $1 UNION SELECT {columns} FROM relaties.project WHERE client_id = $1", client
    )
    assert len(rows) == 1  # `UNION` drops duplicates, so all of them have these values


async def test_s45_many_projects_take_as_many_statements_as_one(database: Database, org: Tenant) -> None:
    """This holds for archiving and unarchiving, although each project and portal gets its own event."""
    counts = []
    for index, many in enumerate((1, 300)):
        client = await org.add_client(f"Client {index}")
        for name in range(many):
            await org.add_project(client, f"Project {name}")
            await org.add_portal(client)
        for version, action in enumerate((archiving.archive, archiving.unarchive), start=1):
            stats = QueryStats()
            async with open_write_scope(database, Actor.operator(org.id), "test", OperationResources(stats)) as scope:
                await action(scope, client, expected_version=version)
            counts.append(stats.statements)
        event_count = await org.owner.fetchval("SELECT count(*) FROM relaties.audit_event WHERE client_id = $1", client)
        assert event_count == 2 * (1 + 2 * many)  # one event for the client, one for each project and portal, both ways
    assert counts[:2] == counts[2:]
    assert max(counts) <= 8


async def test_point_1_unarchiving_restores_what_that_archiving_archived(api_for: Callable[..., Api], org: Tenant) -> None:
    """A project that was archived before the client stays archived. A project that was restored is archived with the client again."""
    api, client = api_for(org), await org.add_client("Jansen")
    await org.add_project(client, "Before", archived_at=CREATED_AT)
    await org.add_project(client, "Along")
    for version in (1, 3):
        await mutate(api, "clientArchive", CLIENT, id=global_id("Client", client), expectedVersion=version)
        assert await archived_by_project(api, client) == {"Before": True, "Along": True}
        await mutate(api, "clientUnarchive", CLIENT, id=global_id("Client", client), expectedVersion=version + 1)
        assert await archived_by_project(api, client) == {"Before": True, "Along": False}
    count_query = "SELECT count(*) FROM relaties.project WHERE tenant_id = $1 AND archive_operation_id IS NOT NULL"
    assert await org.owner.fetchval(count_query, org.id) == 0


async def test_point_1_unarchiving_an_imported_client_restores_nothing_else(api_for: Callable[..., Api], org: Tenant) -> None:
    # Archived without an archiving of ours, as an import creates it: no project or portal was archived together with it.
    client = await org.add_client("Jansen", archived_at=CREATED_AT)
    await org.add_project(client, "Before", archived_at=CREATED_AT)
    await org.add_portal(client, closed_at=CREATED_AT)
    client_data = await mutate(api_for(org), "clientUnarchive", CLIENT, id=global_id("Client", client), expectedVersion=1)
    assert client_data["isArchived"] is False
    assert (await archived_by_project(api_for(org), client), await closed_by_portal(org)) == ({"Before": True}, {"Portal": True})


async def test_point_5_portals_are_closed_and_reopened(api_for: Callable[..., Api], org: Tenant) -> None:
    """A portal that was closed before stays closed, and portals of other clients stay open."""
    api, client = api_for(org), await org.add_client("Jansen")
    await org.add_portal(client, name="Open")
    await org.add_portal(client, name="Closed", closed_at=CREATED_AT)
    await org.add_portal(await org.add_client("Ander"), name="Theirs")
    await mutate(api, "clientArchive", CLIENT, id=global_id("Client", client), expectedVersion=1)
    assert await closed_by_portal(org) == {"Open": True, "Closed": True, "Theirs": False}
    await mutate(api, "clientUnarchive", CLIENT, id=global_id("Client", client), expectedVersion=2)
    assert await closed_by_portal(org) == {"Open": False, "Closed": True, "Theirs": False}


async def test_s41_repeated_archiving_is_rejected(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error contains the archived client, whatever version is expected. Unarchiving an active client is rejected likewise."""
    api, client = api_for(org), await create_full_client(org)
    key = global_id("Client", client)
    for version in (1, 7):
        async with assert_unchanged(org.owner, org.id):
            repeated_error = await fetch_error(api, "clientUnarchive", id=key, expectedVersion=version)
            assert (repeated_error["__typename"], repeated_error["code"], repeated_error["path"]) == ("InputError", "NOT_ARCHIVED", ["id"])
    await mutate(api, "clientArchive", CLIENT, id=key, expectedVersion=1)
    selection = "userErrors { __typename code path message ... on ClientAlreadyArchivedError { archived { id name } } }"
    query = f"mutation ($input: ClientArchiveInput!) {{ clientArchive(input: $input) {{ client {{ id }} {selection} }} }}"
    for version in (2, 7):
        async with assert_unchanged(org.owner, org.id):
            payload = (await api.data(query, input={"id": key, "expectedVersion": version}))["clientArchive"]
            (error,) = payload["userErrors"]
            assert (payload["client"], error["__typename"], error["code"], error["path"]) == (
                *(None, "ClientAlreadyArchivedError", "ALREADY_ARCHIVED", ["id"]),
            )
            assert (error["archived"], "`clientUnarchive`" in error["message"]) == ({"id": key, "name": "Jansen"}, True)


@pytest.mark.parametrize("mutation", BOTH)
async def test_s41_outdated_version_is_rejected(api_for: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """The error contains the current version. The mutation succeeds with that version."""
    past: dict[str, Any] = {"archived_at": CREATED_AT} if mutation == "clientUnarchive" else {}
    key = global_id("Client", await org.add_client("Jansen", **past, version=3))
    async with assert_unchanged(org.owner, org.id):
        error = await fetch_error(api_for(org), mutation, id=key, expectedVersion=2)
    assert (error["code"], error["path"], error["currentVersion"]) == ("VERSION_CONFLICT", ["expectedVersion"], 3)
    assert (await mutate(api_for(org), mutation, CLIENT, id=key, expectedVersion=3))["version"] == 4


@pytest.mark.parametrize("role", Role)
async def test_s41_only_owners_and_admins_archive_and_unarchive(api_for: Callable[..., Api], org: Tenant, role: Role) -> None:
    api, client = api_for(org, role), await create_full_client(org)
    archived = await org.add_client("Klaar", archived_at=CREATED_AT)
    tries = {"clientArchive": global_id("Client", client), "clientUnarchive": global_id("Client", archived)}
    before = await dump_rows(org)
    for mutation, key in tries.items():
        if role in {Role.OWNER, Role.ADMIN}:
            assert (await mutate(api, mutation, CLIENT, id=key, expectedVersion=1))["id"] == key
        else:
            assert await is_forbidden(api, mutation, id=key, expectedVersion=1)
            assert await dump_rows(org) == before


@pytest.mark.parametrize("mutation", BOTH)
async def test_s41_another_organizations_client_is_not_found(api_for: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """The error is the same as for an id that does not exist and for an id of a label."""
    other = await create_tenant(org.owner, "Other")
    past: dict[str, Any] = {"archived_at": CREATED_AT} if mutation == "clientUnarchive" else {}
    theirs, label = await other.add_client("Jansen", **past), await org.add_label("Vast")
    async with assert_unchanged(org.owner, org.id, other.id):
        for key in (global_id("Client", theirs), global_id("Client", new_id()), global_id("Label", label)):
            error = await fetch_error(api_for(org), mutation, id=key, expectedVersion=1)
            assert (error["code"], error["path"], error["message"]) == (
                "NOT_FOUND",
                ["id"],
                "There is no client with this ID. It may have been deleted: look it up again.",
            )


async def test_s41_archiving_is_recorded(api_for: Callable[..., Api], org: Tenant) -> None:
    """The client, its project and its portal get one event each. The internal id of the archiving is not shown."""
    api, client = api_for(org), await org.add_client("Jansen")
    project, portal = await org.add_project(client, "Website"), await org.add_portal(client)
    client_data = await mutate(api, "clientArchive", CLIENT, id=global_id("Client", client), expectedVersion=1)
    at, member = client_data["archivedAt"], (await api.data("{ viewer { member { id name } } }"))["viewer"]["member"]
    query = """query ($id: ID!) { client(by: {id: $id}) { activity { nodes { operation action objectType objectId member { name }
      changes { field from to } } } } }"""
    events = (await api_for(org, Role.VIEWER).data(query, id=global_id("Client", client)))["client"]["activity"]["nodes"]
    common: dict[str, Any] = {"operation": "clientArchive", "action": "CHANGED", "member": {"name": member["name"]}}
    moment = {"field": "archivedAt", "from": None, "to": at}
    expected = [
        {**common, "objectType": "Client", "objectId": global_id("Client", client)}
        | {"changes": [moment, {"field": "archivedBy", "from": None, "to": member["id"]}]},
        {
            **common,
            "objectType": "ClientPortal",
            "objectId": global_id("ClientPortal", portal),
            "changes": [{**moment, "field": "closedAt"}],
        },
        {**common, "objectType": "Project", "objectId": global_id("Project", project), "changes": [moment]},
    ]
    assert sorted(events, key=lambda each: str(each["objectType"])) == expected
    await mutate(api, "clientUnarchive", CLIENT, id=global_id("Client", client), expectedVersion=2)
    for key in (client, project, portal):
        assert [operation for operation, *_ in await fetch_audit_events(org, key)] == [*BOTH]


@pytest.mark.parametrize("mutation", BOTH)
async def test_s41_repeated_request_with_key_is_done_once(api_for: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """The second answer equals the first, although the client is already archived (or active) by then."""
    key = global_id("Client", await org.add_client("Jansen", archived_at=CREATED_AT if mutation == "clientUnarchive" else None))
    arguments: dict[str, object] = {"id": key, "expectedVersion": 1}
    first = await run_mutation(api_for(org), mutation, CLIENT, arguments, key="k")
    assert first["data"]["done"]["userErrors"] == []
    async with assert_unchanged(org.owner, org.id):
        assert await run_mutation(api_for(org), mutation, CLIENT, arguments, key="k") == first

"""The audit log of a unit of work: one audit event and one outbox event for each object that changed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.engine.database import Database
from db.queries.labels import mark_clients_updated
from db.sql import locking
from db.tables import Channel, ClientContact, ClientLabel, Contact, Label, Role
from domain.clients import labels
from domain.core.errors import NameTaken, RuleViolation
from domain.core.scope import ALL_PERMISSIONS, Actor, Permission, PermissionNotCheckedError, WriteScope, open_write_scope
from domain.organization.tokens import new_secret
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant, add_token
from tests.support.databases import runtime_url
from tests.support.snapshots import assert_unchanged, read_snapshot

Trace = list[tuple[Any, ...]]


def machine_actor(org: Tenant) -> Actor:
    return Actor(org.id, ALL_PERMISSIONS)


@asynccontextmanager
async def open_unit_of_work(database: Database, org: Tenant, name: str = "test") -> AsyncIterator[WriteScope]:
    """Yield a unit of work in which the permission has been checked."""
    async with open_write_scope(database, machine_actor(org), name) as scope:
        scope.require(Permission.CLIENTS_WRITE)
        yield scope


async def fetch_recorded_changes(owner: asyncpg.Connection, org: Tenant) -> Trace:
    """Return the recorded changes by object. Checks that the outbox has the same objects in the same order."""
    rows = [row for key, row in sorted((await read_snapshot(owner, org.id)).items()) if key[0] in {"audit_event", "outbox_event"}]
    recorded = [(row["action"], row["object_type"], UUID(row["object_id"])) for row in rows]
    assert recorded[: len(recorded) // 2] == recorded[len(recorded) // 2 :]
    return [(*what, row["changes"]) for what, row in zip(recorded, rows, strict=True) if "changes" in row]


async def find_label(scope: WriteScope, key: UUID) -> Label:
    return (await locking.lock_for_update(scope, Label, [key]))[key]


async def test_created_changed_and_removed_objects_are_recorded_once(database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """An event has the old and the new value of each field, without keys and counters."""
    changed, removed = await org.add_label("Changed"), await org.add_label("Removed")
    async with open_unit_of_work(database, org) as scope:
        created_label = await labels.create(scope, {"name": "Made", "color": "#AABBCC"})
        await scope.session.flush()
        await labels.update(scope, changed, {"name": "Again"}, expected_version=1)
        await scope.session.flush()
        await labels.update(scope, changed, {"color": "#FFFFFF"}, expected_version=2)
        await labels.delete(scope, removed, expected_version=1)
    assert await fetch_recorded_changes(owner, org) == [
        (
            "CREATED",
            "Label",
            created_label,
            {"name": [None, "Made"], "color": [None, "#AABBCC"], "is_active": [None, True], "scope": [None, "CLIENT"]},
        ),
        ("CHANGED", "Label", changed, {"name": ["Changed", "Again"], "color": ["#102030", "#FFFFFF"]}),
        (
            "REMOVED",
            "Label",
            removed,
            {"name": ["Removed", None], "color": ["#102030", None], "is_active": [True, None], "scope": ["CLIENT", None]},
        ),
    ]


async def test_reverted_changes_are_not_recorded(database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """Creating and removing an object, changing a field back, and setting a field to its value record nothing, flushed or not."""
    key = await org.add_label("Original")
    before = await read_snapshot(owner, org.id)
    for is_flushed in (True, False):
        async with open_unit_of_work(database, org) as scope:
            unchanged_label, temporary_label = await find_label(scope, key), Label(tenant_id=org.id, name="Made", name_key="made")
            scope.session.add(temporary_label)
            unchanged_label.name = "Other"
            if is_flushed:
                await scope.session.flush()
                await scope.session.delete(temporary_label)
            else:
                scope.session.expunge(temporary_label)
            unchanged_label.name = "Original"
            await labels.update(scope, key, {"name": "Original"}, expected_version=1)
    assert await fetch_recorded_changes(owner, org) == []
    assert await read_snapshot(owner, org.id) == before


async def test_removed_and_recreated_object_is_recorded_as_changed(database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """If it is recreated with the same values, nothing is recorded; otherwise a change of the fields that differ."""
    client = await org.add_client("Client")
    contact, label_key = await org.add_contact("Contact", client), await org.add_label("Linked", client)
    async with open_unit_of_work(database, org) as scope:
        (link,), (client_label,) = await locking.find(scope, ClientContact), await locking.find(scope, ClientLabel)
        values = link.model_dump(exclude={"recipient", "department"})
        await scope.session.delete(link)
        await scope.session.delete(client_label)
        await scope.session.flush()
        scope.session.add(ClientContact(**values, recipient=link.recipient, department="Legal"))
        scope.session.add(ClientLabel(tenant_id=org.id, client_id=client, label_id=label_key))
    assert await fetch_recorded_changes(owner, org) == [("CHANGED", "ClientContact", contact, {"department": [None, "Legal"]})]


async def test_failed_savepoint_records_nothing(database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """Changes before and after it are committed and recorded, even those of the same object."""
    key = await org.add_label("First")
    async with open_unit_of_work(database, org) as scope:
        before = await labels.create(scope, {"name": "Before"})
        await labels.update(scope, key, {"color": "#000000"}, expected_version=1)
        with pytest.raises(RuleViolation):
            await fail_after_change(scope, key)
        await labels.update(scope, key, {"name": "Last"}, expected_version=2)
        after = await labels.create(scope, {"name": "Failed"})
    changes_by_object = {(action, object_key): changes for action, _, object_key, changes in await fetch_recorded_changes(owner, org)}
    assert changes_by_object.keys() == {("CREATED", before), ("CHANGED", key), ("CREATED", after)}
    assert changes_by_object["CHANGED", key] == {"color": ["#102030", "#000000"], "name": ["First", "Last"]}


async def fail_after_change(scope: WriteScope, key: UUID) -> None:
    async with scope.savepoint():
        await labels.create(scope, {"name": "Failed"})
        await labels.update(scope, key, {"name": "In between"}, expected_version=2)
        await scope.session.flush()
        raise RuleViolation(NameTaken([], "x"))


async def test_failed_savepoint_undoes_commands(database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """They go to the driver without the session, which must have sent the SAVEPOINT before."""
    label = await org.add_label("Kept", await org.add_client("A"))
    async with open_unit_of_work(database, org) as scope:
        with pytest.raises(KeyError):
            await update_in_savepoint(scope, label)
    assert await owner.fetchval("SELECT updated_at FROM relaties.client WHERE tenant_id = $1", org.id) == CREATED_AT


async def update_in_savepoint(scope: WriteScope, label: UUID) -> None:
    async with scope.savepoint():
        await mark_clients_updated(scope, label, datetime(2027, 1, 1, tzinfo=UTC))
        raise KeyError


async def test_failed_unit_of_work_records_nothing(database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    async def fail() -> None:
        async with open_unit_of_work(database, org) as scope:
            await labels.create(scope, {"name": "Made"})
            await scope.session.flush()
            raise KeyError

    async with assert_unchanged(owner, org.id):
        with pytest.raises(KeyError):
            await fail()


async def test_change_without_a_permission_check_is_not_committed(database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """That holds for creating, changing and removing, flushed or not. A unit of work that only reads needs no check."""
    key = await org.add_label("Existing")

    async def change(action: Callable[[WriteScope, Label], Any], *, is_flushed: bool) -> None:
        async with open_write_scope(database, machine_actor(org), "forgetful") as scope:
            action(scope, await find_label(scope, key))
            if is_flushed:
                await scope.session.flush()

    def create(scope: WriteScope, _: Label) -> None:
        scope.session.add(Label(tenant_id=org.id, name="Made", name_key="made"))

    def rename(_: WriteScope, label: Label) -> None:
        label.name = "Other"

    async with assert_unchanged(owner, org.id):
        for action in (create, rename):
            for is_flushed in (True, False):
                with pytest.raises(PermissionNotCheckedError):
                    await change(action, is_flushed=is_flushed)
        with pytest.raises(PermissionNotCheckedError):
            await remove_label(database, org, key)
        await change(lambda *_: None, is_flushed=True)


async def remove_label(database: Database, org: Tenant, key: UUID) -> None:
    async with open_write_scope(database, machine_actor(org), "forgetful") as scope:
        await scope.session.delete(await find_label(scope, key))


async def fetch_change_origins(owner: asyncpg.Connection, org: Tenant) -> list[tuple[Any, ...]]:
    rows = await owner.fetch(
        "SELECT member_id, token_id, channel, operation FROM relaties.audit_event WHERE tenant_id = $1 ORDER BY id", org.id
    )
    return [tuple(row) for row in rows]


async def test_origin_of_a_change_is_recorded(
    database: Database, org: Tenant, owner: asyncpg.Connection, api_for: Callable[..., Api]
) -> None:
    """The origin is the token of a member or of a machine, or the command line, and the name of the operation."""
    member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'MEMBER'", org.id)
    of_member = await owner.fetchval("SELECT id FROM relaties.api_token WHERE tenant_id = $1 AND member_id = $2", org.id, member)
    of_machine = await add_token(owner, org.id, secret := new_secret(), role=Role.ADMIN.value)
    create = 'mutation { labelCreate(input: {name: "%s"}) { userErrors { code } } }'
    api = api_for(org, Role.MEMBER)
    await api.data(create % "A member's")
    await Api(api.http, secret).data(create % "A machine's")
    async with open_write_scope(database, Actor.operator(org.id), "label create") as scope:
        await labels.create(scope, {"name": "The operator's"})
    assert await fetch_change_origins(owner, org) == [
        (member, of_member, Channel.API, "labelCreate"),
        (None, of_machine, Channel.API, "labelCreate"),
        (None, None, Channel.COMMAND_LINE, "label create"),
    ]


async def test_audit_events_reference_their_client_and_contact(database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """Events of a client and of its dependents have the client's id; events of a contact and of its links have the contact's id."""
    client = await org.add_client("Client")
    contact = await org.add_contact("Contact", client)
    label_key = await org.add_label("Linked", client)
    async with open_unit_of_work(database, org) as scope:
        (link,), (client_label,) = await locking.find(scope, ClientContact), await locking.find(scope, ClientLabel)
        (person,) = await locking.find(scope, Contact)
        link.department, person.notes = "Legal", "Nice"
        await scope.session.delete(client_label)
    rows = await owner.fetch("SELECT * FROM relaties.audit_event WHERE tenant_id = $1", org.id)
    assert {(row["object_type"], row["object_id"], row["client_id"], row["contact_id"]) for row in rows} == {
        ("Contact", contact, None, contact),
        ("ClientContact", contact, client, contact),
        ("ClientLabel", label_key, client, None),
    }


@pytest.mark.parametrize(
    "statement", ["UPDATE relaties.audit_event SET operation = 'x'", "DELETE FROM relaties.audit_event", "TRUNCATE relaties.audit_event"]
)
async def test_server_can_only_insert_into_the_audit_log(
    database: Database, org: Tenant, owner: asyncpg.Connection, owner_url: str, statement: str
) -> None:
    """Somebody who controls the server cannot remove recorded events."""
    async with open_unit_of_work(database, org) as scope:
        await labels.create(scope, {"name": "Made"})
    runtime = await asyncpg.connect(runtime_url(owner_url))
    async with assert_unchanged(owner, org.id):
        await runtime.execute(f"SET app.tenant = '{org.id}'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute(statement)
    await runtime.close()

"""Test that no registration is created, changed, moved or deleted on archived objects, on any path, in any order of requests.

The paths are read from the schema (mutations) and from the source (functions, by `tests/support/source_scan.py`). A new path fails here
until it has a case.
"""

import ast
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from graphql import GraphQLObjectType, get_named_type

from db.engine.database import Database
from db.tables import RegistrationKind, RegistrationStatus
from domain.core.scope import ALL_PERMISSIONS, Actor, WriteScope, open_write_scope
from domain.registrations import rules as registrations
from domain.registrations.rules import RegistrationForm
from tests.support.blocking import hold_until_blocked
from tests.support.builders import Tenant
from tests.support.ids import global_id
from tests.support.mutation_inputs import MUTATIONS, SHAPE_ONLY_WORLD, input_type, scalar_locations, type_of_id, valid_input
from tests.support.registrations import DAY, HOUR, LUNCH, TRIP, ApiFor, client_id, project_id, registration_id
from tests.support.snapshots import assert_unchanged
from tests.support.source_scan import SourceModule, find_writers, read_modules

TABLES = {"Registration": "registration", "RegistrationLabel": "registration_label"}
REGISTRATION_MUTATIONS = {"registrationCreate", "registrationUpdate", "registrationStatusUpdate", "registrationDelete"}
"""The mutations that write registrations. Each has a case below."""
FUNCTIONS = {f"domain.registrations.rules.{name}" for name in ("create", "update", "set_status", "delete", "_save_labels")}
"""The functions that write registrations. Only the others call those that begin with `_`."""
LABEL_WRITERS = {"domain.clients.labels.delete"}
"""Deletes a label, and is rejected if an object with it is archived or locked; see tests/api/test_archived_frozen.py."""

CLIENT_WRITERS = {"db.queries.deletions.delete_client"}
"""Deletes a client with all its objects; see tests/api/test_client_delete.py."""


def registration_mutations() -> set[str]:
    """Return the mutations that return a registration, or take the id of one."""
    names = set[str]()
    for name, field in MUTATIONS.items():
        payload, input_values = get_named_type(field.type), valid_input(SHAPE_ONLY_WORLD, name)
        payload_types = (
            {get_named_type(each.type).name for each in payload.fields.values()} if isinstance(payload, GraphQLObjectType) else set()
        )
        input_types = {type_of_id(location.owner, location.name) for location in scalar_locations(input_type(name), input_values, "ID")}
        names |= {name} if "Registration" in payload_types | input_types else set()
    return names


def test_s44_s46_every_path_that_writes_registrations_is_known() -> None:
    """Add a new mutation or function to the sets above, and a case for it below."""
    assert registration_mutations() == REGISTRATION_MUTATIONS == {case.mutation for case in CASES}
    assert find_writers(TABLES, read_modules()) == FUNCTIONS | LABEL_WRITERS | CLIENT_WRITERS
    assert {f"domain.registrations.rules.{name}" for name in WRITES} == {name for name in FUNCTIONS if "._" not in name}


EXAMPLE_MODULE = """
from db import entities
from db.tables import Registration as Work, Client, RegistrationLabel
from sqlalchemy import delete
ALL = (Client, Work)
SQL = "DELETE FROM relaties.registration WHERE tenant_id = $1"
class Holds:
    row: "Work"
def create_holder() -> Holds: ...
def create(scope): scope.session.add(Work())
def set_(row: Work): row.note = "X"
async def hold_and_set(scope):
    holder = create_holder()
    holder.row.note = "X"
async def remove(scope): await scope.session.exec(delete(RegistrationLabel))
async def of_all(scope):
    for table in ALL: await scope.session.exec(delete(table))
async def delete_by_name(tx, name): await tx.fetch(f"DELETE FROM relaties.{name}")
async def delete_by_constant(tx): await tx.fetch(SQL)
def reads(row: Work): return row.note
async def others(scope): await scope.session.delete(Client())
async def similar(tx): await tx.fetch("DELETE FROM relaties.registration_day")
"""


def test_new_writer_is_detected() -> None:
    """Constructors, assignments to fields, also through an object that holds a row, lists of tables and SQL count as writing."""
    module = SourceModule("domain.seen", ast.parse(EXAMPLE_MODULE))
    assert find_writers(TABLES, [module]) == {
        f"domain.seen.{name}" for name in ("create", "set_", "hold_and_set", "remove", "of_all", "delete_by_name", "delete_by_constant")
    }


@dataclass(frozen=True)
class SceneIds:
    """Client or project that is or will be archived, a registration on it, and one of an active client."""

    org: Tenant
    archived_kind: str
    closing: UUID
    client: UUID
    project: UUID
    archived_id: UUID
    elsewhere: UUID
    other: UUID
    label: UUID

    @property
    def archived_global_id(self) -> str:
        return global_id(self.archived_kind, self.closing)

    @property
    def archived_registration(self) -> dict[str, object]:
        return {"id": registration_id(self.archived_id), "expectedVersion": 1}

    @property
    def active_registration(self) -> dict[str, object]:
        return {"id": registration_id(self.elsewhere), "expectedVersion": 1}

    @property
    def archived_location(self) -> dict[str, object]:
        """Return the input that names the archived client, or only the archived project."""
        return {"clientId": client_id(self.client)} if self.archived_kind == "Client" else {"projectId": project_id(self.project)}

    @property
    def archive_statements(self) -> str:
        """Return the statements of an archiving in its lock order: a client before its projects."""
        if self.archived_kind == "Project":
            return f"UPDATE relaties.project SET archived_at = now() WHERE id = '{self.project}'"
        return f"""UPDATE relaties.client SET archived_at = now() WHERE id = '{self.client}';
            UPDATE relaties.project SET archived_at = now() WHERE client_id = '{self.client}'"""


async def create_scene(org: Tenant, archived_kind: str) -> SceneIds:
    """Create the scene while everything is still active."""
    client, other = await org.add_client("Dicht"), await org.add_client("Open")
    project, label = await org.add_project(client, "Dicht"), await org.add_label("Vast")
    there, elsewhere = await org.add_registration(client, project), await org.add_registration(other)
    await org.owner.execute("INSERT INTO relaties.registration_label VALUES ($1, $2, $3, $4)", org.id, there, label, client)
    return SceneIds(org, archived_kind, client if archived_kind == "Client" else project, client, project, there, elsewhere, other, label)


@dataclass(frozen=True)
class GuardCase:
    """Mutation to try, its input, and the path of the expected error."""

    description: str
    mutation: str
    build_input: Callable[[SceneIds], dict[str, Any]]
    path: str | None = "id"  # None if the argument of the archived location is rejected


CREATE, UPDATE, STATUS, DELETE = "registrationCreate", "registrationUpdate", "registrationStatusUpdate", "registrationDelete"
CASES = [
    GuardCase("time", CREATE, lambda ids: {"registeredOn": DAY, "work": HOUR, **ids.archived_location}, None),
    GuardCase("expense", CREATE, lambda ids: {"registeredOn": DAY, "work": LUNCH, **ids.archived_location}, None),
    GuardCase("mileage", CREATE, lambda ids: {"registeredOn": DAY, "work": TRIP, **ids.archived_location}, None),
    GuardCase("back-dated", CREATE, lambda ids: {"registeredOn": "2001-01-01", "work": HOUR, **ids.archived_location}, None),
    GuardCase("on its project", CREATE, lambda ids: {"registeredOn": DAY, "work": HOUR, "projectId": project_id(ids.project)}, "projectId"),
    GuardCase("note", UPDATE, lambda ids: {**ids.archived_registration, "note": "X"}),
    GuardCase("day", UPDATE, lambda ids: {**ids.archived_registration, "registeredOn": "2001-01-01"}),
    GuardCase("work", UPDATE, lambda ids: {**ids.archived_registration, "work": {"time": {"minutes": 5}}}),
    GuardCase("nothing", UPDATE, lambda ids: ids.archived_registration),
    GuardCase("move away", UPDATE, lambda ids: {**ids.archived_registration, "clientId": client_id(ids.other)}),
    GuardCase("off its project", UPDATE, lambda ids: {**ids.archived_registration, "projectId": None}),
    GuardCase("move into", UPDATE, lambda ids: {**ids.active_registration, **ids.archived_location}, None),
    GuardCase("move into its project", UPDATE, lambda ids: {**ids.active_registration, "projectId": project_id(ids.project)}, "projectId"),
    GuardCase("labels on", UPDATE, lambda ids: {**ids.archived_registration, "labelIds": [global_id("Label", ids.label)] * 2}),
    GuardCase("labels off", UPDATE, lambda ids: {**ids.archived_registration, "labelIds": []}),
    GuardCase("status", STATUS, lambda ids: {**ids.archived_registration, "status": "APPROVED"}),
    GuardCase("client's status", STATUS, lambda ids: {**ids.archived_registration, "clientStatus": "REJECTED"}),
    GuardCase("delete", DELETE, lambda ids: ids.archived_registration),
    GuardCase("note of another version", UPDATE, lambda ids: {**ids.archived_registration, "expectedVersion": 7, "note": "X"}),
    GuardCase("status of another version", STATUS, lambda ids: {**ids.archived_registration, "expectedVersion": 7, "status": "APPROVED"}),
    GuardCase("delete of another version", DELETE, lambda ids: {**ids.archived_registration, "expectedVersion": 7}),
]
BOTH = pytest.mark.parametrize("archived_kind", ["Client", "Project"])
EACH_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.description)


async def assert_rejected(api_for: ApiFor, ids: SceneIds, case: GuardCase) -> None:
    """Check that the case is rejected once, with the archived object."""
    kind = f"{case.mutation[0].upper()}{case.mutation[1:]}Input"
    errors = "userErrors { code path message ... on AlreadyArchivedError { archived { id } } }"
    query = f"mutation ($input: {kind}!) {{ done: {case.mutation}(input: $input) {{ {errors} }} }}"
    (error,) = (await api_for(ids.org).data(query, input=case.build_input(ids)))["done"]["userErrors"]
    (argument_name,) = ids.archived_location
    assert (error["code"], error["path"], error["archived"]) == (
        "ALREADY_ARCHIVED",
        [case.path or argument_name],
        {"id": ids.archived_global_id},
    )
    assert "archive" in error["message"]


@BOTH
@EACH_CASE
async def test_s43_s44_s46_archived_registrations_cannot_be_changed(
    owner: asyncpg.Connection, api_for: ApiFor, org: Tenant, archived_kind: str, case: GuardCase
) -> None:
    """The error contains the archived object, and no byte of any table changes."""
    ids = await create_scene(org, archived_kind)
    await owner.execute(ids.archive_statements)
    async with assert_unchanged(owner, org.id):
        await assert_rejected(api_for, ids, case)


@BOTH
@EACH_CASE
async def test_s46_write_after_archiving_is_rejected(
    owner: asyncpg.Connection, rival_connection: asyncpg.Connection, api_for: ApiFor, org: Tenant, archived_kind: str, case: GuardCase
) -> None:
    """The write waits until the archiving commits, and then finds the object archived."""
    ids = await create_scene(org, archived_kind)
    async with hold_until_blocked(rival_connection, owner, ids.archive_statements):
        waiting = asyncio.create_task(assert_rejected(api_for, ids, case))
    await waiting
    rows = await owner.fetch("SELECT id, version, client_id FROM relaties.registration WHERE tenant_id = $1 ORDER BY id", org.id)
    assert [tuple(row) for row in rows] == [(ids.archived_id, 1, ids.client), (ids.elsewhere, 1, ids.other)]


Write = Callable[[WriteScope, SceneIds], Awaitable[UUID]]
WRITES: dict[str, Write] = {
    "create": lambda scope, ids: registrations.create(
        scope, RegistrationForm({"registered_on": "2026-01-15"}, {"project_id": ids.project}, None, RegistrationKind.TIME, {"minutes": 60})
    ),
    "update": lambda scope, ids: registrations.update(scope, ids.archived_id, RegistrationForm({"note": "X"}), expected_version=1),
    "set_status": lambda scope, ids: registrations.set_status(
        scope, ids.archived_id, {"status": RegistrationStatus.PENDING}, expected_version=1
    ),
    "delete": lambda scope, ids: registrations.delete(scope, ids.archived_id, expected_version=1),
}
MOVES: dict[str, Write] = {
    "away": lambda scope, ids: registrations.update(
        scope, ids.archived_id, RegistrationForm(links={"client_id": ids.other}), expected_version=1
    ),
    "into": lambda scope, ids: registrations.update(
        scope, ids.elsewhere, RegistrationForm(links={"project_id": ids.project}), expected_version=1
    ),
    "labels": lambda scope, ids: registrations.update(scope, ids.archived_id, RegistrationForm(labels=[]), expected_version=1),
}


@BOTH
@pytest.mark.parametrize("name", [*WRITES, *MOVES])
async def test_s46_archiving_waits_for_earlier_writes(
    owner: asyncpg.Connection, rival_connection: asyncpg.Connection, database: Database, org: Tenant, archived_kind: str, name: str
) -> None:
    """The write locks the client or project until it commits. Then the archiving succeeds and the write stays."""
    ids = await create_scene(org, archived_kind)
    table = archived_kind.lower()
    lock_query = f"SELECT id FROM relaties.{table} WHERE id = '{ids.closing}' FOR NO KEY UPDATE NOWAIT"
    member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 LIMIT 1", org.id)
    async with open_write_scope(database, Actor(org.id, ALL_PERMISSIONS, member), "test") as scope:
        await {**WRITES, **MOVES}[name](scope, ids)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await rival_connection.execute(lock_query)
    assert await rival_connection.fetchval(lock_query) == ids.closing
    await rival_connection.execute(ids.archive_statements)
    assert await owner.fetchval("SELECT count(*) FROM relaties.audit_event WHERE tenant_id = $1 AND operation = 'test'", org.id) > 0


MOVE_REGISTRATION = "UPDATE relaties.registration SET client_id = '{client}', project_id = NULL WHERE id = '{row}'"


async def test_registration_moved_concurrently_is_changed_at_its_new_client(
    owner: asyncpg.Connection, rival_connection: asyncpg.Connection, api_for: ApiFor, org: Tenant
) -> None:
    """A waiting change starts again, with the locks of the new client."""
    ids = await create_scene(org, "Client")
    await owner.execute("DELETE FROM relaties.registration_label WHERE tenant_id = $1", org.id)
    selection = "{ registration { note client { name } version } }"
    query = f"mutation ($input: RegistrationUpdateInput!) {{ registrationUpdate(input: $input) {selection} }}"
    async with hold_until_blocked(rival_connection, owner, MOVE_REGISTRATION.format(client=ids.other, row=ids.archived_id)):
        waiting = asyncio.create_task(api_for(org).data(query, input={**ids.archived_registration, "note": "X"}))
    registration = (await waiting)["registrationUpdate"]["registration"]
    assert registration == {"note": "X", "client": {"name": "Open"}, "version": 2}


async def test_registration_moved_concurrently_to_an_archived_client_is_rejected(
    owner: asyncpg.Connection, rival_connection: asyncpg.Connection, api_for: ApiFor, org: Tenant
) -> None:
    """The client that the change saw first is active."""
    ids = await create_scene(org, "Client")
    away = SceneIds(org, "Client", ids.client, ids.client, ids.project, ids.elsewhere, ids.archived_id, ids.other, ids.label)
    statements = f"{MOVE_REGISTRATION.format(client=ids.client, row=ids.elsewhere)}; {ids.archive_statements}"
    async with hold_until_blocked(rival_connection, owner, statements):
        waiting = asyncio.create_task(
            assert_rejected(api_for, away, GuardCase("note", UPDATE, lambda ids: {**ids.archived_registration, "note": "X"}))
        )
    await waiting
    assert await owner.fetchval("SELECT note FROM relaties.registration WHERE id = $1", ids.elsewhere) is None

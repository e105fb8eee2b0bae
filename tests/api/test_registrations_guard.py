"""Nothing is registered, changed, moved or deleted on archived objects, on any path, in any order of concurrent requests.

The paths are found, not listed from memory: mutations in the schema, functions in the source (`tests/support/source_scan.py`). A new one
fails here until it is tried with the others.
"""

import ast
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
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
from tests.support.builders import Tenant
from tests.support.eventually import wait_until
from tests.support.ids import global_id
from tests.support.mutation_inputs import MUTATIONS, SHAPE_ONLY_WORLD, input_type, scalar_locations, type_of_id, valid_input
from tests.support.registrations import DAY, HOUR, LUNCH, TRIP, ApiFor, client_id, project_id, registration_id
from tests.support.snapshots import assert_unchanged
from tests.support.source_scan import SourceModule, find_writers, read_modules

TABLES = {"Registration": "registration", "RegistrationLabel": "registration_label"}
REGISTRATION_MUTATIONS = {"registrationCreate", "registrationUpdate", "registrationStatusUpdate", "registrationDelete"}
"""The mutations that write registrations: each is tried below."""
FUNCTIONS = {f"domain.registrations.rules.{name}" for name in ("create", "update", "set_status", "delete", "_save_labels")}
"""The functions that do; what begins with `_` is called by the others alone."""
OF_LABELS = {"domain.clients.labels.delete"}
"""Removes a label, and is rejected where its objects are archived or locked: tests/api/test_archived_frozen.py covers it."""

OF_CLIENTS = {"db.queries.deletions.delete_client"}
"""Deletes a client with all that belongs to it: tests/api/test_client_delete.py tries it."""


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


def test_s44_s46_every_way_to_write_a_registration_is_known() -> None:
    """In the schema and in the source. Add a new one here, and a case for it below."""
    assert registration_mutations() == REGISTRATION_MUTATIONS == {case.mutation for case in CASES}
    assert find_writers(TABLES, read_modules()) == FUNCTIONS | OF_LABELS | OF_CLIENTS
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
    """By a constructor, a field, what holds a row, a list of tables, SQL; who only reads, or writes others, is not."""
    module = SourceModule("domain.seen", ast.parse(EXAMPLE_MODULE))
    assert find_writers(TABLES, [module]) == {
        f"domain.seen.{name}" for name in ("create", "set_", "hold_and_set", "remove", "of_all", "delete_by_name", "delete_by_constant")
    }


@dataclass(frozen=True)
class SceneIds:
    """What is archived, or about to be: a client, or a project of an active one; a registration on it, and one elsewhere."""

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
    def as_global_ids(self) -> str:
        return global_id(self.archived_kind, self.closing)

    @property
    def archived_registration(self) -> dict[str, object]:
        return {"id": registration_id(self.archived_id), "expectedVersion": 1}

    @property
    def active_registration(self) -> dict[str, object]:
        return {"id": registration_id(self.elsewhere), "expectedVersion": 1}

    @property
    def archived_location(self) -> dict[str, object]:
        """Return the client where that is archived, or the project alone."""
        return {"clientId": client_id(self.client)} if self.archived_kind == "Client" else {"projectId": project_id(self.project)}

    @property
    def archive_statements(self) -> str:
        """As archiving does it: a client goes before its projects."""
        if self.archived_kind == "Project":
            return f"UPDATE relaties.project SET archived_at = now() WHERE id = '{self.project}'"
        return f"""UPDATE relaties.client SET archived_at = now() WHERE id = '{self.client}';
            UPDATE relaties.project SET archived_at = now() WHERE client_id = '{self.client}'"""


async def create_scene(org: Tenant, archived_kind: str) -> SceneIds:
    """Still active."""
    client, other = await org.add_client("Dicht"), await org.add_client("Open")
    project, label = await org.add_project(client, "Dicht"), await org.add_label("Vast")
    there, elsewhere = await org.add_registration(client, project), await org.add_registration(other)
    await org.owner.execute("INSERT INTO relaties.registration_label VALUES ($1, $2, $3, $4)", org.id, there, label, client)
    return SceneIds(org, archived_kind, client if archived_kind == "Client" else project, client, project, there, elsewhere, other, label)


@dataclass(frozen=True)
class GuardCase:
    """One thing to try: the mutation, its input, and where in it the refusal lies."""

    description: str
    mutation: str
    build_input: Callable[[SceneIds], dict[str, Any]]
    path: str | None = "id"  # None where the place itself is refused


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
        {"id": ids.as_global_ids},
    )
    assert "archive" in error["message"]


@BOTH
@EACH_CASE
async def test_s43_s44_s46_archived_registrations_cannot_be_changed(
    owner: asyncpg.Connection, api_for: ApiFor, org: Tenant, archived_kind: str, case: GuardCase
) -> None:
    """Each refused with what is archived; not a byte of any table is another afterwards."""
    ids = await create_scene(org, archived_kind)
    await owner.execute(ids.archive_statements)
    async with assert_unchanged(owner, org.id):
        await assert_rejected(api_for, ids, case)


@pytest.fixture
async def rival_connection(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another connection, whose locks meet those of the server's."""
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def hold_until_blocked(rival: asyncpg.Connection, owner: asyncpg.Connection, statement: str) -> AsyncIterator[None]:
    """Execute the statement, and commit it when the block waits for it."""

    async def is_blocking() -> bool:
        blocking_query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))"
        is_blocking_now: bool = await owner.fetchval(blocking_query, rival.get_server_pid())
        return is_blocking_now

    async with rival.transaction():
        await rival.execute(statement)
        yield
        await wait_until(is_blocking)


@BOTH
@EACH_CASE
async def test_s46_write_after_archiving_is_rejected(
    owner: asyncpg.Connection, rival_connection: asyncpg.Connection, api_for: ApiFor, org: Tenant, archived_kind: str, case: GuardCase
) -> None:
    """It waits while the archiving is not yet committed, and sees it then."""
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
    """Until the writing is done it cannot have the client, nor the project; then it can, and what was written is there."""
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
    """Though the client that it was seen on is active."""
    ids = await create_scene(org, "Client")
    away = SceneIds(org, "Client", ids.client, ids.client, ids.project, ids.elsewhere, ids.archived_id, ids.other, ids.label)
    statements = f"{MOVE_REGISTRATION.format(client=ids.client, row=ids.elsewhere)}; {ids.archive_statements}"
    async with hold_until_blocked(rival_connection, owner, statements):
        waiting = asyncio.create_task(
            assert_rejected(api_for, away, GuardCase("note", UPDATE, lambda ids: {**ids.archived_registration, "note": "X"}))
        )
    await waiting
    assert await owner.fetchval("SELECT note FROM relaties.registration WHERE id = $1", ids.elsewhere) is None

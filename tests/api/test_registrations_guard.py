"""Nothing is registered, changed, moved or deleted on what is archived, on any path there is, whoever comes first.

The paths are found, not listed from memory: mutations in the schema, functions in the source (`tests/writers.py`). A new one fails here
until it is tried with the others.
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
from tests.builders import Tenant
from tests.ids import global_id
from tests.inputs import ANYWHERE, MUTATIONS, input_type, leaves, right, type_of_id
from tests.registering import DAY, HOUR, LUNCH, TRIP, As, client_id, project_id, registration_id
from tests.snapshots import unchanged
from tests.waiting import until
from tests.writers import Module, modules, writers

TABLES = {"Registration": "registration", "RegistrationLabel": "registration_label"}
OWN = {"registrationCreate", "registrationUpdate", "registrationStatusUpdate", "registrationDelete"}
"""The mutations that write registrations: each is tried below."""
FUNCTIONS = {f"domain.registrations.rules.{name}" for name in ("create", "update", "set_status", "delete", "_save_labels")}
"""The functions that do; what begins with `_` is called by the others alone."""
OF_LABELS = {"domain.clients.labels.delete"}
"""Takes a label off what wears it, and is refused where that is archived or locked: tests/api/test_archived_frozen.py tries it."""

OF_CLIENTS = {"db.queries.deletions.delete_client"}
"""Deletes a client with all that belongs to it: tests/api/test_client_delete.py tries it."""


def concerned() -> set[str]:
    """The mutations that show a registration afterwards, or are told the id of one."""
    found = set[str]()
    for name, field in MUTATIONS.items():
        payload, given = get_named_type(field.type), right(ANYWHERE, name)
        shown = {get_named_type(each.type).name for each in payload.fields.values()} if isinstance(payload, GraphQLObjectType) else set()
        told = {type_of_id(place.owner, place.name) for place in leaves(input_type(name), given, "ID")}
        found |= {name} if "Registration" in shown | told else set()
    return found


def test_s44_s46_every_way_to_write_a_registration_is_known() -> None:
    """In the schema and in the source; whoever adds one adds it here, and tries it below."""
    assert concerned() == OWN == {case.mutation for case in CASES}
    assert writers(TABLES, modules()) == FUNCTIONS | OF_LABELS | OF_CLIENTS
    assert {f"domain.registrations.rules.{name}" for name in WRITES} == {name for name in FUNCTIONS if "._" not in name}


SEEN = """
from db import entities
from db.tables import Registration as Work, Client, RegistrationLabel
from sqlalchemy import delete
ALL = (Client, Work)
SQL = "DELETE FROM relaties.registration WHERE tenant_id = $1"
class Holds:
    row: "Work"
def gives() -> Holds: ...
def made(scope): scope.session.add(Work())
def set_(row: Work): row.note = "X"
async def held_and_set(scope):
    found = gives()
    found.row.note = "X"
async def taken(scope): await scope.session.exec(delete(RegistrationLabel))
async def of_all(scope):
    for table in ALL: await scope.session.exec(delete(table))
async def told(tx, name): await tx.fetch(f"DELETE FROM relaties.{name}")
async def said(tx): await tx.fetch(SQL)
def reads(row: Work): return row.note
async def others(scope): await scope.session.delete(Client())
async def similar(tx): await tx.fetch("DELETE FROM relaties.registration_day")
"""


def test_a_new_way_would_be_found() -> None:
    """By a constructor, a field, what holds a row, a list of tables, SQL; who only reads, or writes others, is not."""
    seen = Module("domain.seen", ast.parse(SEEN))
    assert writers(TABLES, [seen]) == {
        f"domain.seen.{name}" for name in ("made", "set_", "held_and_set", "taken", "of_all", "told", "said")
    }


@dataclass(frozen=True)
class Ids:
    """What is archived, or about to be: a client, or a project of an active one; a registration on it, and one elsewhere."""

    org: Tenant
    archived: str
    closing: UUID
    client: UUID
    project: UUID
    there: UUID
    elsewhere: UUID
    other: UUID
    label: UUID

    @property
    def shown(self) -> str:
        return global_id(self.archived, self.closing)

    @property
    def of_there(self) -> dict[str, object]:
        return {"id": registration_id(self.there), "expectedVersion": 1}

    @property
    def of_elsewhere(self) -> dict[str, object]:
        return {"id": registration_id(self.elsewhere), "expectedVersion": 1}

    @property
    def place(self) -> dict[str, object]:
        """The client where that is archived, or the project alone."""
        return {"clientId": client_id(self.client)} if self.archived == "Client" else {"projectId": project_id(self.project)}

    @property
    def archiving(self) -> str:
        """As archiving does it: a client goes before its projects."""
        if self.archived == "Project":
            return f"UPDATE relaties.project SET archived_at = now() WHERE id = '{self.project}'"
        return f"""UPDATE relaties.client SET archived_at = now() WHERE id = '{self.client}';
            UPDATE relaties.project SET archived_at = now() WHERE client_id = '{self.client}'"""


async def placed(org: Tenant, archived: str) -> Ids:
    """Still active."""
    client, other = await org.add_client("Dicht"), await org.add_client("Open")
    project, label = await org.add_project(client, "Dicht"), await org.add_label("Vast")
    there, elsewhere = await org.add_registration(client, project), await org.add_registration(other)
    await org.owner.execute("INSERT INTO relaties.registration_label VALUES ($1, $2, $3, $4)", org.id, there, label, client)
    return Ids(org, archived, client if archived == "Client" else project, client, project, there, elsewhere, other, label)


@dataclass(frozen=True)
class Case:
    """One thing to try: the mutation, its input, and where in it the refusal lies."""

    what: str
    mutation: str
    given: Callable[[Ids], dict[str, Any]]
    path: str | None = "id"  # None where the place itself is refused


CREATE, UPDATE, STATUS, DELETE = "registrationCreate", "registrationUpdate", "registrationStatusUpdate", "registrationDelete"
CASES = [
    Case("time", CREATE, lambda ids: {"registeredOn": DAY, "work": HOUR, **ids.place}, None),
    Case("expense", CREATE, lambda ids: {"registeredOn": DAY, "work": LUNCH, **ids.place}, None),
    Case("mileage", CREATE, lambda ids: {"registeredOn": DAY, "work": TRIP, **ids.place}, None),
    Case("back-dated", CREATE, lambda ids: {"registeredOn": "2001-01-01", "work": HOUR, **ids.place}, None),
    Case("on its project", CREATE, lambda ids: {"registeredOn": DAY, "work": HOUR, "projectId": project_id(ids.project)}, "projectId"),
    Case("note", UPDATE, lambda ids: {**ids.of_there, "note": "X"}),
    Case("day", UPDATE, lambda ids: {**ids.of_there, "registeredOn": "2001-01-01"}),
    Case("work", UPDATE, lambda ids: {**ids.of_there, "work": {"time": {"minutes": 5}}}),
    Case("nothing", UPDATE, lambda ids: ids.of_there),
    Case("move away", UPDATE, lambda ids: {**ids.of_there, "clientId": client_id(ids.other)}),
    Case("off its project", UPDATE, lambda ids: {**ids.of_there, "projectId": None}),
    Case("move into", UPDATE, lambda ids: {**ids.of_elsewhere, **ids.place}, None),
    Case("move into its project", UPDATE, lambda ids: {**ids.of_elsewhere, "projectId": project_id(ids.project)}, "projectId"),
    Case("labels on", UPDATE, lambda ids: {**ids.of_there, "labelIds": [global_id("Label", ids.label)] * 2}),
    Case("labels off", UPDATE, lambda ids: {**ids.of_there, "labelIds": []}),
    Case("status", STATUS, lambda ids: {**ids.of_there, "status": "APPROVED"}),
    Case("client's status", STATUS, lambda ids: {**ids.of_there, "clientStatus": "REJECTED"}),
    Case("delete", DELETE, lambda ids: ids.of_there),
    Case("note of another version", UPDATE, lambda ids: {**ids.of_there, "expectedVersion": 7, "note": "X"}),
    Case("status of another version", STATUS, lambda ids: {**ids.of_there, "expectedVersion": 7, "status": "APPROVED"}),
    Case("delete of another version", DELETE, lambda ids: {**ids.of_there, "expectedVersion": 7}),
]
BOTH = pytest.mark.parametrize("archived", ["Client", "Project"])
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)


async def refused(as_: As, ids: Ids, case: Case) -> None:
    """Once, with what is archived, as the one reason."""
    kind = f"{case.mutation[0].upper()}{case.mutation[1:]}Input"
    errors = "userErrors { code path message ... on AlreadyArchivedError { archived { id } } }"
    query = f"mutation ($input: {kind}!) {{ done: {case.mutation}(input: $input) {{ {errors} }} }}"
    (found,) = (await as_(ids.org).data(query, input=case.given(ids)))["done"]["userErrors"]
    (place,) = ids.place
    assert (found["code"], found["path"], found["archived"]) == ("ALREADY_ARCHIVED", [case.path or place], {"id": ids.shown})
    assert "archive" in found["message"]


@BOTH
@EACH
async def test_s43_s44_s46_what_is_archived_stays_as_it_is(
    owner: asyncpg.Connection, as_: As, org: Tenant, archived: str, case: Case
) -> None:
    """Each refused with what is archived; not a byte of any table is another afterwards."""
    ids = await placed(org, archived)
    await owner.execute(ids.archiving)
    async with unchanged(owner, org.id):
        await refused(as_, ids, case)


@pytest.fixture
async def rival(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another connection, whose locks meet those of the server's."""
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def first(rival: asyncpg.Connection, owner: asyncpg.Connection, statement: str) -> AsyncIterator[None]:
    """What the statement does is done, and committed when whatever is begun within waits for it."""

    async def is_waited_for() -> bool:
        asked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))"
        found: bool = await owner.fetchval(asked, rival.get_server_pid())
        return found

    async with rival.transaction():
        await rival.execute(statement)
        yield
        await until(is_waited_for)


@BOTH
@EACH
async def test_s46_who_comes_after_an_archiving_is_refused(
    owner: asyncpg.Connection, rival: asyncpg.Connection, as_: As, org: Tenant, archived: str, case: Case
) -> None:
    """It waits while the archiving is not yet committed, and sees it then."""
    ids = await placed(org, archived)
    async with first(rival, owner, ids.archiving):
        waiting = asyncio.create_task(refused(as_, ids, case))
    await waiting
    kept = await owner.fetch("SELECT id, version, client_id FROM relaties.registration WHERE tenant_id = $1 ORDER BY id", org.id)
    assert [tuple(row) for row in kept] == [(ids.there, 1, ids.client), (ids.elsewhere, 1, ids.other)]


Write = Callable[[WriteScope, Ids], Awaitable[UUID]]
WRITES: dict[str, Write] = {
    "create": lambda scope, ids: registrations.create(
        scope, RegistrationForm({"registered_on": "2026-01-15"}, {"project_id": ids.project}, None, RegistrationKind.TIME, {"minutes": 60})
    ),
    "update": lambda scope, ids: registrations.update(scope, ids.there, RegistrationForm({"note": "X"}), expected_version=1),
    "set_status": lambda scope, ids: registrations.set_status(scope, ids.there, {"status": RegistrationStatus.PENDING}, expected_version=1),
    "delete": lambda scope, ids: registrations.delete(scope, ids.there, expected_version=1),
}
MOVES: dict[str, Write] = {
    "away": lambda scope, ids: registrations.update(scope, ids.there, RegistrationForm(links={"client_id": ids.other}), expected_version=1),
    "into": lambda scope, ids: registrations.update(
        scope, ids.elsewhere, RegistrationForm(links={"project_id": ids.project}), expected_version=1
    ),
    "labels": lambda scope, ids: registrations.update(scope, ids.there, RegistrationForm(labels=[]), expected_version=1),
}


@BOTH
@pytest.mark.parametrize("name", [*WRITES, *MOVES])
async def test_s46_an_archiving_waits_for_who_came_before(
    owner: asyncpg.Connection, rival: asyncpg.Connection, database: Database, org: Tenant, archived: str, name: str
) -> None:
    """Until the writing is done it cannot have the client, nor the project; then it can, and what was written is there."""
    ids = await placed(org, archived)
    table = archived.lower()
    asked = f"SELECT id FROM relaties.{table} WHERE id = '{ids.closing}' FOR NO KEY UPDATE NOWAIT"
    member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 LIMIT 1", org.id)
    async with open_write_scope(database, Actor(org.id, ALL_PERMISSIONS, member), "test") as scope:
        await {**WRITES, **MOVES}[name](scope, ids)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await rival.execute(asked)
    assert await rival.fetchval(asked) == ids.closing
    await rival.execute(ids.archiving)
    assert await owner.fetchval("SELECT count(*) FROM relaties.audit_event WHERE tenant_id = $1 AND operation = 'test'", org.id) > 0


MOVED = "UPDATE relaties.registration SET client_id = '{client}', project_id = NULL WHERE id = '{row}'"


async def test_what_moves_meanwhile_is_changed_where_it_went(
    owner: asyncpg.Connection, rival: asyncpg.Connection, as_: As, org: Tenant
) -> None:
    """Whoever waits for it begins anew, with the locks of where it is then."""
    ids = await placed(org, "Client")
    await owner.execute("DELETE FROM relaties.registration_label WHERE tenant_id = $1", org.id)
    shown = "{ registration { note client { name } version } }"
    query = f"mutation ($input: RegistrationUpdateInput!) {{ registrationUpdate(input: $input) {shown} }}"
    async with first(rival, owner, MOVED.format(client=ids.other, row=ids.there)):
        waiting = asyncio.create_task(as_(org).data(query, input={**ids.of_there, "note": "X"}))
    found = (await waiting)["registrationUpdate"]["registration"]
    assert found == {"note": "X", "client": {"name": "Open"}, "version": 2}


async def test_what_moves_meanwhile_to_an_archived_client_is_refused(
    owner: asyncpg.Connection, rival: asyncpg.Connection, as_: As, org: Tenant
) -> None:
    """Though the client that it was seen on is active."""
    ids = await placed(org, "Client")
    away = Ids(org, "Client", ids.client, ids.client, ids.project, ids.elsewhere, ids.there, ids.other, ids.label)
    statements = f"{MOVED.format(client=ids.client, row=ids.elsewhere)}; {ids.archiving}"
    async with first(rival, owner, statements):
        waiting = asyncio.create_task(refused(as_, away, Case("note", UPDATE, lambda ids: {**ids.of_there, "note": "X"})))
    await waiting
    assert await owner.fetchval("SELECT note FROM relaties.registration WHERE id = $1", ids.elsewhere) is None

"""Rules of projects. Whoever sees a client sees its projects.

A project is of one client and stays with it. What is archived is left as it is: the project itself, and all projects of an archived client.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from db import entities
from db import projects as rows
from db.moments import now
from db.rows import ProjectRow
from db.tables import Client, Project, ProjectFields, ProjectFinancialFields
from domain.changes import apply, expect, filled, held, must_be_active
from domain.checks import checked, checked_patch
from domain.errors import Faults, InUse, InvalidInput, NotArchived, Refused, not_found
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope, WriteScope, hide_without, require

Values = Mapping[str, object]
NEWEST: Order[ProjectRow] = Order("client.projects.newest", attrgetter("id", "id"), is_ascending=False)
PRICES = ["financial"]

by_id = require(Permission.CLIENTS_READ, rows.by_id)
financial = hide_without(Permission.FINANCE_READ, rows.financials)
"""The prices of each project."""


@dataclass(frozen=True)
class OfClient:
    """Projects of a client: all, only the archived or only the active."""

    client_id: UUID
    is_archived: bool | None


async def of_clients(scope: ReadScope, ids: Sequence[UUID], *, span: Span, is_archived: bool | None) -> list[Page[ProjectRow]]:
    """The projects of each client, the newest first."""
    reading = Reading.of(NEWEST, scope.cursors, span)
    found = await rows.of_clients(scope, ids, reading.part, is_archived=is_archived)
    return reading.pages(found, [OfClient(key, is_archived) for key in ids])


async def counts_of_clients(scope: Scope, wanted: Sequence[OfClient]) -> list[int]:
    """How many there are of each."""
    found: dict[OfClient, int] = {}
    for which in dict.fromkeys(each.is_archived for each in wanted):
        ids = [each.client_id for each in wanted if each.is_archived is which]
        counts = await rows.counts_of_clients(scope, ids, is_archived=which)
        found |= {OfClient(key, which): count for key, count in zip(ids, counts, strict=True)}
    return [found[each] for each in wanted]


async def create(scope: WriteScope, client_id: UUID, values: Values, prices: Values | None) -> UUID:
    """A project of an active client; refused with every fault there is. `prices` is None where there are none."""
    _may(scope, prices)
    faults, wanted = Faults(), dict[str, Any]()
    with faults.part():
        wanted |= checked(ProjectFields, values).model_dump()
        _refuse_disorder(wanted, values)
    with faults.part():
        wanted |= checked(ProjectFinancialFields, prices or {}, at=PRICES).model_dump()
    with faults.part():
        await _active_client(scope, client_id, ["clientId"])
    faults.refuse()
    project = Project(tenant_id=scope.tenant, client_id=client_id, **wanted)
    scope.session.add(project)
    return project.id


async def update(scope: WriteScope, project_id: UUID, changes: Values, prices: Values | None, *, expected_version: int) -> UUID:
    """Changes what was given, and one version in all; what comes to nothing changes nothing."""
    _may(scope, prices)
    project = await _held(scope, project_id, expected_version)
    must_be_active(scope, project)
    faults, wanted, current = Faults(), dict[str, Any](), filled(project, ProjectFields)
    with faults.part():
        wanted |= checked_patch(ProjectFields, current, changes)
        _refuse_disorder({**current, **wanted}, changes)
    with faults.part():
        wanted |= checked_patch(ProjectFinancialFields, filled(project, ProjectFinancialFields), prices or {}, at=PRICES)
    faults.refuse()
    apply(project, wanted)
    return project.id


async def archive(scope: WriteScope, project_id: UUID, *, expected_version: int) -> UUID:
    """Nothing more is registered on it. It is archived by itself: un-archiving its client does not bring it back."""
    scope.must(Permission.CLIENTS_WRITE)
    project = await _held(scope, project_id, expected_version)
    must_be_active(scope, project)
    apply(project, {"archived_at": now(), "archive_operation_id": None})
    return project.id


async def unarchive(scope: WriteScope, project_id: UUID, *, expected_version: int) -> UUID:
    """Takes back an archived project of an active client."""
    scope.must(Permission.CLIENTS_WRITE)
    project = await _held(scope, project_id, expected_version)
    if not project.archived_at:
        name = scope.name(project.name, "This project")
        raise Refused(NotArchived(["id"], f"{name} is active already. There is nothing to take back: go on with it as it is."))
    apply(project, {"archived_at": None, "archive_operation_id": None})
    return project.id


async def delete(scope: WriteScope, project_id: UUID, *, expected_version: int) -> UUID:
    """Only what nothing stands on. Portals that showed it show it no more."""
    scope.must(Permission.CLIENTS_WRITE)
    project = await _held(scope, project_id, expected_version)
    uses = await rows.count_uses(scope, project_id)
    if sum(uses.values()):
        by = " and ".join(f"{count} {of}{'' if count == 1 else 's'}" for of, count in uses.items() if count)
        left = "It is archived already, and may stay so." if project.archived_at else "Archive it instead, with `projectArchive`."
        name = scope.name(project.name, "This project")
        raise Refused(InUse(["id"], f"{name} has {by}, and goes only with its client. {left}", sum(uses.values())))
    await scope.session.delete(project)
    return project.id


def _may(scope: WriteScope, prices: Values | None) -> None:
    scope.must(Permission.CLIENTS_WRITE)
    if prices is not None:
        scope.must(Permission.FINANCE_WRITE)


async def _active_client(scope: WriteScope, client_id: UUID, at: Sequence[str]) -> None:
    """There is one, and nobody archives or deletes it until the unit of work ends."""
    client = (await entities.lock_for_share(scope, Client, [client_id])).get(client_id)
    if client is None:
        raise Refused(not_found("client", at))
    must_be_active(scope, client, at)


async def _held(scope: WriteScope, project_id: UUID, expected_version: int) -> Project:
    """A project of an active client; the client is held first, as everybody takes them. With the one, the other may go meanwhile."""
    (found,) = await rows.by_id(scope, [project_id])
    if found is None:
        raise Refused(not_found("project", ["id"]))
    client = (await entities.lock_for_share(scope, Client, [found.client_id])).get(found.client_id)
    project = await held(scope, Project, project_id)
    if client:
        must_be_active(scope, client)
    expect(project, expected_version)
    return project


def _refuse_disorder(project: Mapping[str, Any], given: Values) -> None:
    """Said of the day that was given."""
    start, end = project["starts_on"], project["ends_on"]
    if start and end and end < start:
        at = to_camel("ends_on" if "ends_on" in given else "starts_on")
        raise Refused(InvalidInput([at], f"The last day, {end}, is before the first, {start}. Take a later last day, or an earlier first."))

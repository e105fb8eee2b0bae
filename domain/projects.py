"""Read and change projects. A caller who may read a client may read its projects.

A project never moves to another client. An archived project cannot change, and neither can the projects of an archived client.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from db.queries import projects as rows
from db.rows import ProjectRow
from db.sql import locking
from db.tables import Client, Project, ProjectFields, ProjectFinancialFields
from db.tables.timestamps import now
from domain.core.errors import ErrorCollector, InUse, NotArchived, RuleViolation, not_found, pluralize
from domain.core.locking import apply_changes, expect_version, field_values, lock, require_active
from domain.core.pagination import Page, PageReader, PageRequest, SortOrder
from domain.core.scope import Permission, ReadScope, Scope, WriteScope, hide_without, require
from domain.core.validation import check_dates, validate, validate_patch

Values = Mapping[str, object]
NEWEST_FIRST: SortOrder[ProjectRow] = SortOrder("client.projects.newest", attrgetter("id", "id"), is_ascending=False)
FINANCIAL_PATH, DATES = ["financial"], ("starts_on", "ends_on")

by_id = require(Permission.CLIENTS_READ, rows.by_id)
financial = hide_without(Permission.FINANCE_READ, rows.financials)
"""Return the prices of each project."""


@dataclass(frozen=True)
class ProjectSelector:
    """The projects of a client to count: the archived ones (True), the active ones (False) or all of them (None)."""

    client_id: UUID
    is_archived: bool | None


async def of_clients(
    scope: ReadScope, ids: Sequence[UUID], *, page_request: PageRequest, is_archived: bool | None
) -> list[Page[ProjectRow]]:
    """Return the projects of each client, newest first."""
    reader = PageReader.of(NEWEST_FIRST, scope.cursors, page_request)
    row_groups = await rows.of_clients(scope, ids, reader.page_slice, is_archived=is_archived)
    return reader.pages(row_groups, [ProjectSelector(key, is_archived) for key in ids])


async def counts_of_clients(scope: Scope, selectors: Sequence[ProjectSelector]) -> list[int]:
    """Return how many projects match each selector."""
    totals: dict[ProjectSelector, int] = {}
    for is_archived in dict.fromkeys(each.is_archived for each in selectors):
        ids = [each.client_id for each in selectors if each.is_archived is is_archived]
        counts = await rows.counts_of_clients(scope, ids, is_archived=is_archived)
        totals |= {ProjectSelector(key, is_archived): count for key, count in zip(ids, counts, strict=True)}
    return [totals[each] for each in selectors]


async def create(scope: WriteScope, client_id: UUID, values: Values, prices: Values | None) -> UUID:
    """Create a project of an active client. Raises `RuleViolation` with every error."""
    _require_permissions(scope, prices)
    errors, new_values = ErrorCollector(), dict[str, Any]()
    with errors.collect():
        new_values |= validate(ProjectFields, values).model_dump()
        check_dates(new_values, values, *DATES)
    with errors.collect():
        new_values |= validate(ProjectFinancialFields, prices or {}, path=FINANCIAL_PATH).model_dump()
    with errors.collect():
        await _lock_active_client(scope, client_id, ["clientId"])
    errors.raise_collected()
    project = Project(tenant_id=scope.tenant, client_id=client_id, **new_values)
    scope.session.add(project)
    return project.id


async def update(scope: WriteScope, project_id: UUID, changes: Values, prices: Values | None, *, expected_version: int) -> UUID:
    """Change the supplied values and increment the version once. If no value differs, nothing changes."""
    _require_permissions(scope, prices)
    project = await _lock_project(scope, project_id, expected_version)
    require_active(scope, project)
    errors, new_values, current = ErrorCollector(), dict[str, Any](), field_values(project, ProjectFields)
    with errors.collect():
        new_values |= validate_patch(ProjectFields, current, changes)
        check_dates({**current, **new_values}, changes, *DATES)
    with errors.collect():
        new_values |= validate_patch(
            ProjectFinancialFields, field_values(project, ProjectFinancialFields), prices or {}, path=FINANCIAL_PATH
        )
    errors.raise_collected()
    apply_changes(project, new_values)
    return project.id


async def archive(scope: WriteScope, project_id: UUID, *, expected_version: int) -> UUID:
    """Archive a project on its own.

    `archive_operation_id` stays empty, so that unarchiving the client, which restores the projects of its archive operation, skips it.
    """
    scope.require(Permission.CLIENTS_WRITE)
    project = await _lock_project(scope, project_id, expected_version)
    require_active(scope, project)
    apply_changes(project, {"archived_at": now(), "archive_operation_id": None})
    return project.id


async def unarchive(scope: WriteScope, project_id: UUID, *, expected_version: int) -> UUID:
    """Unarchive a project of an active client."""
    scope.require(Permission.CLIENTS_WRITE)
    project = await _lock_project(scope, project_id, expected_version)
    if not project.archived_at:
        name = scope.visible_name(project.name, "This project")
        raise RuleViolation(NotArchived(["id"], f"{name} is not archived. No action is needed."))
    apply_changes(project, {"archived_at": None, "archive_operation_id": None})
    return project.id


async def delete(scope: WriteScope, project_id: UUID, *, expected_version: int) -> UUID:
    """Delete a project that no registration, invoice or quote refers to. Portals stop showing it."""
    scope.require(Permission.CLIENTS_WRITE)
    project = await _lock_project(scope, project_id, expected_version)
    uses = await rows.count_uses(scope, project_id)
    if sum(uses.values()):
        usages = " and ".join(pluralize(count, noun) for noun, count in uses.items() if count)
        hint = "Keep it archived instead." if project.archived_at else "Archive it instead with `projectArchive`."
        name = scope.visible_name(project.name, "This project")
        raise RuleViolation(InUse(["id"], f"{name} has {usages} and can only be deleted with its client. {hint}", sum(uses.values())))
    await scope.session.delete(project)
    return project.id


def _require_permissions(scope: WriteScope, prices: Values | None) -> None:
    scope.require(Permission.CLIENTS_WRITE)
    if prices is not None:
        scope.require(Permission.FINANCE_WRITE)


async def _lock_active_client(scope: WriteScope, client_id: UUID, path: Sequence[str]) -> None:
    """Lock the client against archiving and deletion. Raises `RuleViolation` if it is missing or archived."""
    client = (await locking.lock_for_share(scope, Client, [client_id])).get(client_id)
    if client is None:
        raise RuleViolation(not_found("client", path))
    require_active(scope, client, path)


async def _lock_project(scope: WriteScope, project_id: UUID, expected_version: int) -> Project:
    """Lock a project of an active client. Lock the client before the project, as all code does, so that transactions do not deadlock."""
    (project_row,) = await rows.by_id(scope, [project_id])
    if project_row is None:
        raise RuleViolation(not_found("project", ["id"]))
    client = (await locking.lock_for_share(scope, Client, [project_row.client_id])).get(project_row.client_id)
    project = await lock(scope, Project, project_id)  # raises if the client, and with it the project, was deleted meanwhile
    if client:
        require_active(scope, client)
    expect_version(project, expected_version)
    return project

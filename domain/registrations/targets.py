"""Resolve and lock the target of a registration: a client, and perhaps one of its projects.

The order of locks is the same everywhere: clients, then projects, then the registration. Writing a registration takes shared locks of its
client and project, and archiving takes exclusive ones. So the target cannot be archived while a registration is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from pydantic.alias_generators import to_camel

from db.engine.errors import ConcurrentMoveError
from db.queries import projects as project_rows
from db.queries import registrations as rows
from db.sql import locking
from db.tables import Client, Organization, Project, Registration
from domain.core.errors import ErrorCollector, InvalidInput, RuleViolation, not_found
from domain.core.locking import expect_version, lock, require_active
from domain.core.scope import Scope, WriteScope

Links = Mapping[str, UUID | None]  # those of `client_id`, `project_id` and `member_id` that were supplied


class TargetIds(NamedTuple):
    """The ids of a client and a project, either of which may be missing."""

    client_id: UUID | None
    project_id: UUID | None


@dataclass(frozen=True)
class Target:
    """A client and perhaps one of its projects, locked until the unit of work ends."""

    client: Client
    project: Project | None

    @property
    def ids(self) -> TargetIds:
        return TargetIds(self.client.id, self.project.id if self.project else None)

    def require_active(self, scope: Scope, client_field: str, project_field: str) -> None:
        """Raise `RuleViolation` if the client or the project is archived, with the path of its field."""
        require_active(scope, self.client, [client_field])
        if self.project:
            require_active(scope, self.project, [project_field])


class LockedParents(NamedTuple):
    """Clients and projects that are locked until the unit of work ends."""

    clients: Mapping[UUID, Client]
    projects: Mapping[UUID, Project]


class LockedRegistration(NamedTuple):
    """A registration that is locked until the unit of work ends, its current target, and the ids of its new target."""

    row: Registration
    target: Target
    destination: TargetIds
    parents: LockedParents


async def lock_new_target(scope: WriteScope, organization: Organization, links: Links) -> Target:
    """Lock and return the target of a new registration."""
    destination = await _find_destination(scope, links, TargetIds(None, None))
    return resolve_target(scope, organization, links, destination, await _lock_parents(scope, destination))


async def lock_registration(
    scope: WriteScope, registration_id: UUID, expected_version: int, links: Links | None = None
) -> LockedRegistration:
    """Lock a registration and its parents.

    Raises `RuleViolation` if it is missing, its client or project is archived (checked first), or its version differs. Raises
    `ConcurrentMoveError` if another transaction moved it meanwhile.
    """
    (registration_row,) = await rows.by_id(scope, [registration_id])
    if registration_row is None:
        raise RuleViolation(not_found("registration", ["id"]))
    target_ids = TargetIds(registration_row.client_id, registration_row.project_id)
    destination = await _find_destination(scope, links or {}, target_ids)
    parents = await _lock_parents(scope, target_ids, destination)
    row = await lock(scope, Registration, registration_id)
    if (row.client_id, row.project_id) != target_ids:
        expect_version(row, expected_version)
        raise ConcurrentMoveError
    target = Target(parents.clients[row.client_id], parents.projects[row.project_id] if row.project_id else None)
    target.require_active(scope, "id", "id")
    expect_version(row, expected_version)
    return LockedRegistration(row, target, destination, parents)


def resolve_target(scope: Scope, organization: Organization, links: Links, destination: TargetIds, parents: LockedParents) -> Target:
    """Return the requested target. Raises `RuleViolation` if it is missing, archived or inconsistent."""
    errors = ErrorCollector()
    for name, parents_by_id in (("client_id", parents.clients), ("project_id", parents.projects)):
        key = links.get(name)
        if key and key not in parents_by_id:
            errors.user_errors.append(not_found(name.removesuffix("_id"), [to_camel(name)]))
    errors.raise_collected()
    if destination.client_id is None:
        raise RuleViolation(InvalidInput(["clientId"], "A registration needs a client. Pass `clientId`, or `projectId` of its project."))
    client = parents.clients[destination.client_id]
    project = parents.projects[destination.project_id] if destination.project_id else None
    if project and project.client_id != client.id:
        names = scope.visible_name(project.name, "This project"), scope.visible_name(client.name, "the client")
        message = f"{names[0]} does not belong to {names[1]}. Leave out `clientId`, or pass a project of this client."
        raise RuleViolation(InvalidInput(["projectId"], message))
    if project is None and organization.project_required:
        raise RuleViolation(InvalidInput(["projectId"], "This organization requires a project for registrations. Pass `projectId`."))
    target = Target(client, project)
    target.require_active(scope, *(("clientId", "projectId") if links.get("client_id") else ("projectId", "projectId")))
    return target


async def _find_destination(scope: WriteScope, links: Links, current_ids: TargetIds) -> TargetIds:
    """Return the ids of the new target. A project implies its client, and another client clears the project."""
    client_id, project_id = links.get("client_id"), links.get("project_id")
    if project_id:
        (project,) = await project_rows.by_id(scope, [project_id])
        return TargetIds(client_id or (project.client_id if project else None), project_id)
    if client_id and client_id != current_ids.client_id:
        return TargetIds(client_id, None)
    return TargetIds(current_ids.client_id, None if "project_id" in links else current_ids.project_id)


async def _lock_parents(scope: WriteScope, *targets: TargetIds) -> LockedParents:
    clients = {target_ids.client_id for target_ids in targets if target_ids.client_id}
    projects = {target_ids.project_id for target_ids in targets if target_ids.project_id}
    return LockedParents(
        await locking.lock_for_share(scope, Client, [*clients]) if clients else {},
        await locking.lock_for_share(scope, Project, [*projects]) if projects else {},
    )

"""Find and lock the target of a registration: a client, and perhaps one of its projects.

All code locks in the same order: clients, then projects, then the registration. A write of a registration locks its client and project
FOR SHARE, and archiving locks them exclusively. So the target cannot be archived while a registration is written.
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

Links = Mapping[str, UUID | None]  # the supplied ones of `client_id`, `project_id` and `member_id`


class TargetIds(NamedTuple):
    """The ids of a client and one of its projects. Either can be None."""

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
        """Raise `RuleViolation` if the client or the project is archived. The fields are the input fields to report."""
        require_active(scope, self.client, [client_field])
        if self.project:
            require_active(scope, self.project, [project_field])


class LockedParents(NamedTuple):
    """Clients and projects that are locked until the unit of work ends."""

    clients: Mapping[UUID, Client]
    projects: Mapping[UUID, Project]


class LockedRegistration(NamedTuple):
    """A registration that is locked until the unit of work ends, its current target, and the ids of its new target (`destination`)."""

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
    """Lock a registration, its parents, and the parents that it is about to move to.

    Raises `RuleViolation` if the registration does not exist, if its client or project is archived, or else if its version differs. Raises
    `ConcurrentMoveError`, so that the operation is retried, if another transaction moved it before it was locked.
    """
    (registration_row,) = await rows.by_id(scope, [registration_id])
    if registration_row is None:
        raise RuleViolation(not_found("registration", ["id"]))
    target_ids = TargetIds(registration_row.client_id, registration_row.project_id)
    destination = await _find_destination(scope, links or {}, target_ids)
    parents = await _lock_parents(scope, target_ids, destination)
    row = await lock(scope, Registration, registration_id)
    if (row.client_id, row.project_id) != target_ids:
        # The move incremented the version, so a caller who read the registration before the move gets a version conflict.
        expect_version(row, expected_version)
        raise ConcurrentMoveError
    target = Target(parents.clients[row.client_id], parents.projects[row.project_id] if row.project_id else None)
    target.require_active(scope, "id", "id")
    expect_version(row, expected_version)
    return LockedRegistration(row, target, destination, parents)


def resolve_target(scope: Scope, organization: Organization, links: Links, destination: TargetIds, parents: LockedParents) -> Target:
    """Return the target.

    Raises `RuleViolation` if the client or a required project is missing, if either is archived, or if the project is of another client.
    """
    errors = ErrorCollector()
    for name, parents_by_id in (("client_id", parents.clients), ("project_id", parents.projects)):
        parent_id = links.get(name)
        if parent_id and parent_id not in parents_by_id:
            errors.user_errors.append(not_found(name.removesuffix("_id"), [to_camel(name)]))
    errors.raise_collected()
    if destination.client_id is None:
        raise RuleViolation(InvalidInput(["clientId"], "A registration needs a client. Pass `clientId`, or `projectId` of its project."))
    client = parents.clients[destination.client_id]
    project = parents.projects[destination.project_id] if destination.project_id else None
    if project and project.client_id != client.id:
        project_name, client_name = scope.visible_name(project.name, "This project"), scope.visible_name(client.name, "the client")
        message = f"{project_name} does not belong to {client_name}. Leave out `clientId`, or pass a project of this client."
        raise RuleViolation(InvalidInput(["projectId"], message))
    if project is None and organization.project_required:
        raise RuleViolation(InvalidInput(["projectId"], "This organization requires a project for registrations. Pass `projectId`."))
    target = Target(client, project)
    target.require_active(scope, *(("clientId", "projectId") if links.get("client_id") else ("projectId", "projectId")))
    return target


async def _find_destination(scope: WriteScope, links: Links, current_ids: TargetIds) -> TargetIds:
    """Return the ids of the new target. A supplied project implies its client. A supplied other client clears the project."""
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

"""Resolve and lock the target of a registration: a client and one of its projects. Neither changes while it is written.

Lock in the same order everywhere: clients, then projects, then the registration. Locks of clients and projects are shared by all who
register, and exclusive for archiving: it happens before or after a registration, never in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from pydantic.alias_generators import to_camel

from db.engine.errors import ConcurrentMoveError
from db.queries import projects as projects_
from db.queries import registrations as rows
from db.sql import locking
from db.tables import Client, Organization, Project, Registration
from domain.core.errors import ErrorCollector, InvalidInput, RuleViolation, not_found
from domain.core.locking import expect_version, require_active
from domain.core.locking import lock as held_row
from domain.core.scope import Scope, WriteScope

Links = Mapping[str, UUID | None]  # the supplied ones of `client_id`, `project_id`, `member_id`


class TargetIds(NamedTuple):
    """The ids of a client and a project; None for none."""

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
        """Raise `RuleViolation` at one of these fields if the client or the project is archived."""
        require_active(scope, self.client, [client_field])
        if self.project:
            require_active(scope, self.project, [project_field])


class LockedParents(NamedTuple):
    """Clients and projects that are locked until the unit of work ends."""

    clients: Mapping[UUID, Client]
    projects: Mapping[UUID, Project]


class LockedRegistration(NamedTuple):
    """A registration that is locked until the unit of work ends, its target, and where it moves to."""

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
    """Lock a registration. Raises `RuleViolation` if it is missing, its parents are archived (first), or its version differs."""
    (registration_row,) = await rows.by_id(scope, [registration_id])
    if registration_row is None:
        raise RuleViolation(not_found("registration", ["id"]))
    target_ids = TargetIds(registration_row.client_id, registration_row.project_id)
    destination = await _find_destination(scope, links or {}, target_ids)
    parents = await _lock_parents(scope, target_ids, destination)
    row = await held_row(scope, Registration, registration_id)
    if (row.client_id, row.project_id) != target_ids:
        expect_version(row, expected_version)
        raise ConcurrentMoveError
    target = Target(parents.clients[row.client_id], parents.projects[row.project_id] if row.project_id else None)
    target.require_active(scope, "id", "id")
    expect_version(row, expected_version)
    return LockedRegistration(row, target, destination, parents)


def resolve_target(scope: Scope, organization: Organization, links: Links, destination: TargetIds, parents: LockedParents) -> Target:
    """Return the requested target. Raises `RuleViolation` if it is invalid."""
    errors = ErrorCollector()
    for name, parents_by_id in (("client_id", parents.clients), ("project_id", parents.projects)):
        key = links.get(name)
        if key and key not in parents_by_id:
            errors.user_errors.append(not_found(name.removesuffix("_id"), [to_camel(name)]))
    errors.raise_collected()
    if destination.client_id is None:
        raise RuleViolation(
            InvalidInput(["clientId"], "Say whose work it is: give `clientId`, or `projectId` of one of the client's projects.")
        )
    client = parents.clients[destination.client_id]
    project = parents.projects[destination.project_id] if destination.project_id else None
    if project and project.client_id != client.id:
        names = scope.visible_name(project.name, "This"), scope.visible_name(client.name, "the client")
        message = f"{names[0]} is no project of {names[1]}. Leave `clientId` out, or take a project of the client."
        raise RuleViolation(InvalidInput(["projectId"], message))
    if project is None and organization.project_required:
        raise RuleViolation(InvalidInput(["projectId"], "The organization registers on projects alone. Give `projectId`."))
    target = Target(client, project)
    target.require_active(scope, *(("clientId", "projectId") if links.get("client_id") else ("projectId", "projectId")))
    return target


async def _find_destination(scope: WriteScope, links: Links, current_ids: TargetIds) -> TargetIds:
    """Return the ids to move to: a project implies its client; another client drops the project."""
    client_id, project_id = links.get("client_id"), links.get("project_id")
    if project_id:
        (project,) = await projects_.by_id(scope, [project_id])
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

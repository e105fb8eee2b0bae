"""Where a registration is: on a client, and on one of its projects. Neither changes while a registration is written.

Locks come in one order everywhere: clients, then projects, then the registration. Those of clients and projects are shared among all who
register, and archiving takes them for itself: it comes before or after a registration, never in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from pydantic.alias_generators import to_camel

from db import entities
from db import projects as projects_
from db import registrations as rows
from db.faults import ConcurrentMoveError
from db.tables import Client, Organization, Project, Registration
from domain.changes import expect, must_be_active
from domain.changes import held as held_row
from domain.errors import Faults, InvalidInput, Refused, not_found
from domain.scope import Scope, WriteScope

Links = Mapping[str, UUID | None]  # of what was given: `client_id`, `project_id`, `member_id`


class Place(NamedTuple):
    """The ids of a client and a project; None for none."""

    client_id: UUID | None
    project_id: UUID | None


@dataclass(frozen=True)
class Spot:
    """A client and perhaps one of its projects, which stay as they are until the unit of work ends."""

    client: Client
    project: Project | None

    @property
    def place(self) -> Place:
        return Place(self.client.id, self.project.id if self.project else None)

    def must_be_active(self, scope: Scope, of_client: str, of_project: str) -> None:
        """Refused at the one place or the other."""
        must_be_active(scope, self.client, [of_client])
        if self.project:
            must_be_active(scope, self.project, [of_project])


class Kept(NamedTuple):
    """Clients and projects that nobody changes until the unit of work ends."""

    clients: Mapping[UUID, Client]
    projects: Mapping[UUID, Project]


class Held(NamedTuple):
    """A registration that is nobody else's until the unit of work ends, where it is, and where it is to go."""

    row: Registration
    spot: Spot
    goal: Place
    kept: Kept


async def new_spot(scope: WriteScope, organization: Organization, links: Links) -> Spot:
    """Where a new registration is to be."""
    goal = await _goal(scope, links, Place(None, None))
    return chosen(scope, organization, links, goal, await _kept(scope, goal))


async def held(scope: WriteScope, registration_id: UUID, expected_version: int, links: Links | None = None) -> Held:
    """Refused where there is none, where its client or project is archived, which is said first, and where somebody else changed it."""
    (seen,) = await rows.by_id(scope, [registration_id])
    if seen is None:
        raise Refused(not_found("registration", ["id"]))
    place = Place(seen.client_id, seen.project_id)
    goal = await _goal(scope, links or {}, place)
    kept = await _kept(scope, place, goal)
    row = await held_row(scope, Registration, registration_id)
    if (row.client_id, row.project_id) != place:
        expect(row, expected_version)
        raise ConcurrentMoveError
    spot = Spot(kept.clients[row.client_id], kept.projects[row.project_id] if row.project_id else None)
    spot.must_be_active(scope, "id", "id")
    expect(row, expected_version)
    return Held(row, spot, goal, kept)


def chosen(scope: Scope, organization: Organization, links: Links, goal: Place, kept: Kept) -> Spot:
    """The place as it was asked for, or why not."""
    faults = Faults()
    for name, found in (("client_id", kept.clients), ("project_id", kept.projects)):
        key = links.get(name)
        if key and key not in found:
            faults.found.append(not_found(name.removesuffix("_id"), [to_camel(name)]))
    faults.refuse()
    if goal.client_id is None:
        raise Refused(InvalidInput(["clientId"], "Say whose work it is: give `clientId`, or `projectId` of one of the client's projects."))
    client = kept.clients[goal.client_id]
    project = kept.projects[goal.project_id] if goal.project_id else None
    if project and project.client_id != client.id:
        names = scope.name(project.name, "This"), scope.name(client.name, "the client")
        message = f"{names[0]} is no project of {names[1]}. Leave `clientId` out, or take a project of the client."
        raise Refused(InvalidInput(["projectId"], message))
    if project is None and organization.project_required:
        raise Refused(InvalidInput(["projectId"], "The organization registers on projects alone. Give `projectId`."))
    spot = Spot(client, project)
    spot.must_be_active(scope, *(("clientId", "projectId") if links.get("client_id") else ("projectId", "projectId")))
    return spot


async def _goal(scope: WriteScope, links: Links, now: Place) -> Place:
    """A project brings its client along; another client leaves the project behind."""
    client_id, project_id = links.get("client_id"), links.get("project_id")
    if project_id:
        (project,) = await projects_.by_id(scope, [project_id])
        return Place(client_id or (project.client_id if project else None), project_id)
    if client_id and client_id != now.client_id:
        return Place(client_id, None)
    return Place(now.client_id, None if "project_id" in links else now.project_id)


async def _kept(scope: WriteScope, *places: Place) -> Kept:
    clients = {place.client_id for place in places if place.client_id}
    projects = {place.project_id for place in places if place.project_id}
    return Kept(
        await entities.lock_for_share(scope, Client, [*clients]) if clients else {},
        await entities.lock_for_share(scope, Project, [*projects]) if projects else {},
    )

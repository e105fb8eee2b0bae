"""Mutations of projects, and their payloads."""

import strawberry

from domain.projects import by_id
from resolvers import projects
from resolvers.ids import GlobalId
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations
from schema.projects import Project


@strawberry.type
class ProjectPayload(Payload):
    project: Project | None = changed_object(by_id)


@strawberry.type
class ProjectDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Project")


@mutations
class ProjectMutations:
    project_create: ProjectPayload = declare_mutation(
        projects.create, description="Adds a project of an active client; its hours have the client's price unless told otherwise."
    )
    project_update: ProjectPayload = declare_mutation(
        projects.update, description="Changes an active project of an active client. It stays the client's."
    )
    project_archive: ProjectPayload = declare_mutation(
        projects.archive, description="Archives a project: nothing more is registered on it, and its registrations stay as they are."
    )
    project_unarchive: ProjectPayload = declare_mutation(
        projects.unarchive,
        description="Takes an archived project of an active client back. What was archived along with its client comes back with it.",
    )
    project_delete: ProjectDeletePayload = declare_mutation(
        projects.delete,
        description="Deletes a project of an active client that has neither registrations nor lines of invoices or quotes."
        " Portals show it no more.",
    )

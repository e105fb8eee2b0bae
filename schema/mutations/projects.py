"""Mutations of projects and their payloads."""

import strawberry

from domain.projects import by_id
from resolvers import projects
from resolvers.ids import GlobalId
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations
from schema.projects import Project
from schema.user_errors import ClientAlreadyArchivedError, InUseError, ProjectAlreadyArchivedError, ProjectVersionConflictError


@strawberry.type
class ProjectPayload(Payload):
    project: Project | None = changed_object(by_id)


@strawberry.type
class ProjectDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Project")


@mutations
class ProjectMutations:
    project_create: ProjectPayload = declare_mutation(
        projects.create,
        "Creates a project for a client. Fails with `ALREADY_ARCHIVED` if the client is archived.",
        errors=[ClientAlreadyArchivedError],
    )
    project_update: ProjectPayload = declare_mutation(
        projects.update,
        "Changes a project. Its client cannot change. Fails with `ALREADY_ARCHIVED` if the project or client is archived.",
        errors=[ClientAlreadyArchivedError, ProjectAlreadyArchivedError, ProjectVersionConflictError],
    )
    project_archive: ProjectPayload = declare_mutation(
        projects.archive,
        "Archives a project, so that its registrations cannot change and new ones are rejected. Fails with `ALREADY_ARCHIVED` if the "
        "project or its client is archived.",
        errors=[ClientAlreadyArchivedError, ProjectAlreadyArchivedError, ProjectVersionConflictError],
    )
    project_unarchive: ProjectPayload = declare_mutation(
        projects.unarchive,
        "Unarchives a project. Fails with `NOT_ARCHIVED` if it is active, and with `ALREADY_ARCHIVED` if its client is archived: use "
        "`clientUnarchive`, which also unarchives the projects that were archived with the client.",
        errors=[ClientAlreadyArchivedError, ProjectVersionConflictError],
    )
    project_delete: ProjectDeletePayload = declare_mutation(
        projects.delete,
        "Deletes a project and removes it from portals. Fails with `IN_USE` if registrations, invoice lines or quote lines refer "
        "to it; archive it instead. Fails with `ALREADY_ARCHIVED` if its client is archived.",
        errors=[InUseError, ClientAlreadyArchivedError, ProjectVersionConflictError],
    )

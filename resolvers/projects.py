"""Inputs and resolvers of projects."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import strawberry

from db.rows import ProjectRow
from db.tables import InvoiceMethod, ProjectFields, ProjectFinancialFields
from domain import projects
from domain.core.pagination import PageRequest
from domain.core.scope import WriteScope
from resolvers.context import Info
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import VERSION_DESCRIPTION, VersionedInput, input_of, input_values, patch_of, patch_values, to_uuid
from resolvers.pagination import After, Before, First, Last

describe_enum(
    InvoiceMethod,
    "Invoicing method of a project.",
    NONE="Not invoiced.",
    CLIENT_HOURLY="By the hour, at the client's rate.",
    PROJECT_HOURLY="By the hour, at the project's rate, or at the client's if the project has none.",
    PROJECT_FIXED="At a fixed price.",
)


async def find_one(info: Info, id: Annotated[GlobalId, strawberry.argument(description="Id of the project.")]) -> ProjectRow | None:
    key = id.key_of_type("Project")
    return await info.context.loaders.of(projects.by_id).load(key) if key else None


def select_projects(
    is_archived: Annotated[
        bool | None, strawberry.argument(description="True for archived projects only, false for active ones only; both if omitted.")
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Mapping[str, object]:
    """Convert the arguments of a client's projects to those of their batch function."""
    return {"is_archived": is_archived, "page_request": PageRequest(first, after, last, before)}


@input_of(ProjectFinancialFields, description="Prices of a project.")
class ProjectFinancialInput: ...


@patch_of(ProjectFinancialFields, description="Changes to prices. Omitted fields stay unchanged; null clears a field.")
class ProjectFinancialPatchInput: ...


@input_of(ProjectFields, description="A new project.")
class ProjectCreateInput:
    client_id: GlobalId = strawberry.field(description="Id of the client, which must be active.")
    financial: ProjectFinancialInput | None = strawberry.field(default=None, description="Prices. Requires `FINANCE_WRITE`.")


@patch_of(ProjectFields, description="Changes to a project. Omitted fields stay unchanged; null clears a field.")
class ProjectUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the project.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)
    financial: strawberry.Maybe[ProjectFinancialPatchInput] = strawberry.field(description="Prices. Requires `FINANCE_WRITE`.")


@strawberry.input(description="A project to archive.")
class ProjectArchiveInput(VersionedInput): ...


@strawberry.input(description="A project to unarchive.")
class ProjectUnarchiveInput(VersionedInput): ...


@strawberry.input(description="A project to delete.")
class ProjectDeleteInput(VersionedInput): ...


async def create(scope: WriteScope, input: ProjectCreateInput) -> UUID:
    prices = None if input.financial is None else input_values(ProjectFinancialFields, input.financial)
    return await projects.create(scope, to_uuid(input.client_id, "Client"), input_values(ProjectFields, input), prices)


async def update(scope: WriteScope, input: ProjectUpdateInput) -> UUID:
    prices = patch_values(ProjectFinancialFields, input.financial.value) if input.financial else None
    changes = patch_values(ProjectFields, input)
    return await projects.update(scope, to_uuid(input.id, "Project"), changes, prices, expected_version=input.expected_version)


async def archive(scope: WriteScope, input: ProjectArchiveInput) -> UUID:
    return await projects.archive(scope, to_uuid(input.id, "Project"), expected_version=input.expected_version)


async def unarchive(scope: WriteScope, input: ProjectUnarchiveInput) -> UUID:
    return await projects.unarchive(scope, to_uuid(input.id, "Project"), expected_version=input.expected_version)


async def delete(scope: WriteScope, input: ProjectDeleteInput) -> UUID:
    return await projects.delete(scope, to_uuid(input.id, "Project"), expected_version=input.expected_version)

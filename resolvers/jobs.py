"""Inputs and resolvers of background jobs."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from db.tables import JobFailureCode, JobKind, JobStatus
from domain.core.pagination import Page, PageRequest
from domain.core.scope import Scope, WriteScope
from domain.jobs import lifecycle, reads
from domain.jobs.reads import AnyJob
from domain.reports import monthly_balances
from resolvers.context import Info
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import to_uuid
from resolvers.pagination import After, Before, First, Last

TYPES = {JobKind.REVENUE_REBUILD: "RevenueRebuildJob", JobKind.CLIENT_EXPORT: "ClientExportJob"}
"""The type of the jobs of each kind."""
BATCHES: dict[str, Callable[[Scope, Sequence[UUID]], Awaitable[Sequence[AnyJob | None]]]] = {
    "RevenueRebuildJob": reads.rebuilds_by_id,
    "ClientExportJob": reads.exports_by_id,
}
describe_enum(
    JobKind,
    "Kind of a background job.",
    REVENUE_REBUILD="Checks and rebuilds the stored revenue of all clients.",
    CLIENT_EXPORT="Writes clients to a file.",
)
describe_enum(
    JobStatus,
    "Status of a background job. `SUCCEEDED`, `FAILED` and `CANCELLED` are final.",
    QUEUED="Waits for a worker, or for an earlier job of the organization.",
    RUNNING="A worker runs it.",
    SUCCEEDED="It has done everything.",
    FAILED="It has stopped; `failure` gives the reason.",
    CANCELLED="It was cancelled with `jobCancel`.",
)
describe_enum(
    JobFailureCode,
    "Why a background job failed.",
    ACCESS_LOST="The member was removed, the token was revoked, or one of them lost the permission that the job needs.",
    ATTEMPTS_EXHAUSTED="It made no progress in five attempts.",
    FILE_QUOTA_EXCEEDED="Its file does not fit into the space that the organization has for files.",
    TOO_MANY_ROWS="An XLSX file has fewer rows than there are clients.",
)
JobId = Annotated[GlobalId, strawberry.argument(description="Id of the job.")]
Kinds = Annotated[list[JobKind] | None, strawberry.argument(description="Kinds of jobs, at most 20; all if omitted.")]
Statuses = Annotated[list[JobStatus] | None, strawberry.argument(description="Statuses of jobs, at most 20; all if omitted.")]


@strawberry.input(description="A rebuild of the stored revenue of all clients.")
class RevenueRebuildStartInput:
    repair: bool = strawberry.field(
        default=True, description="Whether to rebuild stored revenue that is wrong. If false, the job only counts it, in `warnings`."
    )


@strawberry.input(description="A job to cancel.")
class JobCancelInput:
    id: GlobalId = strawberry.field(description="Id of the job.")


async def find_one(info: Info, id: JobId) -> AnyJob | None:
    batch = BATCHES.get(id.require_type())
    return await info.context.loaders.of(batch).load(id.key) if batch else None


async def page(
    info: Info,
    kinds: Kinds = None,
    statuses: Statuses = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[AnyJob]:
    return await reads.page(info.context.read_scope(), kinds, statuses, PageRequest(first, after, last, before))


async def start_revenue_rebuild(scope: WriteScope, input: RevenueRebuildStartInput) -> UUID:
    return await monthly_balances.start_rebuild(scope, is_repairing=input.repair)


async def cancel(scope: WriteScope, input: JobCancelInput) -> UUID:
    kind = next((kind for kind, type_name in TYPES.items() if type_name == input.id.type_name), JobKind.REVENUE_REBUILD)
    return await lifecycle.cancel(scope, to_uuid(input.id, TYPES[kind]), kind)

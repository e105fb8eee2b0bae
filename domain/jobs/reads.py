"""Read background jobs. A member sees their own jobs, a machine token those that it started; with ORGANIZATION_WRITE, a caller sees all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeAlias
from uuid import UUID

from db.queries import jobs as rows
from db.queries.jobs import JobFilter
from db.rows import JobRow
from db.tables import JobKind, JobStatus
from db.tables.timestamps import now
from domain.core.errors import BadInput
from domain.core.pagination import Page, PageReader, PageRequest, SortOrder
from domain.core.scope import Permission, ReadScope, Scope
from domain.jobs.lifecycle import is_own

counts = rows.counts
MAX_FILTER_VALUES = 20


class ExportJob:
    """The row of an export of clients. It has a class of its own, because the class of a row decides the GraphQL type of a job."""

    __slots__ = ("_row",)
    id: UUID
    kind: str
    status: str
    member_id: UUID | None
    warnings: list[str]
    failure_code: str | None
    failure_message: str | None
    done_count: int
    total: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    def __init__(self, row: JobRow) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 the attributes of the row
        return getattr(self._row, name)


AnyJob: TypeAlias = JobRow | ExportJob
NEWEST_FIRST: SortOrder[AnyJob] = SortOrder("jobs.newest", attrgetter("id", "id"), is_ascending=False)


def _of_kind(row: JobRow) -> AnyJob:
    return ExportJob(row) if row.kind == JobKind.CLIENT_EXPORT else row


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The progress of a job. `rate` is in entries per second since its start; it and `seconds_left` are None while they are unknown."""

    done_count: int
    total: int | None
    rate: float | None
    seconds_left: int | None


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[AnyJob | None]:
    """Return jobs by id. None for those that the caller may not see."""
    is_manager = scope.allows(Permission.ORGANIZATION_WRITE)
    return [_of_kind(job) if job and (is_manager or is_own(scope, job)) else None for job in await rows.by_id(scope, ids)]


async def rebuilds_by_id(scope: Scope, ids: Sequence[UUID]) -> list[JobRow | None]:
    """Return those of the jobs that rebuild revenue."""
    return [job if isinstance(job, JobRow) else None for job in await by_id(scope, ids)]


async def exports_by_id(scope: Scope, ids: Sequence[UUID]) -> list[ExportJob | None]:
    """Return those of the jobs that are exports of clients."""
    return [job if isinstance(job, ExportJob) else None for job in await by_id(scope, ids)]


async def page(
    scope: ReadScope, kinds: Sequence[JobKind] | None, statuses: Sequence[JobStatus] | None, page_request: PageRequest
) -> Page[AnyJob]:
    """Return a page of the jobs that the caller may see, newest first."""
    for name, values in (("kinds", kinds), ("statuses", statuses)):
        if values and len(values) > MAX_FILTER_VALUES:
            raise BadInput(f"`{name}` must have at most {MAX_FILTER_VALUES} entries.")
    criteria = JobFilter(None if kinds is None else tuple(kinds), None if statuses is None else tuple(statuses))
    if not scope.allows(Permission.ORGANIZATION_WRITE):
        member_id = scope.actor.member_id
        token_id = scope.actor.token_id if member_id is None else None
        criteria = JobFilter(criteria.kinds, criteria.statuses, member_id, token_id)
    reader = PageReader.of(NEWEST_FIRST, scope.cursors, page_request)
    return reader.page([_of_kind(row) for row in await rows.page(scope, criteria, reader.page_slice)], criteria)


def estimate_progress(job: AnyJob, at: datetime | None = None) -> JobProgress:
    """Return the progress of a job at a time, by default now. A total that was counted before entries were added grows with the count."""
    total = None if job.total is None else max(job.total, job.done_count)
    seconds = ((job.finished_at or at or now()) - job.started_at).total_seconds() if job.started_at else 0.0
    rate = job.done_count / seconds if seconds > 0 and job.done_count else None
    is_estimable = rate is not None and total is not None and job.status == JobStatus.RUNNING
    seconds_left = round((total - job.done_count) / rate) if is_estimable and rate and total is not None else None
    return JobProgress(job.done_count, total, None if rate is None else round(rate, 1), seconds_left)

"""Read background jobs. A member sees their own jobs, a machine token those that it started; with ORGANIZATION_WRITE, a caller sees all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from db.queries import jobs as rows
from db.queries.jobs import JobFilter
from db.rows import JobRow
from db.tables import JobKind, JobStatus
from db.tables.timestamps import now
from domain.core.errors import BadInput
from domain.core.pagination import Page, PageReader, PageRequest, SortOrder
from domain.core.scope import Permission, ReadScope, Scope

NEWEST_FIRST: SortOrder[JobRow] = SortOrder("jobs.newest", attrgetter("id", "id"), is_ascending=False)
counts = rows.counts
MAX_FILTER_VALUES = 20


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The progress of a job. `rate` is in entries per second since its start; it and `seconds_left` are None while they are unknown."""

    done_count: int
    total: int | None
    rate: float | None
    seconds_left: int | None


def _is_own(scope: Scope, job: JobRow) -> bool:
    """Return whether the caller started the job: the member with any of their tokens, or a machine with the same token."""
    actor = scope.actor
    return job.member_id == actor.member_id if actor.member_id else actor.token_id is not None and job.token_id == actor.token_id


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[JobRow | None]:
    """Return jobs by id. None for those that the caller may not see."""
    is_manager = scope.allows(Permission.ORGANIZATION_WRITE)
    return [job if job and (is_manager or _is_own(scope, job)) else None for job in await rows.by_id(scope, ids)]


async def page(
    scope: ReadScope, kinds: Sequence[JobKind] | None, statuses: Sequence[JobStatus] | None, page_request: PageRequest
) -> Page[JobRow]:
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
    return reader.page(await rows.page(scope, criteria, reader.page_slice), criteria)


def estimate_progress(job: JobRow, at: datetime | None = None) -> JobProgress:
    """Return the progress of a job at a time, by default now. A total that was counted before entries were added grows with the count."""
    total = None if job.total is None else max(job.total, job.done_count)
    seconds = ((job.finished_at or at or now()) - job.started_at).total_seconds() if job.started_at else 0.0
    rate = job.done_count / seconds if seconds > 0 and job.done_count else None
    is_estimable = rate is not None and total is not None and job.status == JobStatus.RUNNING
    seconds_left = round((total - job.done_count) / rate) if is_estimable and rate and total is not None else None
    return JobProgress(job.done_count, total, None if rate is None else round(rate, 1), seconds_left)

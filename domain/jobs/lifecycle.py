"""Start, cancel and finish background jobs.

The status of a job changes only here and in the claim of the runner: `TRANSITIONS` has all changes that are allowed.
"""

from collections.abc import Mapping
from uuid import UUID

from db.engine.protocols import UnitOfWork
from db.queries import job_messages as messages
from db.queries import jobs as rows
from db.sql import locking
from db.tables import Job, JobFailureCode, JobKind, JobStatus
from db.tables.timestamps import now
from domain.core.errors import InvalidInput, RuleViolation, TooMany
from domain.core.locking import lock
from domain.core.scope import Permission, WriteScope

MAX_ATTEMPTS = 5
MAX_UNFINISHED = 1_000  # jobs of an organization: more would only wait for days, and each is a row that the server keeps
FAILURE_MESSAGES = {
    JobFailureCode.ACCESS_LOST: "The member or the token that started the job has lost the permission for it. What was done is kept. "
    "Start the job again with another token.",
    JobFailureCode.ATTEMPTS_EXHAUSTED: f"The job made no progress in {MAX_ATTEMPTS} attempts. What was done is kept. Start the job again; "
    "if it fails again, send its id to the operator of the server, whose log has the cause.",
}
FINAL_STATUSES = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})
TRANSITIONS = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.RUNNING: FINAL_STATUSES,
    **dict.fromkeys(FINAL_STATUSES, frozenset[JobStatus]()),
}


class TransitionError(Exception):
    """A change of the status that `TRANSITIONS` does not allow. This is a bug."""


async def start(scope: WriteScope, kind: JobKind, input: Mapping[str, object] | None = None) -> UUID:
    """Queue a job for the caller. The caller of this function has checked the permission that the job needs.

    Raises `TooMany` if the organization has too many unfinished jobs. The count is exact, because sending the message waits for all
    others who start a job of the organization.
    """
    actor = scope.actor
    job = Job(tenant_id=scope.tenant, kind=kind, member_id=actor.member_id, token_id=actor.token_id, input=dict(input or {}))
    scope.session.add(job)
    await messages.send(scope)
    if await rows.count_unfinished(scope) > MAX_UNFINISHED:
        reason = f"Your organization has {MAX_UNFINISHED} jobs that have not ended. Wait until some have, or cancel some with `jobCancel`."
        raise RuleViolation(TooMany([], reason))
    return job.id


async def cancel(scope: WriteScope, job_id: UUID) -> UUID:
    """Cancel a job. Cancelling it again changes nothing.

    A worker that runs a chunk of the job finds out at the end of the chunk, and rolls the chunk back.
    """
    scope.require(Permission.ORGANIZATION_WRITE)
    job = await lock(scope, Job, job_id)
    if job.status in {JobStatus.SUCCEEDED, JobStatus.FAILED}:
        raise RuleViolation(InvalidInput(["id"], f"This job has already ended as {job.status}, so it cannot be cancelled."))
    if job.status != JobStatus.CANCELLED:
        _finish(job, JobStatus.CANCELLED)
    return job.id


async def succeed(work: UnitOfWork, job_id: UUID) -> None:
    """Finish a running job that has nothing left to do."""
    for job in (await locking.lock_for_update(work, Job, [job_id])).values():
        _finish(job, JobStatus.SUCCEEDED)


async def fail(work: UnitOfWork, job_id: UUID, code: JobFailureCode) -> None:
    """Fail a job, unless it has ended meanwhile."""
    for job in (await locking.lock_for_update(work, Job, [job_id])).values():
        if job.status not in FINAL_STATUSES:
            job.failure_code, job.failure_message = code, FAILURE_MESSAGES[code]
            _finish(job, JobStatus.FAILED)


def _finish(job: Job, status: JobStatus) -> None:
    if status not in TRANSITIONS[JobStatus(job.status)]:
        raise TransitionError(job.status, status)
    job.status, job.finished_at, job.owner, job.lease_until = status, now(), None, None

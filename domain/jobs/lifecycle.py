"""Start, cancel and finish background jobs.

The status of a job changes only here and in the claim of the runner: `TRANSITIONS` has all changes that are allowed.
"""

from collections.abc import Mapping
from uuid import UUID

from db.engine.protocols import UnitOfWork
from db.queries import job_messages as messages
from db.queries import jobs as rows
from db.rows import JobRow
from db.sql import locking
from db.tables import Job, JobFailureCode, JobKind, JobStatus
from db.tables.timestamps import now
from domain.core.errors import InvalidInput, RuleViolation, TooMany, not_found
from domain.core.locking import lock
from domain.core.scope import Permission, Scope, WriteScope

MAX_ATTEMPTS = 5
MAX_UNFINISHED = 1_000  # jobs of an organization: more would only wait for days, and each is a row that the server keeps
FAILURE_MESSAGES = {
    JobFailureCode.ACCESS_LOST: "The member or the token that started the job has lost the permission for it. What was done is kept. "
    "Start the job again with another token.",
    JobFailureCode.ATTEMPTS_EXHAUSTED: f"The job made no progress in {MAX_ATTEMPTS} attempts. What was done is kept. Start the job again; "
    "if it fails again, send its id to the operator of the server, whose log has the cause.",
    JobFailureCode.FILE_QUOTA_EXCEEDED: "The file does not fit into the space that your organization has for files. Wait until an older "
    "file expires, a day after it was made at most, or export fewer columns or clients.",
    JobFailureCode.TOO_MANY_ROWS: "More clients match than an XLSX file has rows, 1,048,575. Export them as CSV, or filter them.",
}
PERMISSIONS = {JobKind.REVENUE_REBUILD: Permission.ORGANIZATION_WRITE, JobKind.CLIENT_EXPORT: Permission.CLIENTS_EXPORT}
"""The permission to start and cancel a job of each kind. Its input may require more to start it."""
CANCEL_PERMISSIONS = (Permission.CLIENTS_EXPORT, Permission.ORGANIZATION_WRITE)
ERASED_INPUTS = frozenset({"request", "names_clients"})
"""The inputs that may name a client, and whether they do. They are erased when the job ends."""
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


def is_own(scope: Scope, job: Job | JobRow) -> bool:
    """Return whether the caller started the job: the member with any of their tokens, or a machine with the same token."""
    actor = scope.actor
    return job.member_id == actor.member_id if actor.member_id else actor.token_id is not None and job.token_id == actor.token_id


async def cancel(scope: WriteScope, job_id: UUID, kind: JobKind | None = None) -> UUID:
    """Cancel a job: one's own with the permission of its kind, or any with ORGANIZATION_WRITE. Cancelling it again changes nothing.

    It must be of the `kind` if that is given.

    A worker that runs a chunk of the job finds out at the end of the chunk, and rolls the chunk back.
    """
    scope.require_any(CANCEL_PERMISSIONS)
    job, is_manager = await lock(scope, Job, job_id), scope.allows(Permission.ORGANIZATION_WRITE)
    if job.kind != (kind or job.kind) or not (is_manager or is_own(scope, job)):
        raise RuleViolation(not_found("job", ["id"]))
    if not is_manager:
        scope.require(PERMISSIONS[JobKind(job.kind)])
    if job.status in {JobStatus.SUCCEEDED, JobStatus.FAILED}:
        raise RuleViolation(InvalidInput(["id"], f"This job has already ended as {job.status}, so it cannot be cancelled."))
    if job.status != JobStatus.CANCELLED:
        finish(job, JobStatus.CANCELLED)
    return job.id


async def succeed(work: UnitOfWork, job_id: UUID) -> None:
    """Finish a running job that has nothing left to do."""
    for job in (await locking.lock_for_update(work, Job, [job_id])).values():
        finish(job, JobStatus.SUCCEEDED)


async def fail(work: UnitOfWork, job_id: UUID, code: JobFailureCode) -> None:
    """Fail a job, unless it has ended meanwhile."""
    for job in (await locking.lock_for_update(work, Job, [job_id])).values():
        if job.status not in FINAL_STATUSES:
            job.failure_code, job.failure_message = code, FAILURE_MESSAGES[code]
            finish(job, JobStatus.FAILED)


def finish(job: Job, status: JobStatus) -> None:
    """End a locked job, and erase the inputs that may name a client."""
    if status not in TRANSITIONS[JobStatus(job.status)]:
        raise TransitionError(job.status, status)
    job.status, job.finished_at, job.owner, job.lease_until = status, now(), None, None
    job.input = {name: value for name, value in job.input.items() if name not in ERASED_INPUTS}

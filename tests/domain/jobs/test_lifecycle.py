"""The status of a job changes only along the transitions, and the database rejects rows that no status allows."""

from itertools import product

import asyncpg
import pytest

from db.tables import Job, JobKind, JobStatus
from db.tables.keys import new_id
from domain.jobs.lifecycle import FINAL_STATUSES, TRANSITIONS, TransitionError, finish
from tests.support.builders import CREATED_AT, Tenant

ALLOWED = {("QUEUED", "FAILED"), ("QUEUED", "CANCELLED"), ("RUNNING", "SUCCEEDED"), ("RUNNING", "FAILED"), ("RUNNING", "CANCELLED")}


@pytest.mark.parametrize(("before", "after"), [*product(JobStatus, JobStatus)])
def test_jobfinishes_only_along_the_transitions(before: JobStatus, after: JobStatus) -> None:
    """A final status never changes, and only the runner's claim makes a job run."""
    job = Job(tenant_id=new_id(), kind=JobKind.REVENUE_REBUILD, status=before, owner=new_id())
    if (before.value, after.value) in ALLOWED:
        finish(job, after)
        assert (job.status, job.owner, job.lease_until, job.finished_at is None) == (after, None, None, False)
    elif after != JobStatus.RUNNING:
        with pytest.raises(TransitionError):
            finish(job, after)
        assert (job.status, job.finished_at) == (before, None)
    assert (after in TRANSITIONS[before]) == ((before.value, after.value) in ALLOWED | {("QUEUED", "RUNNING")})
    assert (TRANSITIONS[before] == frozenset()) == (before in FINAL_STATUSES)


WRONG: dict[str, dict[str, object]] = {
    "unknown status": {"status": "PAUSED"},
    "unknown kind": {"kind": "OTHER"},
    "queued with an owner": {"owner": new_id()},
    "running without an owner": {"status": "RUNNING"},
    "finished without a time": {"status": "CANCELLED"},
    "failed without a reason": {"status": "FAILED", "finished_at": CREATED_AT},
    "cancelled with a reason": {"status": "CANCELLED", "finished_at": CREATED_AT, "failure_code": "ACCESS_LOST", "failure_message": "x"},
    "negative count": {"done_count": -1},
}


@pytest.mark.parametrize("case", WRONG)
async def test_database_rejects_an_impossible_job(org: Tenant, case: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await org.add_job(**WRONG[case])
    assert await org.owner.fetchval("SELECT count(*) FROM relaties.job WHERE tenant_id = $1", org.id) == 0

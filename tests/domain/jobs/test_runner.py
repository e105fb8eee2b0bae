"""The chunks of a job: what commits together, who may write, and what ends a job."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from db.tables import JobFailureCode
from db.tables.keys import new_id
from domain.jobs.lifecycle import FAILURE_MESSAGES, MAX_ATTEMPTS
from tests.support.builders import CREATED_AT, create_tenant
from tests.support.jobs import JobDatabase, label_handler

SUCCESS = {"status": "SUCCEEDED", "done_count": 30, "total": 30, "attempts": 0, "is_owned": False, "cursor": None}
NO_FAILURE = {"failure_code": None, "failure_message": None}


class WorkerKilledError(BaseException):
    """Ends a chunk as the death of the process would: nothing of the worker's own code runs after it."""


async def test_job_runs_in_chunks_until_it_succeeds(jobs: JobDatabase) -> None:
    """Each chunk commits its changes together with the progress, and replaces the message."""
    org, worker = await create_tenant(jobs.owner), await jobs.worker()
    job = await jobs.start(org)
    assert await jobs.job(job) == {**SUCCESS, **NO_FAILURE, "status": "QUEUED", "done_count": 0, "total": None}
    await worker.step()
    assert await jobs.job(job) == {**SUCCESS, **NO_FAILURE, "status": "RUNNING", "done_count": 10, "is_owned": True, "cursor": "1"}
    assert (await jobs.labels(org), await jobs.message_count()) == (["1"], 1)
    assert await worker.work_off() == [org.id] * 2
    assert await jobs.job(job) == SUCCESS | NO_FAILURE
    assert (await jobs.labels(org), await jobs.message_count()) == (["1", "2", "3"], 0)
    warnings = await jobs.owner.fetchval("SELECT warnings FROM relaties.job WHERE id = $1", job)
    assert warnings == ["Chunk 1", "Chunk 2", "Chunk 3"]
    assert worker.errors == []


async def test_changes_of_a_job_are_in_the_audit_log_with_its_requester(jobs: JobDatabase) -> None:
    org, worker = await create_tenant(jobs.owner), await jobs.worker(label_handler(chunks=1))
    job = await jobs.start(org)
    await worker.work_off()
    rows = await jobs.owner.fetch("SELECT * FROM relaties.audit_event WHERE tenant_id = $1 ORDER BY id", org.id)
    member = await jobs.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", org.id)
    token = await jobs.owner.fetchval("SELECT id FROM relaties.api_token WHERE tenant_id = $1 AND member_id = $2", org.id, member)
    assert [(row["channel"], row["operation"], row["action"], row["object_type"]) for row in rows] == [
        ("API", "revenueRebuildStart", "CREATED", "Job"),
        ("JOB", "labelsAdd", "CREATED", "Label"),
        ("JOB", "labelsAdd", "CHANGED", "Job"),
    ]
    assert {(row["member_id"], row["token_id"]) for row in rows} == {(member, token)}
    assert json.loads(rows[2]["changes"]) == {"status": ["RUNNING", "SUCCEEDED"]}
    assert rows[2]["object_id"] == job


async def test_worker_that_lost_its_message_writes_nothing(jobs: JobDatabase) -> None:
    """A worker that was stopped for longer than its lease continues with a message that another worker has."""
    org, stalled, other = await create_tenant(jobs.owner), await jobs.worker(), await jobs.worker()
    job = await jobs.start(org)
    message = await stalled.take()
    assert message is not None
    second_message = await other.take(timedelta())
    assert second_message is not None
    assert second_message.source.id == message.source.id
    before = await jobs.job(job)
    assert await stalled.runner.run(message) == 0
    assert await jobs.job(job) == before
    assert await jobs.labels(org) == []
    await other.runner.run(second_message)
    assert await stalled.runner.run(message) == 0
    await other.work_off()
    assert (await jobs.job(job), await jobs.labels(org)) == (SUCCESS | NO_FAILURE, ["1", "2", "3"])


async def test_released_message_is_taken_at_once(jobs: JobDatabase) -> None:
    """A worker that is stopped releases a message that it has only just taken. It cannot release one that another worker holds by then."""
    org, stopped, other = await create_tenant(jobs.owner), await jobs.worker(), await jobs.worker()
    job = await jobs.start(org)
    message = await stopped.take()
    assert message is not None
    assert await other.take() is None
    await stopped.runner.release(message.source)
    assert await other.step() == org.id
    assert (await jobs.job(job))["done_count"] == 10
    second_message = await other.take()
    await stopped.runner.release(message.source)
    assert second_message is not None
    assert await other.runner.run(second_message) == 10


async def test_worker_that_stalls_between_claim_and_chunk_writes_nothing(jobs: JobDatabase) -> None:
    """Another worker claims the job and runs its first chunk in that time."""
    org, stalled, other = await create_tenant(jobs.owner), await jobs.worker(), await jobs.worker()
    job = await jobs.start(org)
    message = await stalled.take()
    assert message is not None
    claimed = await stalled.runner._claim(message)  # noqa: SLF001
    assert claimed is not None
    second_message = await other.take(timedelta())
    assert second_message is not None
    assert await other.runner.run(second_message) == 10
    assert await stalled.runner._run_claimed(message, claimed) == 0  # noqa: SLF001
    assert (await jobs.labels(org), (await jobs.job(job))["done_count"]) == (["1"], 10)


async def test_no_worker_takes_the_message_of_a_running_chunk(jobs: JobDatabase) -> None:
    """The chunk has locked its message, so even a worker for which the lease is over does not get it."""
    org, other, second_message = await create_tenant(jobs.owner), await jobs.worker(), list[object]()

    async def take() -> None:
        second_message.append(await other.take(timedelta()))

    worker = await jobs.worker(label_handler(take))
    await jobs.start(org)
    await worker.work_off()
    assert second_message == [None] * 3
    assert await jobs.labels(org) == ["1", "2", "3"]


async def test_chunk_of_a_job_with_another_owner_is_rolled_back(jobs: JobDatabase) -> None:
    """The owner in the job's row is a second fence, should the queue give two workers the same organization."""
    org = await create_tenant(jobs.owner)
    job = await jobs.start(org)

    async def change_owner() -> None:
        await jobs.owner.execute("UPDATE relaties.job SET owner = gen_random_uuid() WHERE id = $1", job)

    worker = await jobs.worker(label_handler(change_owner))
    await worker.step()
    assert (await jobs.labels(org), (await jobs.job(job))["done_count"], await jobs.message_count()) == ([], 0, 1)


async def test_cancelled_job_keeps_nothing_of_the_running_chunk(jobs: JobDatabase) -> None:
    """The next job of the organization follows."""
    org = await create_tenant(jobs.owner)
    first, second = await jobs.start(org), await jobs.start(org)
    await (await jobs.worker()).step()

    async def cancel() -> None:
        await jobs.cancel(org, first)
        assert (await jobs.job(first))["status"] == "CANCELLED"

    await (await jobs.worker(label_handler(cancel))).step()
    cancelled = {"status": "CANCELLED", "done_count": 10, "total": 30, "attempts": 1, "is_owned": False, "cursor": "1"}
    assert (await jobs.job(first), await jobs.labels(org)) == (cancelled | NO_FAILURE, ["1"])
    assert await (await jobs.worker()).work_off() == [org.id] * 3
    assert (await jobs.job(second), await jobs.job(first)) == (SUCCESS | NO_FAILURE, cancelled | NO_FAILURE)


async def test_cancelled_queued_job_never_starts(jobs: JobDatabase) -> None:
    org, worker = await create_tenant(jobs.owner), await jobs.worker()
    job = await jobs.start(org)
    await jobs.cancel(org, job)
    assert await worker.work_off() == [org.id]
    assert (await jobs.labels(org), (await jobs.job(job))["status"], await jobs.message_count()) == ([], "CANCELLED", 0)


LOSSES = {
    "token revoked": "UPDATE relaties.api_token SET revoked_at = now() WHERE tenant_id = $1",
    "token expired": "UPDATE relaties.api_token SET expires_at = now() WHERE tenant_id = $1",
    "token limited": "UPDATE relaties.api_token SET scope = '{CLIENTS_READ}' WHERE tenant_id = $1",
    "member removed": "UPDATE relaties.member SET is_active = false WHERE tenant_id = $1",
    "role changed": "UPDATE relaties.member SET role = 'VIEWER' WHERE tenant_id = $1",
}


@pytest.mark.parametrize("loss", LOSSES)
async def test_job_fails_once_its_requester_loses_the_permission(jobs: JobDatabase, loss: str) -> None:
    """That happens at the end of the running chunk, of which nothing is kept, and at the start of the next chunk."""
    during, between = await create_tenant(jobs.owner, "During"), await create_tenant(jobs.owner, "Between")
    first = await jobs.start(during)

    async def lose() -> None:
        await jobs.owner.execute(LOSSES[loss], during.id)

    await (await jobs.worker()).step()
    await (await jobs.worker(label_handler(lose))).step()
    second = await jobs.start(between)
    await jobs.owner.execute(LOSSES[loss], between.id)
    await (await jobs.worker()).work_off()
    failure = {"failure_code": "ACCESS_LOST", "failure_message": FAILURE_MESSAGES[JobFailureCode.ACCESS_LOST]}
    failed = {"status": "FAILED", "total": 30, "attempts": 1, "is_owned": False, **failure}
    assert await jobs.job(first) == {**failed, "done_count": 10, "cursor": "1"}
    assert await jobs.job(second) == {**failed, "done_count": 0, "total": None, "cursor": None}
    assert (await jobs.labels(during), await jobs.labels(between), await jobs.message_count()) == (["1"], [], 0)


async def fail_always() -> None:
    raise ValueError("Secret name of a client")


async def kill_always() -> None:
    raise WorkerKilledError


@pytest.mark.parametrize("during", [fail_always, kill_always])
async def test_poison_job_fails_after_five_attempts(jobs: JobDatabase, during: Callable[[], Awaitable[None]]) -> None:
    """That holds for a chunk that raises an error and for one that kills the worker. The next job of the organization runs."""
    org, poisoned = await create_tenant(jobs.owner), await jobs.worker(label_handler(during))
    first, second = await jobs.start(org), await jobs.start(org)
    for _ in range(MAX_ATTEMPTS):
        message = await poisoned.take(timedelta())
        assert message is not None
        try:
            await poisoned.runner.run(message)
        except WorkerKilledError:
            assert during is kill_always
    worker = await jobs.worker()
    message = await worker.take(timedelta())
    assert message is not None
    await worker.runner.run(message)
    await worker.work_off()
    failed = await jobs.job(first)
    assert (failed["status"], failed["failure_code"], failed["done_count"]) == ("FAILED", "ATTEMPTS_EXHAUSTED", 0)
    assert failed["failure_message"] == FAILURE_MESSAGES[JobFailureCode.ATTEMPTS_EXHAUSTED]
    assert len(poisoned.errors) == (MAX_ATTEMPTS if during is fail_always else 0)
    assert (await jobs.job(second), await jobs.labels(org)) == (SUCCESS | NO_FAILURE, ["1", "2", "3"])
    log = await jobs.owner.fetch("SELECT entrypoint, traceback FROM relaties_queue.pgqueuer_log")
    assert {tuple(row) for row in log} == {("organization", None)}


async def test_attempts_count_from_the_last_committed_chunk(jobs: JobDatabase) -> None:
    """So a long job that many workers die on does not fail while it makes progress."""
    org, healthy = await create_tenant(jobs.owner), await jobs.worker()
    dying = await jobs.worker(label_handler(kill_always))
    job = await jobs.start(org)
    for _ in range(3):
        for _ in range(MAX_ATTEMPTS - 1):
            message = await dying.take(timedelta())
            assert message is not None
            with pytest.raises(WorkerKilledError):
                await dying.runner.run(message)
        message = await healthy.take(timedelta())
        assert message is not None
        await healthy.runner.run(message)
    assert (await jobs.job(job), await jobs.labels(org)) == (SUCCESS | NO_FAILURE, ["1", "2", "3"])


async def test_organizations_alternate(jobs: JobDatabase) -> None:
    """One with many queued jobs delays another by at most one chunk."""
    busy, other, worker = await create_tenant(jobs.owner, "Busy"), await create_tenant(jobs.owner, "Other"), await jobs.worker()
    await jobs.start(busy)
    for _ in range(1_000):
        await busy.add_job()
    tenants = [await worker.step()]
    await jobs.start(other)
    tenants += [await worker.step() for _ in range(9)]
    assert tenants == [busy.id] * 2 + [other.id, busy.id] * 3 + [busy.id] * 2
    counts = await jobs.owner.fetch("SELECT tenant_id, count(*) FROM relaties.job WHERE status = 'SUCCEEDED' GROUP BY 1")
    assert {row["tenant_id"]: row["count"] for row in counts} == {busy.id: 2, other.id: 1}


async def test_running_job_comes_before_an_older_one_that_was_committed_later(jobs: JobDatabase) -> None:
    """Otherwise two jobs of the organization would be running. The database does not allow that either."""
    org, worker = await create_tenant(jobs.owner), await jobs.worker()
    older_id = new_id()
    job = await jobs.start(org)
    await worker.step()
    await org.add_job(id=older_id)
    await worker.work_off()
    ended = await jobs.owner.fetch("SELECT id FROM relaties.job WHERE status = 'SUCCEEDED' ORDER BY finished_at")
    assert [row["id"] for row in ended] == [job, older_id]
    running = {"status": "RUNNING", "owner": new_id(), "lease_until": CREATED_AT, "started_at": CREATED_AT}
    await org.add_job(**running)
    with pytest.raises(asyncpg.UniqueViolationError):
        await org.add_job(**running)


async def test_worker_leaves_jobs_of_a_kind_that_it_does_not_know(jobs: JobDatabase) -> None:
    """While servers are updated one by one, newer ones start jobs of kinds that older workers cannot run."""
    org, old_worker = await create_tenant(jobs.owner), await jobs.worker()
    job = await jobs.start(org)
    old_worker.runner = replace(old_worker.runner, handlers={})
    assert await old_worker.step() == org.id
    assert await jobs.job(job) == {**SUCCESS, **NO_FAILURE, "status": "QUEUED", "done_count": 0, "total": None}
    assert await old_worker.step() is None
    await jobs.owner.execute("UPDATE relaties_queue.pgqueuer SET execute_after = now()")
    await (await jobs.worker()).work_off()
    assert await jobs.job(job) == SUCCESS | NO_FAILURE

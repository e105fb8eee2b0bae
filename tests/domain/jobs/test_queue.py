"""The job queue: the library's tables, the rights on them, and messages that neither strand jobs nor hold data."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import asyncpg
import pytest
from pgqueuer.queries import Queries

from db.job_queue import WorkerQueries, build_queries
from db.tables import QUEUE_SCHEMA
from tests.support.builders import create_tenant
from tests.support.databases import runtime_url
from tests.support.jobs import JobDatabase, label_handler

RUNS = 100


async def test_migration_creates_the_tables_of_the_library(jobs: JobDatabase) -> None:
    """If this fails after an update of the library, add a migration with the statements that it plans."""
    plan = await build_queries(jobs.owner).plan_upgrade()
    assert plan.statements == ()


async def test_server_has_only_the_rights_that_the_queue_needs(jobs: JobDatabase) -> None:
    """It can neither truncate or change the tables, nor write the statistics, nor change the log."""
    runtime = await asyncpg.connect(runtime_url(jobs.url))
    try:
        for statement in (
            f"TRUNCATE {QUEUE_SCHEMA}.pgqueuer",
            f"DROP TABLE {QUEUE_SCHEMA}.pgqueuer_log",
            f"CREATE TABLE {QUEUE_SCHEMA}.mine (id int)",
            f"UPDATE {QUEUE_SCHEMA}.pgqueuer_log SET priority = 1",
            f"DELETE FROM {QUEUE_SCHEMA}.pgqueuer_statistics",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await runtime.execute(statement)
    finally:
        await runtime.close()


async def test_queue_holds_only_the_ids_of_organizations(jobs: JobDatabase) -> None:
    """No client data and no text of an error reaches the tables of the library, whatever a job does."""

    async def fail() -> None:
        raise ValueError("Jansen")

    org = await create_tenant(jobs.owner, "Jansen & Zonen")
    await org.add_client("Jansen")
    for handler in (label_handler(), label_handler(fail)):
        job, worker = await jobs.start(org), await jobs.worker(handler)
        await worker.step()
        tables = await jobs.owner.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'", QUEUE_SCHEMA
        )
        contents = [await jobs.owner.fetch(f"SELECT t::text FROM {QUEUE_SCHEMA}.{table['relname']} t") for table in tables]
        assert "Jansen" not in str(contents)
        assert str(org.id) in str(contents)
        (message,) = await jobs.owner.fetch(f"SELECT * FROM {QUEUE_SCHEMA}.pgqueuer")
        assert (message["payload"], message["dedupe_key"], message["headers"]) == (str(org.id).encode(), str(org.id), "null")
        await jobs.cancel(org, job)
        await (await jobs.worker()).work_off()
    assert await jobs.owner.fetchval(f"SELECT count(*) FROM {QUEUE_SCHEMA}.pgqueuer_log WHERE traceback IS NOT NULL") == 0


async def test_functions_over_all_organizations_return_ids_and_counts_only(jobs: JobDatabase) -> None:
    """Row-level security shows a worker no job of an organization, except through these functions."""
    first, second = await create_tenant(jobs.owner), await create_tenant(jobs.owner)
    await jobs.start(first)
    await jobs.start(second)
    await jobs.owner.execute(f"DELETE FROM {QUEUE_SCHEMA}.pgqueuer WHERE dedupe_key = $1", str(second.id))
    runtime = await asyncpg.connect(runtime_url(jobs.url))
    try:
        assert await runtime.fetchval("SELECT count(*) FROM relaties.job") == 0
        assert [tuple(row) for row in await runtime.fetch("SELECT * FROM relaties.organizations_without_message()")] == [(second.id,)]
        oldest = await jobs.owner.fetchval("SELECT min(created_at) FROM relaties.job")
        assert [tuple(row) for row in await runtime.fetch("SELECT * FROM relaties.job_statistics()")] == [(2, 0, oldest)]
    finally:
        await runtime.close()


@pytest.mark.parametrize(("on_conflict", "stranded"), [("update_priority", 0), ("skip", 1)])
async def test_only_an_update_keeps_a_job_from_being_stranded(jobs: JobDatabase, on_conflict: str, stranded: int) -> None:
    """A worker takes the earlier message before the job's commit. After a conflict that is skipped, it would find nothing to do."""
    org, worker = await create_tenant(jobs.owner), await jobs.worker()
    cancelled = await jobs.start(org)
    await jobs.cancel(org, cancelled)
    other = await asyncpg.connect(jobs.url)
    jobs.connections.append(other)
    async with other.transaction():
        values = "gen_random_uuid(), 'REVENUE_REBUILD', 'QUEUED', '{}', 0, '{}', 0, now()"
        columns = "tenant_id, id, kind, status, input, done_count, warnings, attempts, created_at"
        await other.execute(f"INSERT INTO relaties.job ({columns}) VALUES ($1, {values})", org.id)
        key = str(org.id)
        await build_queries(other).enqueue("organization", key.encode(), dedupe_key=key, on_conflict=on_conflict)  # type: ignore[call-overload]
        assert await worker.step() == (None if on_conflict == "update_priority" else org.id)
    await worker.work_off()
    assert await jobs.owner.fetchval("SELECT count(*) FROM relaties.job WHERE status = 'QUEUED'") == stranded


@pytest.mark.parametrize(("queries", "remaining"), [(Queries, 0), (WorkerQueries, 1)])
async def test_stalled_worker_keeps_the_message_that_another_holds(jobs: JobDatabase, queries: type[Queries], remaining: int) -> None:
    """When its handler ends, the library would delete the message by its id, even if another worker holds it."""
    org, stalled, other = await create_tenant(jobs.owner), await jobs.worker(), await jobs.worker()
    await jobs.start(org)
    message = await stalled.take()
    assert message is not None
    second_message = await other.take(timedelta())
    assert second_message is not None
    await build_queries(stalled.connection, queries).log_jobs([(message.source, "successful", None)])
    assert await jobs.message_count() == remaining
    assert await other.runner.run(second_message) == 10 * remaining


async def test_no_job_is_stranded_when_one_is_queued_while_another_ends(jobs: JobDatabase) -> None:
    """Two workers finish jobs of one organization while others are queued, over and over."""
    org, handler = await create_tenant(jobs.owner), label_handler(chunks=1)
    workers = [await jobs.worker(handler), await jobs.worker(handler)]
    for _ in range(RUNS):
        await jobs.start(org)
        await asyncio.gather(jobs.start(org), *(worker.step() for worker in workers))
        await asyncio.gather(*(worker.work_off() for worker in workers))
        await workers[0].work_off()  # a message that one worker had locked may have been passed by
        assert await jobs.owner.fetchval("SELECT count(*) FROM relaties.job WHERE status <> 'SUCCEEDED'") == 0
    assert (len(await jobs.labels(org)), await jobs.message_count()) == (2 * RUNS, 0)


async def test_two_workers_run_one_job_of_an_organization_at_a_time(jobs: JobDatabase) -> None:
    """With 20 organizations of 5 jobs each, every job runs once and no organization has two jobs running."""
    orgs = [await create_tenant(jobs.owner, f"Organization {number}") for number in range(20)]
    most = 0

    async def count_running() -> None:
        nonlocal most
        running = "SELECT max(count) FROM (SELECT count(*) FROM relaties.job WHERE status = 'RUNNING' GROUP BY tenant_id) AS n"
        async with lock:
            most = max(most, await jobs.owner.fetchval(running))

    lock, handler = asyncio.Lock(), label_handler(count_running, chunks=2)
    for org in orgs:
        for _ in range(5):
            await jobs.start(org)
    workers = [await jobs.worker(handler), await jobs.worker(handler)]
    order = await asyncio.gather(*(worker.work_off() for worker in workers))
    assert (most, await jobs.message_count()) == (1, 0)
    assert [await jobs.labels(org) for org in orgs] == [["1", "2"] * 5] * 20
    for tenants in order:  # a worker never runs two chunks of one organization while others wait
        waiting = tenants[: len(tenants) - len(orgs)]
        assert [1 for one, next_one in pairwise(waiting) if one == next_one] == []

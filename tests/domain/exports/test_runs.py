"""The uninterrupted run of an export: what ends it, what a new owner starts again, and that there is one file however often it is tried."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from db.tables import Role
from domain.exports.outcome import LocalStorageError
from domain.files import FileLimits
from domain.jobs.lifecycle import FAILURE_MESSAGES, MAX_ATTEMPTS
from tests.support.builders import CREATED_AT, create_tenant
from tests.support.exports import CANCEL, ExportCase, pausing_handler, read_csv
from tests.support.ids import global_id

FILES = "SELECT count(*) FROM relaties.file"
JOB_ROW = "SELECT status, done_count, total, attempts, cursor, owner IS NOT NULL AS is_owned, failure_code FROM relaties.job"
NAMES = [{"field": "NAME"}]
SUCCEEDED = {"status": "SUCCEEDED", "attempts": 0, "cursor": None, "is_owned": False, "failure_code": None}


class WorkerKilledError(BaseException):
    """Ends a run as the death of the process would: nothing of the worker's own code runs after it."""


async def add_clients(case: ExportCase, count: int = 7) -> list[list[str]]:
    """Add clients, and return the rows of their export."""
    for number in range(count):
        await case.org.add_client(f"Client {number:02}")
    return [["Name"], *([f"Client {number:02}"] for number in range(count))]


async def read_job(case: ExportCase) -> dict[str, object]:
    return dict(await case.jobs.owner.fetchrow(JOB_ROW) or {})


def remove_folders(parent: Path) -> None:
    for folder in parent.iterdir():
        shutil.rmtree(folder)


def is_empty(folder: Path) -> bool:
    return not [*folder.iterdir()]


async def test_run_reports_each_part_and_keeps_one_snapshot(case: ExportCase, tmp_path: Path) -> None:
    """Clients that others add, rename and archive meanwhile are in the file as they were, and the counts add up."""
    expected, progress = await add_clients(case), list[tuple[int, object]]()

    async def change_clients(count: int) -> None:
        progress.append((count, (await read_job(case))["done_count"]))
        await case.org.add_client(f"AAA {count}")
        await case.jobs.owner.execute("UPDATE relaties.client SET name = 'Other', name_key = 'other' WHERE name = 'Client 06'")

    case.worker = await case.jobs.worker(pausing_handler(change_clients), tmp_path)
    assert await case.export(columns=NAMES) == expected
    assert progress == [(2, 0), (4, 2), (6, 4), (7, 6)]
    assert await read_job(case) == {**SUCCEEDED, "done_count": 7, "total": 7}
    assert (await case.jobs.message_count(), is_empty(tmp_path)) == (0, True)


async def test_cancelled_run_ends_within_one_part_and_leaves_no_file(case: ExportCase, tmp_path: Path) -> None:
    counts = list[int]()
    await add_clients(case)

    async def cancel(count: int) -> None:
        counts.append(count)
        if len(counts) == 2:
            await case.api.data(CANCEL, id=key)

    case.worker = await case.jobs.worker(pausing_handler(cancel), tmp_path)
    key = await case.start(columns=NAMES)
    await case.worker.work_off()
    assert counts == [2, 4]
    assert (await case.read_job(key))["status"] == "CANCELLED"
    assert (await case.jobs.owner.fetchval(FILES), await case.jobs.message_count(), is_empty(tmp_path)) == (0, 0, True)


async def test_export_that_is_cancelled_while_its_file_is_stored_has_no_file(case: ExportCase, tmp_path: Path) -> None:
    await add_clients(case)

    async def cancel() -> None:
        await case.jobs.owner.execute(
            "UPDATE relaties.job SET status = 'CANCELLED', owner = NULL, lease_until = NULL, finished_at = now() WHERE status = 'RUNNING'"
        )

    case.worker = await case.jobs.worker(pausing_handler(after_store=cancel), tmp_path)
    await case.start(columns=NAMES)
    await case.worker.work_off()
    assert (await read_job(case))["status"] == "CANCELLED"
    assert (await case.jobs.owner.fetchval(FILES), await case.jobs.message_count()) == (0, 0)


LOSSES = {
    "revoked token": "UPDATE relaties.api_token SET revoked_at = now() WHERE tenant_id = $1",
    "removed member": "UPDATE relaties.member SET is_active = false WHERE tenant_id = $1",
    "other role": "UPDATE relaties.member SET role = 'MEMBER' WHERE tenant_id = $1",
    "lost sight of figures": "UPDATE relaties.api_token SET scope = '{CLIENTS_EXPORT}' WHERE tenant_id = $1",
}


@pytest.mark.parametrize("loss", LOSSES)
async def test_run_ends_when_its_requester_may_no_longer_see_the_data(case: ExportCase, tmp_path: Path, loss: str) -> None:
    counts = list[int]()
    await add_clients(case)

    async def lose(count: int) -> None:
        counts.append(count)
        await case.jobs.owner.execute(LOSSES[loss], case.org.id)

    case.worker = await case.jobs.worker(pausing_handler(lose), tmp_path)
    await case.start(columns=[*NAMES, {"field": "IBAN"}])
    await case.worker.work_off()
    row = await read_job(case)
    assert (counts, row["status"], row["failure_code"]) == ([2], "FAILED", "ACCESS_LOST")
    assert (await case.jobs.owner.fetchval(FILES), await case.jobs.message_count(), is_empty(tmp_path)) == (0, 0, True)


async def test_stalled_run_that_another_worker_has_started_again_writes_nothing(case: ExportCase, tmp_path: Path) -> None:
    """The other one begins again, with a new snapshot, and stores the only file."""
    expected = await add_clients(case)
    other = await case.jobs.worker(pausing_handler(), tmp_path)

    async def stall(count: int) -> None:
        if count == 4:
            await case.org.add_client("Client 07")
            message = await other.take(timedelta())
            assert message
            assert await other.runner.run(message) == 8

    stalled = await case.jobs.worker(pausing_handler(stall), tmp_path)
    await case.start(columns=NAMES)
    await stalled.step()
    assert stalled.errors == other.errors == []
    assert read_csv(await case.stored_content()) == [*expected, ["Client 07"]]
    assert await read_job(case) == {**SUCCEEDED, "done_count": 8, "total": 8}
    assert (await case.jobs.owner.fetchval(FILES), await case.jobs.message_count(), is_empty(tmp_path)) == (1, 0, True)


async def test_worker_that_stalls_while_it_stores_the_file_leaves_one_file(case: ExportCase, tmp_path: Path) -> None:
    """Nobody else can take the message from then on, since the transaction has locked it."""
    await add_clients(case)
    other, messages = await case.jobs.worker(pausing_handler(), tmp_path), list[object]()

    async def take() -> None:
        messages.append(await other.take(timedelta()))

    case.worker = await case.jobs.worker(pausing_handler(after_store=take), tmp_path)
    await case.run(columns=NAMES)
    assert (messages, await case.jobs.owner.fetchval(FILES), await case.jobs.message_count()) == ([None], 1, 0)


async def test_run_that_gets_no_further_fails_after_five_attempts(case: ExportCase, tmp_path: Path) -> None:
    """Its local files are removed, and nothing of the error is stored."""
    await add_clients(case)

    async def break_down(count: int) -> None:
        if count == 4:
            raise RuntimeError("IBAN NL91ABNA0417164300")

    case.worker = await case.jobs.worker(pausing_handler(break_down), tmp_path)
    key = await case.start(columns=NAMES)
    tenants = await case.worker.work_off()
    # The first attempt got further than none before, so the count of attempts begins after it.
    assert (len(tenants), len(case.worker.errors)) == (MAX_ATTEMPTS + 1, MAX_ATTEMPTS + 1)
    job = await case.read_job(key)
    assert (job["status"], job["failure"]["code"]) == ("FAILED", "ATTEMPTS_EXHAUSTED")
    assert job["failure"]["message"] == FAILURE_MESSAGES["ATTEMPTS_EXHAUSTED"]  # type: ignore[index]
    assert "NL91" not in str(await case.jobs.owner.fetch("SELECT * FROM relaties.job"))
    assert "NL91" not in str(await case.jobs.owner.fetch("SELECT * FROM relaties_queue.pgqueuer_log"))
    assert (await case.jobs.owner.fetchval(FILES), is_empty(tmp_path)) == (0, True)


async def test_deaths_of_workers_do_not_count_while_runs_get_further(case: ExportCase, tmp_path: Path) -> None:
    """Each of more than five workers dies a part later than the one before. Then one completes the file."""
    expected = await add_clients(case, 2 * (MAX_ATTEMPTS + 3))
    await case.start(columns=NAMES)
    for deaths in range(1, MAX_ATTEMPTS + 3):

        async def die(count: int, last: int = 2 * deaths) -> None:
            if count > last:
                raise WorkerKilledError

        worker = await case.jobs.worker(pausing_handler(die), tmp_path)
        message = await worker.take(timedelta())
        assert message
        with pytest.raises(WorkerKilledError):
            await worker.runner.run(message)
        row = await read_job(case)
        assert (row["status"], row["done_count"], row["cursor"], row["attempts"]) == ("RUNNING", 2 * deaths, str(2 * deaths), 0)
    message = await case.worker.take(timedelta())
    assert message
    assert await case.worker.runner.run(message) == len(expected) - 1
    assert read_csv(await case.stored_content()) == expected


async def test_export_that_kills_each_worker_at_the_same_part_fails(case: ExportCase, tmp_path: Path) -> None:
    await add_clients(case)
    await case.start(columns=NAMES)

    async def die(count: int) -> None:
        if count == 4:
            raise WorkerKilledError

    for _ in range(MAX_ATTEMPTS + 1):
        worker = await case.jobs.worker(pausing_handler(die), tmp_path)
        message = await worker.take(timedelta())
        assert message
        with pytest.raises(WorkerKilledError):
            await worker.runner.run(message)
    assert (await read_job(case))["status"] == "RUNNING"
    message = await case.worker.take(timedelta())
    assert message
    assert await case.worker.runner.run(message) == 0
    assert (await read_job(case))["failure_code"] == "ATTEMPTS_EXHAUSTED"
    assert (await case.jobs.owner.fetchval(FILES), await case.jobs.message_count()) == (0, 0)


async def test_worker_that_stops_hands_the_run_to_another_at_once(case: ExportCase, tmp_path: Path) -> None:
    """It ends after its part, and the attempt does not count."""
    expected, counts = await add_clients(case), list[int]()

    async def stop(count: int) -> None:
        counts.append(count)
        stopping.runner.stopping.set()

    stopping = await case.jobs.worker(pausing_handler(stop), tmp_path)
    await case.start(columns=NAMES)
    assert await stopping.step() == case.org.id
    assert (counts, stopping.errors, is_empty(tmp_path)) == ([2], [], True)
    row = await read_job(case)
    assert (row["status"], row["attempts"]) == ("RUNNING", 0)
    assert await case.worker.work_off() == [case.org.id]
    assert read_csv(await case.stored_content()) == expected


async def test_file_beyond_the_quota_fails_the_job_at_once(case: ExportCase, tmp_path: Path) -> None:
    await add_clients(case)
    case.worker = await case.jobs.worker(pausing_handler(limits=FileLimits(max_bytes=20)), tmp_path)
    key = await case.start(columns=NAMES)
    assert await case.worker.work_off() == [case.org.id]
    failure = (await case.read_job(key))["failure"]
    assert (failure["code"], "space" in failure["message"]) == ("FILE_QUOTA_EXCEEDED", True)
    assert (await case.jobs.owner.fetchval(FILES), case.worker.errors) == (0, [])


async def test_more_clients_than_a_sheet_has_rows_fail_the_job_at_once(case: ExportCase, monkeypatch: pytest.MonkeyPatch) -> None:
    await add_clients(case)
    monkeypatch.setattr("domain.exports.writing.MAX_ROWS", 6)
    key = await case.start(format="XLSX")
    await case.worker.work_off()
    assert (await case.read_job(key))["failure"]["code"] == "TOO_MANY_ROWS"
    assert len(await case.export(columns=NAMES)) == 8


async def test_local_file_that_cannot_be_written_is_an_error_of_the_worker(case: ExportCase, tmp_path: Path) -> None:
    """It does not look like a lost connection, after which a worker tries for ever."""
    await add_clients(case)

    async def remove_folder(_count: int) -> None:
        remove_folders(tmp_path)

    case.worker = await case.jobs.worker(pausing_handler(remove_folder), tmp_path)
    key = await case.start(columns=NAMES, format="XLSX")
    await case.worker.work_off()
    assert (await case.read_job(key))["failure"]["code"] == "ATTEMPTS_EXHAUSTED"
    assert {type(error) for error in case.worker.errors} == {LocalStorageError}


async def test_chunks_of_others_run_beside_a_long_run(case: ExportCase, tmp_path: Path) -> None:
    """A second run waits, and its message is sent again later. The job of a third organization is not held up."""
    await add_clients(case)
    second, third = await create_tenant(case.jobs.owner, "Second"), await create_tenant(case.jobs.owner, "Third")
    steps = list[object]()

    async def work_beside(count: int) -> None:
        if count == 2:
            await case.start(case.api_of(Role.OWNER, second))
            await case.jobs.start(third)
            steps.extend([await worker.step(), await worker.step(), await worker.step()])

    worker = case.worker = await case.jobs.worker(pausing_handler(work_beside), tmp_path)
    await case.start(columns=NAMES)
    assert await worker.step() == case.org.id
    assert steps == [second.id, third.id, third.id]
    statuses = {row["tenant_id"]: row["status"] for row in await case.jobs.owner.fetch("SELECT tenant_id, status FROM relaties.job")}
    assert statuses == {case.org.id: "SUCCEEDED", second.id: "QUEUED", third.id: "RUNNING"}
    message = await case.jobs.owner.fetchrow(
        "SELECT status::text, execute_after > now() AS is_later FROM relaties_queue.pgqueuer WHERE dedupe_key = $1", str(second.id)
    )
    assert dict(message or {}) == {"status": "queued", "is_later": True}
    await case.jobs.owner.execute("UPDATE relaties_queue.pgqueuer SET execute_after = now()")
    assert second.id in await worker.work_off()
    assert await case.jobs.owner.fetchval("SELECT status FROM relaties.job WHERE tenant_id = $1", second.id) == "SUCCEEDED"


async def test_run_renews_the_lease_of_its_job(case: ExportCase, tmp_path: Path) -> None:
    leases = list[object]()
    await add_clients(case)

    async def read_lease(_count: int) -> None:
        leases.append(await case.jobs.owner.fetchval("SELECT lease_until FROM relaties.job"))

    case.worker = await case.jobs.worker(pausing_handler(read_lease), tmp_path)
    await case.run(columns=NAMES)
    assert leases == sorted(leases, key=str)
    assert len(set(leases)) == 4


async def test_jobs_of_the_organization_follow_the_export(case: ExportCase) -> None:
    """An organization runs one job at a time."""
    await case.jobs.start(case.org)
    key = await case.start(columns=NAMES)
    rebuild = global_id("RevenueRebuildJob", await case.org.add_job(created_at=CREATED_AT))
    await case.worker.work_off()
    assert [(await case.read_job(each))["status"] for each in (key, rebuild)] == ["SUCCEEDED", "SUCCEEDED"]

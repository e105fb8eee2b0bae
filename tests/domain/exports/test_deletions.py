"""The deletion of a client takes the exports that may contain it, in every interleaving of the two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from db.tables import Role
from domain.clients import deletion
from domain.clients.deletion import DeletionOptions
from domain.core.scope import ALL_PERMISSIONS, Actor, OperationResources, open_write_scope
from domain.jobs.erasure import WARNING
from tests.support.api import SECRET_KEYS
from tests.support.builders import create_tenant
from tests.support.deletions import DELETE
from tests.support.eventually import wait_until
from tests.support.exports import ExportCase, pausing_handler, read_csv
from tests.support.full_client import MARKER, create_full_client
from tests.support.ids import global_id
from tests.support.owner import sign_preview_token
from tests.support.snapshots import read_snapshot

NAMES = [{"field": "NAME"}]
WAITING = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE NOT granted AND locktype = $1 AND datname = current_database()"""


async def add_doomed(case: ExportCase) -> UUID:
    """Add a client that can be deleted, after one that stays."""
    await case.org.add_client("A")
    return await case.org.add_client("Doomed", archived_at=datetime(2026, 2, 1, tzinfo=UTC))


async def delete_client(case: ExportCase, client: UUID) -> None:
    """Delete the client over the API."""
    token = await sign_preview_token(case.org, client, timedelta(minutes=5))
    input_values = {"id": global_id("Client", client), "previewToken": token, "acknowledgeFiscalRetention": True}
    payload = (await case.api.data(DELETE, input=input_values))["clientDelete"]
    assert (payload["userErrors"], payload["deletedId"]) == ([], input_values["id"])


@asynccontextmanager
async def open_deletion(case: ExportCase, client: UUID) -> AsyncIterator[None]:
    """Delete the client in a unit of work that commits when the block ends."""
    token = await sign_preview_token(case.org, client, timedelta(minutes=5))
    resources = OperationResources(secrets=SECRET_KEYS)
    async with open_write_scope(case.jobs.database, Actor(case.org.id, ALL_PERMISSIONS), "clientDelete", resources, is_long=True) as scope:
        await deletion.delete(scope, client, DeletionOptions(token))
        yield


async def wait_for_lock(case: ExportCase, kind: str) -> None:
    """Wait until a transaction waits for a lock of this kind. A concurrent task may use the owner's connection."""
    connection = await asyncpg.connect(case.jobs.url)

    async def is_waiting() -> bool:
        return bool(await connection.fetchval(WAITING, kind))

    try:
        await wait_until(is_waiting)
    finally:
        await connection.close()


async def count_files(case: ExportCase) -> tuple[int, int]:
    owner = case.jobs.owner
    return await owner.fetchval("SELECT count(*) FROM relaties.file"), await owner.fetchval("SELECT count(*) FROM relaties.file_part")


async def test_finished_export_loses_its_file(case: ExportCase) -> None:
    client = await add_doomed(case)
    key = (await case.run(columns=NAMES))["id"]
    await delete_client(case, client)
    job = await case.read_job(key)
    assert (job["status"], job["file"], job["downloadUrl"], await count_files(case)) == ("SUCCEEDED", None, None, (0, 0))


async def test_export_from_before_the_client_is_kept(case: ExportCase) -> None:
    """An expired file that is not purged yet is deleted as well if it may have the client."""
    await case.org.add_client("A")
    older = (await case.run(columns=NAMES))["id"]
    client = await case.org.add_client("Doomed", archived_at=datetime(2026, 2, 1, tzinfo=UTC), created_at=datetime.now(UTC))
    await case.jobs.owner.execute("UPDATE relaties.file SET created_at = created_at - interval '1 hour'")
    await case.run(columns=NAMES)
    await case.jobs.owner.execute("UPDATE relaties.file SET expires_at = now() WHERE created_at > now() - interval '30 minutes'")
    await delete_client(case, client)
    assert await count_files(case) == (1, 1)
    assert (await case.read_job(older))["downloadUrl"]


async def test_running_export_is_cancelled_and_says_why(case: ExportCase, tmp_path: Path) -> None:
    client, counts = await add_doomed(case), list[int]()
    for number in range(5):
        await case.org.add_client(f"Z {number}")

    async def delete(count: int) -> None:
        counts.append(count)
        await delete_client(case, client)

    case.worker = await case.jobs.worker(pausing_handler(delete), tmp_path)
    key = await case.start(columns=NAMES)
    await case.worker.work_off()
    job = await case.read_job(key)
    assert (counts, job["status"], job["warnings"], job["file"]) == ([2], "CANCELLED", [WARNING], None)
    assert (await count_files(case), await case.jobs.message_count()) == ((0, 0), 0)


async def test_export_that_starts_before_the_deletion_commits_waits_for_it(case: ExportCase) -> None:
    """The deletion has looked for running exports already, so the export's snapshot must not have the client."""
    client = await add_doomed(case)
    async with open_deletion(case, client):
        await case.start(columns=NAMES)
        running = asyncio.create_task(case.worker.step())
        await wait_for_lock(case, "advisory")
        assert await case.jobs.owner.fetchval("SELECT status FROM relaties.job") == "RUNNING"
    await running
    assert read_csv(await case.stored_content()) == [["Name"], ["A"]]


async def test_deletion_during_the_opening_of_a_snapshot_finds_the_export_running(case: ExportCase, tmp_path: Path) -> None:
    """A deletion that begins once the snapshot is open cancels the export: its claim was committed before."""
    client = await add_doomed(case)
    lock = "SELECT pg_advisory_lock_shared(735823015, hashtext($1))"
    case.worker = await case.jobs.worker(pausing_handler(), tmp_path)
    await case.start(columns=NAMES)
    await case.jobs.owner.execute(lock, str(case.org.id))
    deleting = asyncio.create_task(delete_client(case, client))
    await wait_for_lock(case, "advisory")
    running = asyncio.create_task(case.worker.step())  # it queues behind the deletion

    async def is_claimed() -> bool:
        return bool(await case.jobs.owner.fetchval("SELECT count(*) FROM relaties.job WHERE status = 'RUNNING'"))

    await wait_until(is_claimed)
    await case.jobs.owner.execute("SELECT pg_advisory_unlock_shared(735823015, hashtext($1))", str(case.org.id))
    await asyncio.gather(deleting, running)
    assert await case.jobs.owner.fetchval("SELECT status FROM relaties.job") == "CANCELLED"
    assert (await count_files(case), await case.jobs.message_count()) == ((0, 0), 0)


async def test_deletion_while_the_file_is_being_stored_cancels_the_export(case: ExportCase, tmp_path: Path) -> None:
    """The deletion does not wait for the file, which may take seconds. The export finds out at its end, and rolls the file back."""
    client = await add_doomed(case)
    case.worker = await case.jobs.worker(pausing_handler(after_store=lambda: delete_client(case, client)), tmp_path)
    key = await case.start(columns=NAMES)
    await case.worker.work_off()
    assert ((await case.read_job(key))["status"], await count_files(case)) == ("CANCELLED", (0, 0))


async def test_export_that_ends_while_a_deletion_has_cancelled_it_leaves_no_file(case: ExportCase, tmp_path: Path) -> None:
    """It waits for the deletion, which is not committed yet, and then finds that it is cancelled."""
    client, is_stored, may_end = await add_doomed(case), asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        is_stored.set()
        await may_end.wait()

    case.worker = await case.jobs.worker(pausing_handler(after_store=pause), tmp_path)
    key = await case.start(columns=NAMES)
    running = asyncio.create_task(case.worker.step())
    await is_stored.wait()
    async with open_deletion(case, client):
        may_end.set()
        await wait_for_lock(case, "transactionid")
    await running
    assert ((await case.read_job(key))["status"], await count_files(case)) == ("CANCELLED", (0, 0))


async def test_deletion_that_meets_the_commit_of_an_export_deletes_its_file(case: ExportCase) -> None:
    """The export has ended its job, but has not committed. The deletion waits for that, and then sees the file."""
    client = await add_doomed(case)
    key = await case.start(columns=NAMES)
    message = await case.worker.take()
    assert message
    async with hold_commits(case):
        running = asyncio.create_task(case.worker.runner.run(message))
        await wait_for_lock(case, "relation")  # the export is about to end its message, after its job
        deleting = asyncio.create_task(delete_client(case, client))
        await wait_for_lock(case, "transactionid")
    await asyncio.gather(running, deleting)
    assert ((await case.read_job(key))["status"], await count_files(case)) == ("SUCCEEDED", (0, 0))


@asynccontextmanager
async def hold_commits(case: ExportCase) -> AsyncIterator[None]:
    """Keep transactions from ending messages while the block runs."""
    blocker = await asyncpg.connect(case.jobs.url)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE relaties_queue.pgqueuer_log IN SHARE MODE")
            yield
    finally:
        await blocker.close()


async def test_queued_export_that_may_name_the_client_is_cancelled(case: ExportCase) -> None:
    """Its search stays in no table. An export without such a text stays queued, and has the remaining clients."""
    client = await add_doomed(case)
    named = [await case.start(columns=NAMES, **named) for named in ({"search": "Doomed"}, {"filter": {"vatNumber": "NL123456782B01"}})]
    other = await case.start(columns=NAMES, filter={"status": "ALL"})
    assert "Doomed" in str(await case.jobs.owner.fetch("SELECT input FROM relaties.job"))
    await delete_client(case, client)
    jobs = [await case.read_job(key) for key in named]
    assert [(job["status"], job["warnings"]) for job in jobs] == [("CANCELLED", [WARNING])] * 2
    assert (await case.read_job(other))["status"] == "QUEUED"
    await case.worker.work_off()
    assert read_csv(await case.stored_content()) == [["Name"], ["A"]]
    assert not [row for row in (await read_snapshot(case.jobs.owner, case.org.id)).items() if "doomed" in str(row).lower()]


async def test_s53_no_stored_text_names_the_client_after_its_exports(case: ExportCase) -> None:
    """Neither the finished nor the queued exports, nor the audit log of them."""
    client = await create_full_client(case.org)
    await case.run(search=MARKER)
    await case.run(format="XLSX", search=MARKER)
    await case.start(search=MARKER)
    stored = [row for row in (await read_snapshot(case.jobs.owner, case.org.id)).items() if MARKER.lower() in str(row).lower()]
    assert {key[0] for key, _ in stored} > {"job", "client"}
    token = await sign_preview_token(case.org, client.id, timedelta(minutes=5))
    input_values = {"id": global_id("Client", client.id), "previewToken": token, "acknowledgeFiscalRetention": True}
    payload = (await case.api.data(DELETE, input={**input_values, "deleteOrphanContacts": True}))["clientDelete"]
    assert payload["userErrors"] == []
    assert not [row for row in (await read_snapshot(case.jobs.owner, case.org.id)).items() if MARKER.lower() in str(row).lower()]
    assert await count_files(case) == (0, 0)


async def test_input_of_a_job_that_has_ended_says_only_whether_it_has_figures(case: ExportCase) -> None:
    await case.run(search="A", columns=NAMES)
    assert await case.jobs.owner.fetchval("SELECT input::text FROM relaties.job") == '{"has_figures": false}'


async def test_deletion_leaves_the_exports_of_another_organization(case: ExportCase) -> None:
    client, other = await add_doomed(case), await create_tenant(case.jobs.owner)
    await case.run(columns=NAMES)
    await case.run(case.api_of(Role.OWNER, other), columns=NAMES)
    queued = await case.start(case.api_of(Role.OWNER, other), search="Doomed")
    await delete_client(case, client)
    assert [row["tenant_id"] for row in await case.jobs.owner.fetch("SELECT tenant_id FROM relaties.file")] == [other.id]
    assert (await case.read_job(queued, case.api_of(Role.OWNER, other)))["status"] == "QUEUED"

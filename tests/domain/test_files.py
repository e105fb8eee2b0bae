"""Files are stored in parts within a quota, deleted with their jobs, and purged once they have expired."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from db.engine.database import Database
from db.queries.files import DELETE_LIMIT
from db.tables import PART_BYTES
from db.tables.keys import new_id
from domain import files
from domain.files import FileChangedError, FileLimits, FileQuotaExceededError, NewFile, delete_of_jobs, purge_expired, store
from tests.support.blocking import hold_until_blocked
from tests.support.builders import CREATED_AT, Tenant, create_tenant, insert_rows
from tests.support.databases import runtime_url
from tests.support.files import CONTENT_TYPE, NAME, expire, make_content, read_stored, store_content
from tests.support.snapshots import assert_unchanged

LOCK_PARTS = "LOCK TABLE relaties.file_part IN ACCESS EXCLUSIVE MODE"
IDS = "SELECT id FROM relaties.file ORDER BY id"


@pytest.fixture
async def rival(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect to the database a second time, to hold locks that a unit of work needs."""
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def own_database(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[tuple[asyncpg.Connection, Database]]:
    """Yield a new database, since a purge deletes the files of all organizations: as its owner, and as the server."""
    url = await fresh_database()
    owner, database = await asyncpg.connect(url), await Database.connect(runtime_url(url))
    yield owner, database
    await database.close()
    await owner.close()


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 5_000_000])
async def test_file_is_stored_in_parts(database: Database, org: Tenant, tmp_path: Path, size: int) -> None:
    """Each part but the last one is full, and together they are the file. They are stored without compression."""
    content = make_content(size)
    file_id = await store_content(database, org, tmp_path, content)
    row = await org.owner.fetchrow("SELECT * FROM relaties.file WHERE id = $1", file_id)
    assert row is not None
    assert (row["tenant_id"], row["name"], row["content_type"], row["size"]) == (org.id, NAME, CONTENT_TYPE, size)
    assert row["expires_at"] - row["created_at"] == timedelta(hours=24)
    parts = await org.owner.fetch(
        "SELECT number, octet_length(content) AS size, pg_column_compression(content) AS compression FROM relaties.file_part"
        " WHERE file_id = $1 ORDER BY number",
        file_id,
    )
    full_count, rest = divmod(size, PART_BYTES)
    assert [part["size"] for part in parts] == [PART_BYTES] * full_count + ([rest] if rest else [])
    assert [part["number"] for part in parts] == [*range(len(parts))]
    assert {part["compression"] for part in parts} <= {None}
    assert await read_stored(org.owner, file_id) == content


async def test_file_lives_at_most_a_day(database: Database, org: Tenant, tmp_path: Path) -> None:
    for lifetime, expected in ((timedelta(minutes=10), timedelta(minutes=10)), (timedelta(days=3), timedelta(days=1))):
        file_id = await store_content(database, org, tmp_path, b"a", limits=FileLimits(lifetime=lifetime))
        assert await org.owner.fetchval("SELECT expires_at - created_at FROM relaties.file WHERE id = $1", file_id) == expected


async def test_audit_log_and_outbox_have_nothing_of_a_file(database: Database, org: Tenant, tmp_path: Path) -> None:
    """They have its job. No content, and no name of a file, is copied to a table that outlives it."""
    file_id = await store_content(database, org, tmp_path, b"secret content", name="secret.csv")
    async with database.unit_of_work(org.id) as work:
        job = await org.owner.fetchval("SELECT job_id FROM relaties.file WHERE id = $1", file_id)
        assert await delete_of_jobs(work, [job]) == 1
    for table in ("audit_event", "outbox_event"):
        assert await org.owner.fetchval(f"SELECT count(*) FROM relaties.{table} WHERE tenant_id = $1", org.id) == 0


async def store_and_fail(database: Database, org: Tenant, new_file: NewFile, path: Path) -> None:
    async with database.unit_of_work(org.id) as work:
        await store(work, new_file, path)
        raise ZeroDivisionError


async def test_unit_of_work_that_fails_leaves_no_file(database: Database, org: Tenant, tmp_path: Path) -> None:
    job, path = await org.add_job(), tmp_path / "file"
    path.write_bytes(make_content(PART_BYTES + 1))
    async with assert_unchanged(org.owner, org.id):
        with pytest.raises(ZeroDivisionError):
            await store_and_fail(database, org, NewFile(job, NAME, CONTENT_TYPE), path)


async def test_file_that_becomes_shorter_is_not_stored(database: Database, org: Tenant, tmp_path: Path, rival: asyncpg.Connection) -> None:
    """Its size is stored first, and a download promises it to its client."""
    job, path = await org.add_job(), tmp_path / "file"
    path.write_bytes(make_content(2 * PART_BYTES))

    async def store_file() -> None:
        async with database.unit_of_work(org.id) as work:
            await store(work, NewFile(job, NAME, CONTENT_TYPE), path)

    async with assert_unchanged(org.owner, org.id):
        async with hold_until_blocked(rival, org.owner, LOCK_PARTS):
            task = asyncio.create_task(store_file())
        path.write_bytes(b"")
        with pytest.raises(FileChangedError):
            await task


class TestQuota:
    """The quota counts the unexpired files of one organization."""

    async def test_a_file_may_fill_the_quota_but_not_exceed_it(self, database: Database, org: Tenant, tmp_path: Path) -> None:
        limits = FileLimits(max_bytes=1_000)
        await store_content(database, org, tmp_path, make_content(600), limits=limits)
        async with assert_unchanged(org.owner, (await create_tenant(org.owner)).id):
            with pytest.raises(FileQuotaExceededError, match=r"may take 1000 bytes together.*expires, or request less\.$") as error:
                await store_content(database, org, tmp_path, make_content(401), limits=limits)
        assert error.value.code == "FILE_QUOTA_EXCEEDED"
        assert await org.owner.fetchval("SELECT array_agg(size) FROM relaties.file WHERE tenant_id = $1", org.id) == [600]
        await store_content(database, org, tmp_path, make_content(400), limits=limits)

    async def test_expired_files_and_those_of_others_do_not_count(self, database: Database, org: Tenant, tmp_path: Path) -> None:
        limits, other = FileLimits(max_bytes=1_000), await create_tenant(org.owner)
        await expire(org.owner, await store_content(database, org, tmp_path, make_content(1_000), limits=limits))
        await store_content(database, other, tmp_path, make_content(1_000), limits=limits)
        file_id = await store_content(database, org, tmp_path, make_content(1_000), limits=limits)
        assert await read_stored(org.owner, file_id) == make_content(1_000)

    async def test_two_files_at_once_do_not_exceed_it(self, database: Database, org: Tenant, tmp_path: Path) -> None:
        """The second one waits until the first is committed. A file of another organization does not wait."""
        limits, other = FileLimits(max_bytes=1_000), await create_tenant(org.owner)
        jobs, path = [await org.add_job() for _ in range(2)], tmp_path / "file"
        path.write_bytes(make_content(600))

        async def store_second() -> None:
            async with database.unit_of_work(org.id) as work:
                await store(work, NewFile(jobs[1], NAME, CONTENT_TYPE), path, limits)

        async with database.unit_of_work(org.id) as first:
            await store(first, NewFile(jobs[0], NAME, CONTENT_TYPE), path, limits)
            second = asyncio.create_task(store_second())
            await store_content(database, other, tmp_path, make_content(600), limits=limits)
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))"
            while not await org.owner.fetchval(blocked, first.driver.get_server_pid()):
                assert not second.done()
        with pytest.raises(FileQuotaExceededError):
            await second
        assert await org.owner.fetchval("SELECT array_agg(job_id) FROM relaties.file WHERE tenant_id = $1", org.id) == [jobs[0]]
        sql = "SELECT count(*) FROM relaties.file_part WHERE tenant_id = $1"
        assert await org.owner.fetchval(sql, org.id) == 1


async def add_parts(org: Tenant, file_id: object, count: int) -> None:
    """Add parts of one byte each to a file that has one part."""
    rows = [{"tenant_id": org.id, "file_id": file_id, "number": number, "content": b"x"} for number in range(1, count)]
    await insert_rows(org.owner, "file_part", rows)


async def test_files_of_jobs_are_deleted(database: Database, org: Tenant) -> None:
    """Expired files as well, and none of other jobs or of another organization, even if its ids are passed."""
    other = await create_tenant(org.owner)
    jobs = [await org.add_job(status="SUCCEEDED", finished_at=CREATED_AT) for _ in range(3)]
    theirs = await other.add_job(status="SUCCEEDED", finished_at=CREATED_AT)
    ids = [await org.add_file(job=job) for job in (*jobs, jobs[0])]
    await other.add_file(job=theirs)
    await add_parts(org, ids[0], 2 * DELETE_LIMIT)
    await expire(org.owner, ids[1])
    async with assert_unchanged(org.owner, other.id):
        async with database.unit_of_work(org.id) as work:
            assert await delete_of_jobs(work, [jobs[0], jobs[1], theirs, new_id()]) == 3
        assert await org.owner.fetchval("SELECT array_agg(id) FROM relaties.file WHERE tenant_id = $1", org.id) == [ids[2]]
        remaining_ids = await org.owner.fetchval("SELECT array_agg(file_id) FROM relaties.file_part WHERE tenant_id = $1", org.id)
        assert remaining_ids == [ids[2]]


async def test_purge_deletes_the_expired_files_of_all_organizations(own_database: tuple[asyncpg.Connection, Database]) -> None:
    """Those that have not expired stay. A second purge finds nothing."""
    owner, database = own_database
    orgs = [await create_tenant(owner) for _ in range(3)]
    expired_ids = [await org.add_file() for org in orgs[:2] for _ in range(2)]
    kept_ids = [await org.add_file() for org in orgs]
    await add_parts(orgs[0], expired_ids[0], 2 * DELETE_LIMIT + 1)
    await expire(owner, *expired_ids)
    assert await purge_expired(database) == 4
    assert [row["id"] for row in await owner.fetch(IDS)] == sorted(kept_ids)
    assert [row["file_id"] for row in await owner.fetch("SELECT file_id FROM relaties.file_part ORDER BY file_id")] == sorted(kept_ids)
    assert await purge_expired(database) == 0


async def test_purge_continues_where_the_last_one_ended(
    own_database: tuple[asyncpg.Connection, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call deletes a limited number of batches. What it leaves can be found again."""
    owner, database = own_database
    org = await create_tenant(owner)
    file_id = await org.add_file()
    await add_parts(org, file_id, 2 * DELETE_LIMIT)
    await expire(owner, file_id)
    monkeypatch.setattr(files, "MAX_PURGED_BATCHES", 1)
    sizes = list[int]()
    for file_count in (0, 0, 1, 0):
        assert await purge_expired(database) == file_count
        sizes.append(await owner.fetchval("SELECT count(*) FROM relaties.file_part"))
    assert sizes == [DELETE_LIMIT, 0, 0, 0]
    assert await owner.fetch(IDS) == []


async def test_purges_at_once_do_not_wait_for_each_other(own_database: tuple[asyncpg.Connection, Database]) -> None:
    owner, database = own_database
    org = await create_tenant(owner)
    first, second = await org.add_file(), await org.add_file()
    await expire(owner, first, second)
    async with owner.transaction():
        await owner.execute("SELECT FROM relaties.file WHERE id = $1 FOR UPDATE", first)
        assert await purge_expired(database) == 1
    assert [row["id"] for row in await owner.fetch(IDS)] == [first]


async def test_function_over_all_organizations_returns_ids_only(own_database: tuple[asyncpg.Connection, Database]) -> None:
    owner, _ = own_database
    org, other = await create_tenant(owner), await create_tenant(owner)
    await expire(owner, await org.add_file(), await org.add_file())
    await other.add_file()
    rows = await owner.fetch("SELECT * FROM relaties.organizations_with_expired_files()")
    assert [tuple(row) for row in rows] == [(org.id,)]


async def test_another_organization_reaches_no_file_by_sql(owner_url: str, org: Tenant) -> None:
    """It can neither read, change nor delete it, nor add a part to it, nor a file to a job."""
    other, file_id = await create_tenant(org.owner), await org.add_file()
    job = await org.owner.fetchval("SELECT job_id FROM relaties.file WHERE id = $1", file_id)
    runtime = await asyncpg.connect(runtime_url(owner_url))
    part = "INSERT INTO relaties.file_part (tenant_id, file_id, number, content) VALUES ($1, $2, 1, 'x')"
    file = "INSERT INTO relaties.file VALUES ($1, gen_random_uuid(), $2, 'a', 'b', 1, now(), now() + interval '1 hour')"
    try:
        await runtime.execute(f"SET app.tenant = '{other.id}'")
        async with assert_unchanged(org.owner, org.id, other.id):
            for table in ("file", "file_part"):
                assert await runtime.fetchval(f"SELECT count(*) FROM relaties.{table}") == 0
                assert await runtime.execute(f"DELETE FROM relaties.{table}") == "DELETE 0"
            assert await runtime.execute("UPDATE relaties.file SET expires_at = 'infinity'") == "UPDATE 0"
            for statement, key in ((part, file_id), (file, job)):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await runtime.execute(statement, org.id, key)
                with pytest.raises(asyncpg.ForeignKeyViolationError):
                    await runtime.execute(statement, other.id, key)
    finally:
        await runtime.close()


WRONG: dict[str, dict[str, object]] = {
    "negative size": {"size": -1},
    "expired from the start": {"expires_at": CREATED_AT},
}


@pytest.mark.parametrize("case", WRONG)
async def test_database_rejects_an_impossible_file(org: Tenant, case: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await org.add_file(**WRONG[case])  # type: ignore[arg-type]
    assert await org.owner.fetchval("SELECT count(*) FROM relaties.file WHERE tenant_id = $1", org.id) == 0


@pytest.mark.parametrize(("number", "size"), [(-1, 1), (1, 0), (1, PART_BYTES + 1)])
async def test_database_rejects_an_impossible_part(org: Tenant, number: int, size: int) -> None:
    file_id = await org.add_file()
    with pytest.raises(asyncpg.CheckViolationError):
        await insert_rows(org.owner, "file_part", [{"tenant_id": org.id, "file_id": file_id, "number": number, "content": b"x" * size}])
    assert await read_stored(org.owner, file_id) == b"a,b"

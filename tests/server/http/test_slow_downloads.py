"""A download that waits for its client holds one part of its file and no connection, and ends incomplete if the file is deleted."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import strawberry
from starlette.types import Message

from db.engine.database import Database, DatabaseLimits
from db.tables import PART_BYTES, Role
from domain.files import delete_of_jobs
from server.app import Application, build_app
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, SECRET_KEYS, Api, connect_to_application
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.downloads import SlowDownload, run_paused
from tests.support.eventually import wait_until
from tests.support.files import expire, make_content, sign, store_content

CONTENT = make_content(3 * PART_BYTES + 1)
STOP_PARTS = "LOCK TABLE relaties.file_part IN ACCESS EXCLUSIVE MODE"
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))"


@dataclass
class DownloadServer:
    """A server with its own connections to the database, and an organization with a file."""

    database: Database
    application: Application
    statements: list[str]
    org: Tenant
    file_id: UUID

    def download(self, org: Tenant | None = None, file_id: UUID | None = None, **headers: str) -> SlowDownload:
        return SlowDownload(self.application.asgi_app, sign(org or self.org, file_id or self.file_id), headers)

    def gauge(self, name: str) -> float | None:
        return self.application.metrics.registry.get_sample_value(f"relaties_{name}")

    async def count_part_statements(self) -> int:
        await asyncio.sleep(0)  # asyncpg logs a statement in the next pass of the event loop
        return sum("file_part" in statement for statement in self.statements)

    async def delete_file(self) -> None:
        job = await self.org.owner.fetchval("SELECT job_id FROM relaties.file WHERE id = $1", self.file_id)
        async with self.database.unit_of_work(self.org.id) as work:
            assert await delete_of_jobs(work, [job]) == 1


Build = Callable[..., Awaitable[DownloadServer]]


@pytest.fixture
async def build(owner_url: str, schema: strawberry.Schema, org: Tenant, tmp_path: Path) -> AsyncIterator[Build]:
    """Return a function that builds a server with these settings of its application, and by default with one connection for reading."""
    databases = list[Database]()

    async def build_server(limits: DatabaseLimits | None = None, **settings: Any) -> DownloadServer:  # noqa: ANN401 of any setting
        statements = list[str]()
        own_limits = limits or DatabaseLimits(read_pool_size=1)
        database = await Database.connect(runtime_url(owner_url), own_limits, on_statement=statements.append)
        databases.append(database)
        application = build_app(schema, database, Settings(**{"rate_limit_burst": HUGE_LIMIT, **settings}), SECRET_KEYS)
        file_id = await store_content(database, org, tmp_path, CONTENT)
        return DownloadServer(database, application, statements, org, file_id)

    yield build_server
    for database in databases:
        await database.close()


@pytest.fixture
async def rival(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect to the database a second time, to hold locks that the server needs."""
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


def header(message: Message, name: bytes) -> bytes:
    """Return the header of a response's start."""
    (value,) = [value for each, value in message["headers"] if each == name]
    return bytes(value)


async def test_slow_downloads_hold_no_connection(build: Build) -> None:
    """While fifty of them wait, the only connection answers queries. Then all of them get the whole file."""
    server = await build()
    downloads = [server.download() for _ in range(50)]
    tasks = [download.start() for download in downloads]
    for download in downloads:
        await download.wait_until_paused()
    assert server.database.read_connections_in_use == 0
    assert server.gauge("downloads_running") == 50
    async with connect_to_application(server.application) as http:
        assert await Api(http, server.org.tokens[Role.OWNER]).data("{ labels { totalCount } }") == {"labels": {"totalCount": 0}}
    for download in downloads:
        download.resume()
    await asyncio.gather(*tasks)
    assert {download.content for download in downloads} == {CONTENT}
    assert all(download.is_complete for download in downloads)
    assert (server.gauge("downloads_running"), server.gauge("outgoing_bytes")) == (0, 0)


async def test_download_reads_no_part_before_its_client_has_read_the_last_one(build: Build) -> None:
    server = await build()
    download = server.download()
    counts = list[int]()

    async def count() -> None:
        counts.append(await server.count_part_statements())
        assert len(download.content) == 65_536

    await run_paused(download, count)
    assert [*counts, await server.count_part_statements()] == [1, 4]
    assert max(len(message.get("body", b"")) for message in download.messages) == 65_536


async def test_download_ends_incomplete_when_its_file_is_deleted(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """The client has the part that was read before, of a length that it knows to be too short. The log names the reason."""
    server = await build()
    download = server.download()
    caplog.set_level(logging.INFO, "relaties")
    await run_paused(download, server.delete_file)
    assert download.content == CONTENT[:PART_BYTES]
    assert header(download.messages[0], b"content-length") == str(len(CONTENT)).encode()
    assert not download.is_complete
    record = next(record for record in caplog.records if record.getMessage() == "incomplete download")
    fields = record.__dict__["fields"]
    assert (record.levelname, fields["organization_id"]) == ("INFO", str(server.org.id))
    assert fields["reason"] == "the file was deleted or expired"


async def test_download_ends_incomplete_when_its_file_expires(build: Build) -> None:
    server = await build()
    download = server.download()
    await run_paused(download, lambda: expire(server.org.owner, server.file_id))
    assert (download.content, download.is_complete) == (CONTENT[:PART_BYTES], False)


async def test_download_of_a_client_that_disconnects_reads_no_further_part(build: Build) -> None:
    server = await build()
    download = server.download()
    task = download.start()
    await download.wait_until_paused()
    await download.disconnect()
    await task
    assert await server.count_part_statements() == 1
    assert not download.is_complete
    assert (server.gauge("downloads_running"), server.gauge("outgoing_bytes")) == (0, 0)


async def test_database_that_fails_ends_the_download_incomplete(
    build: Build, rival: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """A new download gets an error that says so, with the headers of every download."""
    server = await build(DatabaseLimits(read_pool_size=1, statement_timeout=0.2))
    download, refused = server.download(), server.download()
    async with rival.transaction():
        await run_paused(download, lambda: rival.execute(STOP_PARTS))
        await refused.run()
    assert (download.content, download.is_complete) == (CONTENT[:PART_BYTES], False)
    record = next(record for record in caplog.records if record.getMessage() == "incomplete download")
    assert (record.levelname, record.__dict__["fields"]["reason"]) == ("WARNING", "the database failed")
    assert refused.messages[0]["status"] == 504
    assert json.loads(refused.content)["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert header(refused.messages[0], b"cache-control") == b"private, no-store"
    assert (server.database.read_connections_in_use, server.gauge("outgoing_bytes")) == (0, 0)


async def test_downloads_read_with_a_quarter_of_the_read_pool(build: Build, rival: asyncpg.Connection) -> None:
    """Even if PostgreSQL answers none of them, the other connections answer queries."""
    server = await build(DatabaseLimits(read_pool_size=8, statement_timeout=30), read_pool_size=8)
    downloads = [server.download() for _ in range(20)]

    async def are_blocked() -> bool:
        return bool(await server.org.owner.fetchval(BLOCKED, rival.get_server_pid()) == 2)

    async with connect_to_application(server.application) as http:
        api = Api(http, server.org.tokens[Role.OWNER])
        async with rival.transaction():
            await rival.execute(STOP_PARTS)
            tasks = [download.start() for download in downloads]
            await wait_until(are_blocked)
            for _ in range(20):
                assert await api.data("{ labels { totalCount } }") == {"labels": {"totalCount": 0}}
            assert server.database.read_connections_in_use == 2
        for download in downloads:
            download.resume()
        await asyncio.gather(*tasks)
    assert {download.content for download in downloads} == {CONTENT}


async def test_parts_that_wait_are_limited_for_each_organization(build: Build) -> None:
    """Another organization downloads meanwhile, and a small file always."""
    server = await build(max_outgoing_bytes_per_token=3 * PART_BYTES)
    other = await create_tenant(server.org.owner)
    running = [server.download() for _ in range(2)]
    tasks = [download.start() for download in running]
    for download in running:
        await download.wait_until_paused()
    assert server.gauge("outgoing_bytes") == 2 * PART_BYTES
    refused, small, theirs = server.download(), server.download(range="bytes=0-9"), server.download(other, await other.add_file(b"x"))
    for each in (refused, small, theirs):
        await each.run()
    assert refused.messages[0]["status"] == 429
    assert header(refused.messages[0], b"retry-after") == b"1"
    assert json.loads(refused.content)["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert (small.content, theirs.content) == (CONTENT[:10], b"x")
    for download in running:
        download.resume()
    await asyncio.gather(*tasks)
    assert {download.content for download in running} == {CONTENT}
    assert server.gauge("outgoing_bytes") == 0


async def test_shutdown_ends_a_download_that_outlasts_the_grace_period(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """The server cancels it. It ends without an error, and the client knows that bytes are missing."""
    server = await build()
    caplog.set_level(logging.INFO, "relaties")
    for is_draining in (True, False):
        server.application.health.is_draining = is_draining
        download = server.download()
        task = download.start()
        await download.wait_until_paused()
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert (outcome is None) == is_draining
        assert not download.is_complete
    reasons = [record.__dict__["fields"]["reason"] for record in caplog.records if record.getMessage() == "incomplete download"]
    assert reasons == ["the server shuts down"]
    assert (server.gauge("downloads_running"), server.gauge("outgoing_bytes")) == (0, 0)

"""Downloads over real connections: clients that read late, never or until the server stops, and files that are deleted meanwhile."""

import asyncio
import select
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from db.engine.database import Database
from db.tables import PART_BYTES
from domain.files import delete_of_jobs
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.files import make_content, sign_at, store_content
from tests.support.processes import ServerProcess, run_server
from tests.support.raw_http import ERROR_PATTERN, TIMEOUT_S, RawConnection, build_request

SECRET = b"a secret of the server that downloads"
SIZE = 48 * PART_BYTES + 7  # 12 MB, more than the buffers of both systems hold


@dataclass
class FileServer:
    """A server process, and the path of a large file."""

    process: ServerProcess
    org: Tenant
    file_id: UUID
    content: bytes

    @property
    def path(self) -> str:
        return sign_at(self.org, self.file_id, datetime.now(UTC), secret=SECRET)

    @asynccontextmanager
    async def start_download(self) -> AsyncIterator[RawConnection]:
        """Request the file on a connection with small buffers, and read nothing."""
        client_socket = socket.socket()
        client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client_socket.connect(("127.0.0.1", self.process.port))
        client_socket.setblocking(False)  # noqa: FBT003 the method has no name for it
        reader, writer = await asyncio.open_connection(sock=client_socket, limit=4096)
        connection = RawConnection(reader, writer)
        await connection.send(build_request("GET", self.path))
        yield connection
        writer.transport.abort()

    async def read_head(self, connection: RawConnection) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await connection.reader.readuntil(b"\r\n\r\n")


@pytest.fixture
def process(owner_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """Run a server that disconnects a client after a second without reading. Its log has nothing of a URL."""
    settings = {"RELATIES_SECRET_KEY": SECRET.decode(), "RELATIES_DATA_DIR": str(tmp_path), "RELATIES_SEND_TIMEOUT": "1"}
    with run_server("--no-demo", DATABASE_URL=runtime_url(owner_url), RELATIES_LOG_FORMAT="json", **settings) as server:
        yield server


@pytest.fixture
async def server(process: ServerProcess, database: Database, org: Tenant, tmp_path: Path) -> AsyncIterator[FileServer]:
    content = make_content(SIZE)
    file_server = FileServer(process, org, await store_content(database, org, tmp_path, content), content)
    yield file_server
    process.stop(signal.SIGINT)
    signed = file_server.path.removeprefix("/downloads/")
    assert "GET /downloads/…" in process.output
    for piece in (signed[:32] + signed[32:36], signed[32:60], str(file_server.file_id), file_server.file_id.hex):
        assert piece not in process.output


async def test_client_that_reads_in_the_end_gets_the_whole_file(server: FileServer) -> None:
    async with server.start_download() as connection:
        head = await server.read_head(connection)
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert await connection.reader.readexactly(SIZE) == server.content
    assert not ERROR_PATTERN.search(server.process.output)


async def test_client_that_reads_nothing_is_disconnected(server: FileServer) -> None:
    """The send timeout resets it, without an error in the log, and the next download succeeds."""
    async with server.start_download() as connection:
        await server.read_head(connection)
        poller = select.poll()
        poller.register(connection.writer.get_extra_info("socket").fileno(), 0)  # only errors, so nothing is read
        ((_, state),) = await asyncio.to_thread(poller.poll, TIMEOUT_S * 1000)
        assert state & select.POLLERR
    async with server.start_download() as connection:
        await server.read_head(connection)
        assert await connection.reader.readexactly(SIZE) == server.content
    assert not ERROR_PATTERN.search(server.process.output)


async def test_file_that_is_deleted_meanwhile_arrives_incomplete(server: FileServer, database: Database) -> None:
    """The server closes the connection before it has sent as many bytes as it announced."""
    job = await server.org.owner.fetchval("SELECT job_id FROM relaties.file WHERE id = $1", server.file_id)
    async with server.start_download() as connection:
        head = await server.read_head(connection)
        async with database.unit_of_work(server.org.id) as work:
            assert await delete_of_jobs(work, [job]) == 1
        content = await connection.read_rest()
    assert f"content-length: {SIZE}\r\n".encode() in head
    assert 0 < len(content) < SIZE
    assert len(content) % PART_BYTES == 0
    assert server.content.startswith(content)
    server.process.wait_for_output("the file was deleted or expired")


async def test_running_download_is_completed_while_the_server_stops(server: FileServer) -> None:
    async with server.start_download() as connection:
        await server.read_head(connection)
        server.process.process.send_signal(signal.SIGTERM)
        assert await connection.reader.readexactly(SIZE) == server.content
        assert await connection.read_rest() == b""
    assert server.process.stop(signal.SIGTERM) == 0

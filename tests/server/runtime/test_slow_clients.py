"""Slow, silent or too many clients are disconnected in time, and other clients do not notice."""

import asyncio
import resource
import select
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from time import perf_counter

import asyncpg
import pytest

from db.tables import Role
from server.graphiql import pages
from server.runtime.listen import raise_open_file_limit
from tests.support.builders import Tenant
from tests.support.databases import RUNTIME, runtime_url
from tests.support.processes import ServerProcess, run_server
from tests.support.raw_http import (
    ERROR_PATTERN,
    TIMEOUT_S,
    RawConnection,
    build_chunk,
    build_head,
    build_query_request,
    build_request,
    open_connection,
)

MOST = 250
SHORT = dict.fromkeys(("RELATIES_HEADER_TIMEOUT", "RELATIES_BODY_TIMEOUT", "RELATIES_SEND_TIMEOUT", "RELATIES_KEEPALIVE_TIMEOUT"), "1")
ASSET = f"/graphiql/assets/{max(pages.ASSETS.glob('*.js.gz'), key=lambda path: path.stat().st_size).stem}"
TIMED_OUT = (408, "REQUEST_TIMEOUT")


def allow_all_connections(count: int) -> dict[str, str]:
    """Let one address hold all connections, because all clients of a test have the same address."""
    return {"RELATIES_MAX_CONNECTIONS": str(count), "RELATIES_MAX_CONNECTIONS_PER_ADDRESS": str(count)}


@pytest.fixture(scope="module")
async def server(owner: asyncpg.Connection, owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """Run a server with timeouts of one second for clients, and long ones for statements, which some tests block meanwhile.

    At the end the server must still run, and must have logged no problem.
    """
    data, role = str(tmp_path_factory.mktemp("data")), f"ALTER ROLE {RUNTIME} IN DATABASE {owner_url.rpartition('/')[2]}"
    await owner.execute(f"{role} SET lock_timeout = '{TIMEOUT_S}s'")
    long = {f"RELATIES_{name}_TIMEOUT": str(TIMEOUT_S) for name in ("STATEMENT", "OPERATION")}
    more = {"RELATIES_DATA_DIR": data, **allow_all_connections(MOST), **SHORT, **long}
    with run_server(DATABASE_URL=runtime_url(owner_url), **more) as process:
        yield process
        assert process.process.poll() is None
    await owner.execute(f"{role} RESET lock_timeout")
    assert not ERROR_PATTERN.search(process.output), process.output


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[RawConnection]:
    async with open_connection(server.port) as client_connection:
        yield client_connection


@pytest.fixture
def token(org: Tenant) -> str:
    return org.tokens[Role.OWNER]


async def drip(to: RawConnection, data: bytes) -> None:
    """Send one byte at a time, with a pause after each, until the server closes the connection."""
    response_task = asyncio.ensure_future(to.reader.read())
    for byte in data:
        await to.send(bytes([byte]))
        if (await asyncio.wait({response_task}, timeout=0.2))[0]:
            break
    answer = await asyncio.wait_for(response_task, TIMEOUT_S)
    to.reader = asyncio.StreamReader()
    to.reader.feed_data(answer)
    to.reader.feed_eof()


async def stay_silent(_to: RawConnection, _token: str) -> None:
    """Connect and send nothing."""


async def drip_headers(to: RawConnection, token: str) -> None:
    await drip(to, build_query_request(token))


async def stall_body(to: RawConnection, token: str) -> None:
    await to.send(build_query_request(token)[:-5])


async def drip_body(to: RawConnection, token: str) -> None:
    request_bytes = build_query_request(token, "{ viewer { permissions } }" + " " * 1000)
    await to.send(build_head(request_bytes))
    await drip(to, request_bytes[len(build_head(request_bytes)) :])


async def drip_chunks(to: RawConnection, token: str) -> None:
    await to.send(build_head(build_query_request(token)).replace(b"Content-Length: 39", b"Transfer-Encoding: chunked"))
    await drip(to, build_chunk(b" ") * 1000)


SLOW = (stay_silent, drip_headers, stall_body, drip_body, drip_chunks)


def open_unread(port: int) -> socket.socket:
    """Return a client that requests more than its buffer can hold, and reads nothing."""
    client_socket = socket.socket()
    client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client_socket.connect(("127.0.0.1", port))
    client_socket.sendall(build_request("GET", ASSET, "Accept-Encoding: gzip") * 16)
    return client_socket


def wait_for_resets(sockets: list[socket.socket]) -> set[int]:
    """Wait until each socket is reset or the timeout ends, and return the sockets that are."""
    poller = select.poll()
    for each in sockets:
        poller.register(each, 0)  # the poller reports the end of a connection in any case
    reset_sockets: set[int] = set()
    while len(reset_sockets) < len(sockets) and (ready := poller.poll(TIMEOUT_S * 1000)):
        reset_sockets |= {number for number, event in ready if event & (select.POLLERR | select.POLLHUP)}
        for number, _ in ready:
            poller.unregister(number)
    return reset_sockets


async def measure_under_attack(port: int, token: str, count: int) -> tuple[list[float], float]:
    """Attack with `count` clients of each kind. Return the seconds that each good response took, and those until all slow clients ended."""
    async with AsyncExitStack() as stack:
        exit_stack = stack.enter_context(ExitStack())
        unread_sockets = [exit_stack.enter_context(open_unread(port)) for _ in range(count)]
        slow_connections = [(await stack.enter_async_context(open_connection(port)), kind) for kind in SLOW for _ in range(count)]
        start = perf_counter()
        attacks = [asyncio.ensure_future(kind(each, token)) for each, kind in slow_connections]
        took = [await measure_answer(port, token) for _ in range(20)]
        await asyncio.gather(*attacks)
        are_rejected = await asyncio.gather(*(each.ends_with_error(*TIMED_OUT) for each, _ in slow_connections))
        total_seconds = perf_counter() - start
        assert are_rejected == [True] * len(slow_connections)
        assert await asyncio.to_thread(wait_for_resets, unread_sockets) == {each.fileno() for each in unread_sockets}
    return took, total_seconds


async def measure_answer(port: int, token: str) -> float:
    async with open_connection(port) as good:
        start = perf_counter()
        assert (await good.send_and_read(build_query_request(token))).status == 200
        return perf_counter() - start


async def test_h5_slow_clients_are_disconnected(server: ServerProcess, token: str) -> None:
    """There are forty clients of each kind: silent, slow headers, stalled and slow bodies, and unread responses. Others are answered."""
    await measure_under_attack(server.port, token, 40)


@pytest.mark.proof
async def test_h5_thousands_of_slow_clients_are_disconnected(owner_url: str, token: str, tmp_path: Path) -> None:
    """With five hundred of each kind and default timeouts, all end soon after ten seconds, and others wait less than 0.1 s."""
    raise_open_file_limit()
    with run_server(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path), **allow_all_connections(4000)) as server:
        took, total_seconds = await measure_under_attack(server.port, token, 500)
        assert sorted(took)[len(took) // 2] < 0.1
        assert total_seconds < 13
    assert not ERROR_PATTERN.search(server.output), server.output


async def test_h5_idle_connection_is_closed_silently(client: RawConnection) -> None:
    """A client that is just sending its next request would take an error for the response to it."""
    assert (await client.send_and_read(build_request())).status == 200
    assert await client.read_rest() == b""


async def test_h5_empty_lines_keep_no_connection_open(client: RawConnection) -> None:
    """Empty lines before a request are allowed, but are not part of it."""
    await client.send_and_read(build_request())
    await drip(client, b"\r\n" * 100)
    assert await client.read_rest() == b""


async def test_h5_the_next_request_has_the_same_deadline(client: RawConnection) -> None:
    """On a connection that was in use, the deadline counts from the first byte of the next request."""
    await client.send_and_read(build_request())
    await client.send(b"G")
    assert await client.ends_with_error(*TIMED_OUT)


async def test_h5_due_answers_precede_an_error(server: ServerProcess, client: RawConnection, owner: asyncpg.Connection, token: str) -> None:
    """Pipelined requests are answered in order. A later one that stalls or is malformed does not affect those before it."""
    async with owner.transaction(), open_connection(server.port) as witness:
        await owner.execute("LOCK TABLE relaties.client")
        await client.send(build_query_request(token, "{ clients { totalCount } }") + b"GET /livez HTTP/1.1\r\n")
        assert await witness.ends_with_error(*TIMED_OUT)  # the deadline of the other connection has passed too
    assert (await client.read_response()).body == b'{"data":{"clients":{"totalCount":0}}}'
    assert await client.ends_with_error(*TIMED_OUT)


async def test_h5_computing_an_answer_has_no_client_deadline(
    server: ServerProcess, client: RawConnection, owner: asyncpg.Connection, token: str
) -> None:
    """A complete request is answered, however long it takes. A stalled request that started later is not."""
    async with owner.transaction(), open_connection(server.port) as witness:
        await owner.execute("LOCK TABLE relaties.client")
        await client.send(build_query_request(token, "{ clients { totalCount } }"))
        await witness.send(build_query_request(token)[:-5])
        assert await witness.ends_with_error(*TIMED_OUT)
    assert (await client.read_response()).body == b'{"data":{"clients":{"totalCount":0}}}'
    assert (await client.send_and_read(build_query_request(token))).status == 200


async def test_h5_body_after_its_answer_is_discarded(client: RawConnection, token: str) -> None:
    """A request that is rejected for its headers need not be read. The connection can still be used."""
    request_bytes = build_query_request("rlt_" + "x" * 43)
    assert (await client.send_and_read(build_head(request_bytes))).code == (401, "UNAUTHENTICATED")
    assert (await client.send_and_read(request_bytes[len(build_head(request_bytes)) :] + build_query_request(token))).status == 200


async def test_h5_missing_body_after_its_answer_gets_no_second_answer(client: RawConnection) -> None:
    """The client would take it for the response to its next request."""
    assert (await client.send_and_read(build_head(build_query_request("rlt_" + "x" * 43)))).status == 401
    assert await client.read_rest() == b""


def test_h5_file_limit_is_raised_to_the_maximum() -> None:
    """The initial limit of a process is often too low for the number of connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] - 1, before[1]))
    try:
        raise_open_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

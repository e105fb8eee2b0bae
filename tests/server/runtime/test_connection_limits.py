"""The limits on connections: one address cannot use all of them, and silent connections are closed to make room for active ones."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest

from server.ip_addresses import TrustedProxies, parse_networks
from server.runtime.connections import ConnectionLimiter, RefusalReason
from server.runtime.listen import raise_open_file_limit
from server.settings import Settings
from tests.support.databases import runtime_url
from tests.support.eventually import wait_until
from tests.support.processes import ServerProcess, run_server
from tests.support.raw_http import RawConnection, build_request, open_connection

LIMIT = 40
HALF_LIMIT = LIMIT // 2
PROXY = "127.0.0.9"
UNAVAILABLE = (503, "UNAVAILABLE")
# Longer than any test, so that only the limits close connections.
LONG = {"RELATIES_HEADER_TIMEOUT": "600", "RELATIES_KEEPALIVE_TIMEOUT": "600"}
Opened: TypeAlias = list[RawConnection]


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    settings = {"RELATIES_MAX_CONNECTIONS": str(LIMIT), "RELATIES_TRUSTED_PROXIES": PROXY, **LONG}
    with run_server(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path_factory.mktemp("data")), **settings) as process:
        yield process


@pytest.fixture
async def stack(server: ServerProcess) -> AsyncIterator[AsyncExitStack]:
    """Keep connections open until the test ends, and wait until the server has closed them too."""
    async with AsyncExitStack() as exit_stack:
        yield exit_stack
    await wait_until_all_closed(server)


async def wait_until_all_closed(server: ServerProcess) -> None:
    process = psutil.Process(server.process.pid)

    async def has_none() -> bool:
        open_connections = await asyncio.to_thread(process.net_connections, "tcp")
        return not [each for each in open_connections if each.laddr.port == server.port and each.status != psutil.CONN_LISTEN]

    await wait_until(has_none)


async def open_silent(stack: AsyncExitStack, server: ServerProcess, source: str, count: int) -> Opened:
    """Open connections that send nothing, and return them in order."""
    return [await stack.enter_async_context(open_connection(server.port, source)) for _ in range(count)]


async def open_active(stack: AsyncExitStack, server: ServerProcess, source: str, count: int) -> Opened:
    """Open connections that have received one response each."""
    open_connections = await open_silent(stack, server, source, count)
    for each in open_connections:
        await is_answered(each)
    return open_connections


async def is_answered(raw_connection: RawConnection) -> bool:
    return (await raw_connection.send_and_read(build_request())).status == 200


async def test_one_address_uses_at_most_half_of_the_connections(server: ServerProcess, stack: AsyncExitStack) -> None:
    """One more connection is rejected while all are in use. Another address still gets responses."""
    open_connections = await open_active(stack, server, "127.0.0.2", HALF_LIMIT)
    rejected, *_ = await open_silent(stack, server, "127.0.0.2", 1)
    answer = await rejected.read_response()
    assert answer.code == UNAVAILABLE
    assert b"from your address" in answer.body
    assert answer.headers["retry-after"] == "1"
    assert await rejected.read_rest() == b""
    (other,) = await open_active(stack, server, "127.0.0.3", 1)
    assert await is_answered(other)
    assert [await is_answered(each) for each in open_connections] == [True] * HALF_LIMIT


async def test_silent_connection_is_closed_for_the_next_of_its_address(server: ServerProcess, stack: AsyncExitStack) -> None:
    """The oldest silent connection is closed first. A connection that has been used is never closed."""
    open_connections = await open_active(stack, server, "127.0.0.2", 1)
    others = await open_silent(stack, server, "127.0.0.3", 1)
    quiet = await open_silent(stack, server, "127.0.0.2", HALF_LIMIT - 1)
    newest = await open_active(stack, server, "127.0.0.2", 2)
    assert [await each.ends_with_error(*UNAVAILABLE) for each in quiet[:2]] == [True, True]
    assert [await is_answered(each) for each in (*open_connections, *others, *quiet[2:], *newest)] == [True] * (HALF_LIMIT + 1)


async def test_oldest_silent_connection_is_closed_when_all_are_in_use(server: ServerProcess, stack: AsyncExitStack) -> None:
    """It may belong to any address. If there is no silent connection left, the new one is rejected."""
    quiet = [await open_silent(stack, server, source, HALF_LIMIT) for source in ("127.0.0.2", "127.0.0.3")]
    newest = await open_active(stack, server, "127.0.0.4", 1)
    assert await quiet[0][0].ends_with_error(*UNAVAILABLE)
    remaining = [*quiet[0][1:], *quiet[1], *newest]
    assert [await is_answered(each) for each in remaining] == [True] * LIMIT
    (rejected,) = await open_silent(stack, server, "127.0.0.5", 1)
    answer = await rejected.read_response()
    assert answer.code == UNAVAILABLE
    assert b"from your address" not in answer.body
    assert [await is_answered(each) for each in remaining] == [True] * LIMIT


async def test_trusted_proxy_is_exempt_from_the_limit_of_one_address(server: ServerProcess, stack: AsyncExitStack) -> None:
    open_connections = await open_active(stack, server, PROXY, HALF_LIMIT + 5)
    assert [await is_answered(each) for each in open_connections] == [True] * (HALF_LIMIT + 5)


async def test_connections_of_a_burst_keep_their_requests(server: ServerProcess, stack: AsyncExitStack) -> None:
    """More connections arrive with a request than one address may have: the first get their responses, the last are rejected."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        open_connections = await open_silent(stack, server, "127.0.0.2", HALF_LIMIT + 5)
        for each in open_connections:
            await each.send(build_request())
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert [(await each.read_response()).status for each in open_connections] == [200] * HALF_LIMIT + [503] * 5


async def test_closed_connections_free_their_slots(server: ServerProcess) -> None:
    """The address can open as many connections again, twice."""
    for _ in range(2):
        async with AsyncExitStack() as exit_stack:
            assert await open_active(exit_stack, server, "127.0.0.2", HALF_LIMIT)
        await wait_until_all_closed(server)


async def test_thousand_silent_sockets_of_one_address_block_nobody(owner_url: str, tmp_path: Path, stack: AsyncExitStack) -> None:
    """The server has the default limits."""
    raise_open_file_limit()
    with run_server(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path), **LONG) as server, ExitStack() as exit_stack:
        for _ in range(1100):
            exit_stack.enter_context(socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.2", 0)))
        good = await open_active(stack, server, "127.0.0.3", 300)
        assert [await is_answered(each) for each in good] == [True] * 300
        assert await open_active(stack, server, "127.0.0.2", 1)  # the address itself is not locked out


class RecordingPeer:
    """A peer that records why it was refused."""

    rejection: RefusalReason | None = None

    def refuse_connection(self, reason: RefusalReason) -> None:
        self.rejection = reason


@pytest.fixture
def create_connections() -> Callable[..., ConnectionLimiter]:
    return lambda trusted="": ConnectionLimiter(4, 2, TrustedProxies(parse_networks(trusted)))


@pytest.mark.parametrize(
    ("hosts", "is_one_address"),
    [
        (["2001:db8::1", "2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff"], True),
        (["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1"], False),
        (["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"], True),
        (["192.0.2.1", "192.0.2.2", "192.0.2.3"], False),
        (["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3"], False),
        (["fe80::1%eth0", "fe80::2%eth1", "fe80::3"], True),
        (["", "", ""], True),
    ],
    ids=str,
)
def test_addresses_are_grouped_by_network(
    create_connections: Callable[..., ConnectionLimiter], hosts: list[str], *, is_one_address: bool
) -> None:
    """IPv4 addresses count one by one, also when written as IPv6. An IPv6 /64 network and all peers without an address count as one."""
    open_connections, peers = create_connections(), [RecordingPeer() for _ in hosts]
    assert [open_connections.admit(peer, host) for peer, host in zip(peers, hosts, strict=True)] == [None] * 3
    assert (peers[0].rejection is RefusalReason.OF_ADDRESS) == is_one_address
    assert [peer.rejection for peer in peers[1:]] == [None, None]


def test_rejections_are_bounded(create_connections: Callable[..., ConnectionLimiter]) -> None:
    """With a limit of four, twelve rejected peers may read their error at once. Further ones are reset, and closed ones make room."""
    open_connections, peers = create_connections(), [RecordingPeer() for _ in range(20)]
    for peer in peers:
        assert open_connections.admit(peer, "192.0.2.1") is None
    assert [peer.rejection for peer in peers] == [RefusalReason.OF_ADDRESS] * 12 + [RefusalReason.FLOOD] * 6 + [None] * 2
    assert len(open_connections) == 2
    other = RecordingPeer()
    assert open_connections.admit(other, "192.0.2.2") is None
    for peer in (*peers, other):
        open_connections.forget(peer)
    assert len(open_connections) == 0
    again = [RecordingPeer() for _ in range(3)]
    assert [open_connections.admit(peer, "192.0.2.1") for peer in again] == [None] * 3
    assert [peer.rejection for peer in again] == [RefusalReason.OF_ADDRESS, None, None]


def test_limit_of_one_address_defaults_to_half() -> None:
    assert Settings(max_connections=1000).connections_per_address == 500
    assert Settings(max_connections=1).connections_per_address == 1
    assert Settings(max_connections=1000, max_connections_per_address=10).connections_per_address == 10

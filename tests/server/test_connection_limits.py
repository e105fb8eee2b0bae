"""Limits on connections: one address cannot take them all, and silent connections make room for those that speak."""

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
from tests.commands import Serving, serving
from tests.conftest import runtime_url
from tests.sockets import Connection, connection, request
from tests.waiting import until

LIMIT = 40
HALF = LIMIT // 2
PROXY = "127.0.0.9"
UNAVAILABLE = (503, "UNAVAILABLE")
# No deadline passes during a test.
LONG = {"RELATIES_HEADER_TIMEOUT": "600", "RELATIES_KEEPALIVE_TIMEOUT": "600"}
Opened: TypeAlias = list[Connection]


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    settings = {"RELATIES_MAX_CONNECTIONS": str(LIMIT), "RELATIES_TRUSTED_PROXIES": PROXY, **LONG}
    with serving(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path_factory.mktemp("data")), **settings) as started:
        yield started


@pytest.fixture
async def stack(server: Serving) -> AsyncIterator[AsyncExitStack]:
    """Hold connections until the test ends and the server has closed them, too."""
    async with AsyncExitStack() as held:
        yield held
    await all_closed(server)


async def all_closed(server: Serving) -> None:
    process = psutil.Process(server.process.pid)

    async def has_none() -> bool:
        open_connections = await asyncio.to_thread(process.net_connections, "tcp")
        return not [each for each in open_connections if each.laddr.port == server.port and each.status != psutil.CONN_LISTEN]

    await until(has_none)


async def silent(stack: AsyncExitStack, server: Serving, source: str, count: int) -> Opened:
    """Open connections that send nothing, in order."""
    return [await stack.enter_async_context(connection(server.port, source)) for _ in range(count)]


async def active(stack: AsyncExitStack, server: Serving, source: str, count: int) -> Opened:
    """Open connections that have been answered once."""
    opened = await silent(stack, server, source, count)
    for each in opened:
        await is_answered(each)
    return opened


async def is_answered(opened: Connection) -> bool:
    return (await opened.ask(request())).status == 200


async def test_one_address_holds_half_of_the_connections(server: Serving, stack: AsyncExitStack) -> None:
    """One more is refused while all are in use; another address is answered."""
    held = await active(stack, server, "127.0.0.2", HALF)
    refused, *_ = await silent(stack, server, "127.0.0.2", 1)
    answer = await refused.answer()
    assert answer.code == UNAVAILABLE
    assert b"from your address" in answer.body
    assert answer.headers["retry-after"] == "1"
    assert await refused.rest() == b""
    (other,) = await active(stack, server, "127.0.0.3", 1)
    assert await is_answered(other)
    assert [await is_answered(each) for each in held] == [True] * HALF


async def test_silent_connection_of_an_address_makes_room_for_its_next(server: Serving, stack: AsyncExitStack) -> None:
    """The oldest first, and never one that has been used."""
    held = await active(stack, server, "127.0.0.2", 1)
    others = await silent(stack, server, "127.0.0.3", 1)
    quiet = await silent(stack, server, "127.0.0.2", HALF - 1)
    newest = await active(stack, server, "127.0.0.2", 2)
    assert [await each.is_refused_with(*UNAVAILABLE) for each in quiet[:2]] == [True, True]
    assert [await is_answered(each) for each in (*held, *others, *quiet[2:], *newest)] == [True] * (HALF + 1)


async def test_oldest_silent_connection_makes_room_when_all_are_taken(server: Serving, stack: AsyncExitStack) -> None:
    """Of any address. When no silent one is left, the next is refused."""
    quiet = [await silent(stack, server, source, HALF) for source in ("127.0.0.2", "127.0.0.3")]
    newest = await active(stack, server, "127.0.0.4", 1)
    assert await quiet[0][0].is_refused_with(*UNAVAILABLE)
    kept = [*quiet[0][1:], *quiet[1], *newest]
    assert [await is_answered(each) for each in kept] == [True] * LIMIT
    (refused,) = await silent(stack, server, "127.0.0.5", 1)
    answer = await refused.answer()
    assert answer.code == UNAVAILABLE
    assert b"from your address" not in answer.body
    assert [await is_answered(each) for each in kept] == [True] * LIMIT


async def test_trusted_proxy_is_exempt_from_the_limit_of_one_address(server: Serving, stack: AsyncExitStack) -> None:
    held = await active(stack, server, PROXY, HALF + 5)
    assert [await is_answered(each) for each in held] == [True] * (HALF + 5)


async def test_connections_of_a_burst_keep_their_requests(server: Serving, stack: AsyncExitStack) -> None:
    """Connections that come with a request, more at once than one address may hold: the first are answered, the last refused."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        opened = await silent(stack, server, "127.0.0.2", HALF + 5)
        for each in opened:
            await each.send(request())
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert [(await each.answer()).status for each in opened] == [200] * HALF + [503] * 5


async def test_closed_connections_leave_room(server: Serving) -> None:
    """As many connections again as one address may hold, twice."""
    for _ in range(2):
        async with AsyncExitStack() as held:
            assert await active(held, server, "127.0.0.2", HALF)
        await all_closed(server)


async def test_thousand_silent_sockets_of_one_address_keep_nobody_out(owner_url: str, tmp_path: Path, stack: AsyncExitStack) -> None:
    """With the limits as they are by default."""
    raise_open_file_limit()
    with serving(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path), **LONG) as server, ExitStack() as held:
        for _ in range(1100):
            held.enter_context(socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.2", 0)))
        good = await active(stack, server, "127.0.0.3", 300)
        assert [await is_answered(each) for each in good] == [True] * 300
        assert await active(stack, server, "127.0.0.2", 1)  # and the address itself may still ask


class Plain:
    """A peer that records how it was refused."""

    refused: RefusalReason | None = None

    def refuse_connection(self, reason: RefusalReason) -> None:
        self.refused = reason


@pytest.fixture
def limited() -> Callable[..., ConnectionLimiter]:
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
def test_what_counts_as_one_address(limited: Callable[..., ConnectionLimiter], hosts: list[str], *, is_one_address: bool) -> None:
    """IPv4 addresses count alone, also where they are written as IPv6; an IPv6 /64 counts as one; so do peers without an address."""
    open_connections, peers = limited(), [Plain() for _ in hosts]
    assert [open_connections.admit(peer, host) for peer, host in zip(peers, hosts, strict=True)] == [None] * 3
    assert (peers[0].refused is RefusalReason.OF_ADDRESS) == is_one_address
    assert [peer.refused for peer in peers[1:]] == [None, None]


def test_refusals_are_bounded(limited: Callable[..., ConnectionLimiter]) -> None:
    """Twelve may be read at once for a limit of four; more are reset, and each that is closed gives its place back."""
    open_connections, peers = limited(), [Plain() for _ in range(20)]
    for peer in peers:
        assert open_connections.admit(peer, "192.0.2.1") is None
    assert [peer.refused for peer in peers] == [RefusalReason.OF_ADDRESS] * 12 + [RefusalReason.FLOOD] * 6 + [None] * 2
    assert len(open_connections) == 2
    other = Plain()
    assert open_connections.admit(other, "192.0.2.2") is None
    for peer in (*peers, other):
        open_connections.forget(peer)
    assert len(open_connections) == 0
    again = [Plain() for _ in range(3)]
    assert [open_connections.admit(peer, "192.0.2.1") for peer in again] == [None] * 3
    assert [peer.refused for peer in again] == [RefusalReason.OF_ADDRESS, None, None]


def test_connections_of_one_address_are_half_unless_given() -> None:
    assert Settings(max_connections=1000).connections_per_address == 500
    assert Settings(max_connections=1).connections_per_address == 1
    assert Settings(max_connections=1000, max_connections_per_address=10).connections_per_address == 10

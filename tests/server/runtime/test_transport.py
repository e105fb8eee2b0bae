"""Test the transport that lets a client read the last response."""

import asyncio
import socket

import pytest

from server.runtime.deadlines import ConnectionDeadlines, Deadline, Phase
from server.runtime.transport import LingeringTransport
from server.settings import Settings


async def test_clock_of_a_connection_stops_while_reading_is_paused() -> None:
    """Time during which the server does not read must not count against the client."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with theirs:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        start = loop.time()
        deadlines = ConnectionDeadlines(Settings(header_timeout=10), start)
        lingering = LingeringTransport(transport, transport.close, deadlines, loop)
        assert deadlines.deadline(start + 7) == Deadline(start + 10, Phase.HEAD)
        lingering.pause_reading()
        assert not transport.is_reading()
        stopped, later = deadlines.deadline(start + 100), deadlines.deadline(start + 200)
        assert stopped
        assert later
        assert start + 100 < stopped.at <= start + 110
        assert later.at - stopped.at == pytest.approx(100)
        lingering.resume_reading()
        assert transport.is_reading()
        assert (resumed := deadlines.deadline(start + 200))
        assert start + 10 < resumed.at < loop.time() + 10
        transport.abort()

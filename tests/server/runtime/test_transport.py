"""The transport of a connection that is about to be closed."""

import asyncio
import socket

from server.runtime.transport import LingeringTransport


async def test_clock_of_a_connection_stops_while_reading_is_paused() -> None:
    """Time during which the server does not read must not count against the client."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with theirs:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        lingering = LingeringTransport(transport, transport.close, loop)
        assert lingering.clock() < lingering.clock()
        lingering.pause_reading()
        assert lingering.clock() == lingering.clock()
        clock_before = lingering.clock()
        lingering.resume_reading()
        assert clock_before < lingering.clock() < loop.time()
        transport.abort()

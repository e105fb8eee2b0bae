"""How a connection is left."""

import asyncio
import socket

from server.runtime.transport import LingeringTransport


async def test_clock_of_a_connection_stops_while_reading_is_paused() -> None:
    """A client is not late with what we do not take."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with theirs:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        door = LingeringTransport(transport, transport.close, loop)
        assert door.clock() < door.clock()
        door.pause_reading()
        assert door.clock() == door.clock()
        clock_before = door.clock()
        door.resume_reading()
        assert clock_before < door.clock() < loop.time()
        transport.abort()

"""How a connection is left."""

import asyncio
import socket

from server.runtime.transport import LingeringTransport


async def test_the_clock_of_a_connection_stands_while_it_is_not_read() -> None:
    """A client is not late with what we do not take."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with theirs:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        door = LingeringTransport(transport, transport.close, loop)
        assert door.clock() < door.clock()
        door.pause_reading()
        assert door.clock() == door.clock()
        stood = door.clock()
        door.resume_reading()
        assert stood < door.clock() < loop.time()
        transport.abort()

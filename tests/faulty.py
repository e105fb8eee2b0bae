"""A way to the database that can be broken: bytes held up or lost for ever, connections reset or refused, each message later."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

AT_ONCE = struct.pack("ii", 1, 0)  # of SO_LINGER: closing sends a RST


class Link:
    """One connection and its way on; mute for ever once something of it was lost."""

    def __init__(self, way: "Way", ends: list[asyncio.StreamWriter]) -> None:
        self._way = way
        self.ends = ends
        self.is_mute = way.is_hole

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(self._way.delay_s)
                await self._way.is_whole.wait()
                if not self.is_mute:
                    writer.write(data)
                    await writer.drain()
        if not self.is_mute:
            writer.close()

    def reset(self) -> None:
        for end in self.ends:
            with suppress(OSError):  # closed already
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end.transport.abort()


class Way:
    """Listens on a port of its own and carries everything on, as long as nothing is made otherwise."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self.delay_s = 0.0
        self.is_hole = False
        self.is_whole = asyncio.Event()
        self.is_whole.set()

    @property
    def url(self) -> str:
        user = self._url.netloc.rpartition("@")[0]
        return urlunsplit(self._url._replace(netloc=f"{user}@127.0.0.1:{self._port}"))

    async def listen(self) -> None:
        """On the same port each time."""
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._url.hostname, self._url.port)
        link = Link(self, [writer, back])
        self._links.add(link)
        try:
            await asyncio.gather(link.carry(reader, back), link.carry(there, writer))
        finally:
            self._links.discard(link)
            for end in link.ends:
                end.close()

    def swallow(self) -> None:
        """A black hole: nothing of what is sent arrives, now or later."""
        self.is_hole = True
        for link in self._links:
            link.is_mute = True

    def part(self) -> None:
        """A partition: what is sent arrives when it is over."""
        self.is_whole.clear()

    def reset(self) -> None:
        """Each connection is gone at once."""
        for link in list(self._links):
            link.reset()

    async def refuse(self) -> None:
        """And so is each, and no new one is taken."""
        if self._server:
            self._server.close()
        self.reset()

    async def heal(self) -> None:
        self.is_hole, self.delay_s = False, 0.0
        self.is_whole.set()
        if self._server and not self._server.is_serving():
            await self.listen()

    async def close(self) -> None:
        await self.heal()
        await self.refuse()


@asynccontextmanager
async def way_to(url: str) -> AsyncIterator[Way]:
    """A whole one."""
    way = Way(url)
    await way.listen()
    try:
        yield way
    finally:
        await way.close()

"""A proxy to the database that can delay, hold or drop data, and reset or refuse connections."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # value of SO_LINGER: closing the socket sends a RST


class ProxiedConnection:
    """A client's connection and its connection to the database. Once data was dropped it stays silent."""

    def __init__(self, proxy: "FaultyProxy", writers: list[asyncio.StreamWriter]) -> None:
        self._proxy = proxy
        self.writers = writers
        self.is_silent = proxy.drops_data

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(self._proxy.delay_s)
                await self._proxy.is_forwarding.wait()
                if not self.is_silent:
                    writer.write(data)
                    await writer.drain()
        if not self.is_silent:
            writer.close()

    def reset(self) -> None:
        for end in self.writers:
            with suppress(OSError):  # already closed
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            end.transport.abort()


class FaultyProxy:
    """Forward everything between clients and the database until a fault is set."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._connections: set[ProxiedConnection] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self.delay_s = 0.0
        self.drops_data = False
        self.is_forwarding = asyncio.Event()
        self.is_forwarding.set()

    @property
    def url(self) -> str:
        user = self._url.netloc.rpartition("@")[0]
        return urlunsplit(self._url._replace(netloc=f"{user}@127.0.0.1:{self._port}"))

    async def listen(self) -> None:
        """Listen on a free port, and on the same port again after `refuse`."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._url.hostname, self._url.port)
        link = ProxiedConnection(self, [writer, back])
        self._connections.add(link)
        try:
            await asyncio.gather(link.forward(reader, back), link.forward(there, writer))
        finally:
            self._connections.discard(link)
            for end in link.writers:
                end.close()

    def drop_data(self) -> None:
        """Drop all data of the open connections, now and later."""
        self.drops_data = True
        for link in self._connections:
            link.is_silent = True

    def partition(self) -> None:
        """Hold all data until `heal`."""
        self.is_forwarding.clear()

    def reset(self) -> None:
        """Reset every open connection."""
        for link in list(self._connections):
            link.reset()

    async def refuse(self) -> None:
        """Reset every open connection, and refuse new ones."""
        if self._server:
            self._server.close()
        self.reset()

    async def heal(self) -> None:
        self.drops_data, self.delay_s = False, 0.0
        self.is_forwarding.set()
        if self._server and not self._server.is_serving():
            await self.listen()

    async def close(self) -> None:
        await self.heal()
        await self.refuse()


@asynccontextmanager
async def run_proxy(url: str) -> AsyncIterator[FaultyProxy]:
    """Run a proxy without faults until the block ends."""
    proxy = FaultyProxy(url)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()

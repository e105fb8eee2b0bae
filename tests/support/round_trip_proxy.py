"""A proxy to the database with a hook before each round trip.

It forwards both directions byte for byte. Messages of the client are held until one of them requests a response: Query, Sync or
Flush. The hook is awaited before such a group is forwarded, so its effect always lies between two round trips.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

START = (3 << 16).to_bytes(4, "big")  # protocol 3.0; other first messages, such as the request for TLS, precede it
BUFFERED_MESSAGES, GROUP_ENDS = b"PBDEC", b"QSH"  # Parse, Bind, Describe, Execute, Close; Query, Sync, Flush


async def _do_nothing() -> None:
    pass


class RoundTripProxy:
    """Forward connections to the database from a free port."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._lock = asyncio.Lock()  # the hook runs for one connection at a time
        self._port = 0
        self.before_round_trip: Callable[[], Awaitable[None]] = _do_nothing

    @property
    def url(self) -> str:
        user = self._url.netloc.rpartition("@")[0]
        return urlunsplit(self._url._replace(netloc=f"{user}@127.0.0.1:{self._port}"))

    @asynccontextmanager
    async def listen(self) -> AsyncIterator["RoundTripProxy"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, database = await asyncio.open_connection(self._url.hostname, self._url.port)
        async with asyncio.TaskGroup() as group:
            group.create_task(_forward(answers, writer))
            group.create_task(self._forward_groups(reader, database))

    async def _forward_groups(self, reader: asyncio.StreamReader, database: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while not (first := await _read_message(reader)).startswith(START, 4):
                database.write(first)
            database.write(first)
            buffered = b""
            while kind := await reader.readexactly(1):
                buffered += kind + await _read_message(reader)
                if kind in GROUP_ENDS:
                    async with self._lock:
                        await self.before_round_trip()
                if kind not in BUFFERED_MESSAGES:
                    database.write(buffered)
                    buffered = b""
        database.close()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """Read the length, which includes itself, and the message of that length."""
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length, "big") - 4)


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()

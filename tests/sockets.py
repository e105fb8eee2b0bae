"""HTTP byte by byte, for what no good client would send."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

BOUND_S = 30  # nothing that is waited for takes longer
REFUSED = {"content-type": "application/json; charset=utf-8", "connection": "close"}
TROUBLE = re.compile(r"Traceback|incident|WARNING|ERROR|\"level\": ?\"(warning|error)")  # in what a server printed


def request(method: str = "GET", path: str = "/livez", *lines: str, body: bytes = b"") -> bytes:
    """A request; its length is told where it has a body."""
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *lines, *length, "\r\n")).encode() + body


def asking(token: str, query: str = "{ viewer { permissions } }", *lines: str) -> bytes:
    """A query as a request."""
    return request(
        "POST",
        "/graphql",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        *lines,
        body=json.dumps({"query": query}).encode(),
    )


def head(sent: bytes) -> bytes:
    """A request without its body, which its length promises."""
    return sent[: sent.index(b"\r\n\r\n") + 4]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> tuple[int, str]:
        """The status and the code of the only error."""
        said = json.loads(self.body)
        (error,) = said["errors"]
        assert set(said) == {"errors"}
        assert error["message"]
        found: str = error["extensions"]["code"]
        return self.status, found


@dataclass
class Connection:
    """A connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        """The next answer; ours all tell their length."""
        async with asyncio.timeout(BOUND_S):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()[:-1]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            return Answer(int(first.split()[1]), headers, await self.reader.readexactly(int(headers["content-length"])))

    async def ask(self, data: bytes) -> Answer:
        await self.send(data)
        return await self.answer()

    async def rest(self) -> bytes:
        """All that still comes until the server closes."""
        async with asyncio.timeout(BOUND_S):
            return await self.reader.read()

    async def is_refused_with(self, status: int, code: str) -> bool:
        """An answer as every refusal is, and the end."""
        answer = await self.answer()
        assert answer.headers.items() >= REFUSED.items()
        assert await self.rest() == b""
        return answer.code == (status, code)


@asynccontextmanager
async def connection(port: int, source: str = "127.0.0.1") -> AsyncIterator[Connection]:
    """Connect to the server from a loopback address."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

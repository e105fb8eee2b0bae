"""Send HTTP requests byte by byte, including those that no correct client sends."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

TIMEOUT_S = 30  # for anything that a test awaits
ERROR_HEADERS = {"content-type": "application/json; charset=utf-8", "connection": "close"}
ERROR_PATTERN = re.compile(r"Traceback|incident|WARNING|ERROR|\"level\": ?\"(warning|error)")  # for the output of a server


def build_request(method: str = "GET", path: str = "/livez", *lines: str, body: bytes = b"") -> bytes:
    """Build a request, with a `Content-Length` if it has a body."""
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *lines, *length, "\r\n")).encode() + body


def build_query_request(token: str, query: str = "{ viewer { permissions } }", *lines: str) -> bytes:
    """Build a request that sends the query."""
    return build_request(
        "POST",
        "/graphql",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        *lines,
        body=json.dumps({"query": query}).encode(),
    )


def build_head(request_bytes: bytes) -> bytes:
    """Return the head of a request, whose `Content-Length` announces a body."""
    return request_bytes[: request_bytes.index(b"\r\n\r\n") + 4]


def build_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class RawResponse:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> tuple[int, str]:
        """The status and the code of the only error."""
        body = json.loads(self.body)
        (error,) = body["errors"]
        assert set(body) == {"errors"}
        assert error["message"]
        error_code: str = error["extensions"]["code"]
        return self.status, error_code


@dataclass
class RawConnection:
    """A raw TCP connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_response(self) -> RawResponse:
        """Return the next response. All responses of the server declare their length."""
        async with asyncio.timeout(TIMEOUT_S):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()[:-1]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            return RawResponse(int(first.split()[1]), headers, await self.reader.readexactly(int(headers["content-length"])))

    async def send_and_read(self, data: bytes) -> RawResponse:
        await self.send(data)
        return await self.read_response()

    async def read_rest(self) -> bytes:
        """Return all bytes until the server closes the connection."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self.reader.read()

    async def ends_with_error(self, status: int, code: str) -> bool:
        """Read the response and return whether it is the expected error. Fail if the server does not close the connection afterwards."""
        answer = await self.read_response()
        assert answer.headers.items() >= ERROR_HEADERS.items()
        assert await self.read_rest() == b""
        return answer.code == (status, code)


@asynccontextmanager
async def open_connection(port: int, source: str = "127.0.0.1") -> AsyncIterator[RawConnection]:
    """Connect to the server from a loopback address."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

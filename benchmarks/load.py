"""Load: keep-alive connections that each ask again as soon as they are answered. To loopback, and for a bounded time."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

CONNECTIONS = 16


@dataclass(frozen=True)
class Loaded:
    """What came of it: answers per second, and how long each took."""

    per_second: float
    taken_ms: list[float]


@dataclass(frozen=True)
class Target:
    """A server that answers GraphQL on a loopback port. One that knows only the queries of the comparison has a path for each."""

    name: str
    port: int
    token: str | None = None
    path: str = "/graphql"

    def asking(self, query: str) -> "Target":
        """Where it answers that query: all but the bound have one address for everything."""
        return replace(self, path=self.path.format(query=query))

    def request(self, body: Mapping[str, object] | str) -> bytes:
        """Return the whole request; a text is sent as it is."""
        said = (body if isinstance(body, str) else json.dumps(body)).encode()
        signed = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{signed}Content-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
        )
        return head.encode() + said

    async def answer(self, body: Mapping[str, object]) -> object:
        """One answer, whole."""
        (found,) = await self.answers([json.dumps(body)])
        return found

    async def answers(self, bodies: Iterable[str]) -> list[Any]:
        """Send the bodies one after the other on one connection, and return what they are answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            return [json.loads(await exchanged(reader, writer, self.request(body))) for body in bodies]
        finally:
            writer.close()


async def load(target: Target, body: Mapping[str, object], seconds: float) -> Loaded:
    request = target.request(body)
    began = time.perf_counter()
    runs = await asyncio.gather(*(_asked_on(target.port, request, began + seconds) for _ in range(CONNECTIONS)))
    taken = [each for run in runs for each in run]
    return Loaded(len(taken) / (time.perf_counter() - began), taken)


async def _asked_on(port: int, request: bytes, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    taken = []
    try:
        while (start := time.perf_counter()) < until:
            await exchanged(reader, writer, request)
            taken.append((time.perf_counter() - start) * 1000)
    finally:
        writer.close()
    return taken


async def exchanged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """The body. An answer that is not a good one ends the measurement."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"http/1.1 200") or b'"errors":' in body:
        raise RuntimeError(body[:500])
    return body

"""Load: keep-alive connections that each ask again as soon as they are answered. To loopback, and for a bounded time."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

CONNECTIONS = 16


@dataclass(frozen=True)
class LoadResult:
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

    def for_query(self, query: str) -> "Target":
        """Return the target of that query: all but the baseline have one address for everything."""
        return replace(self, path=self.path.format(query=query))

    def build_request(self, body: Mapping[str, object] | str) -> bytes:
        """Return the whole request; a text is sent as it is."""
        encoded_body = (body if isinstance(body, str) else json.dumps(body)).encode()
        authorization = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}Content-Type: application/json\r\n"
        head += f"Content-Length: {len(encoded_body)}\r\n\r\n"
        return head.encode() + encoded_body

    async def ask(self, body: Mapping[str, object]) -> object:
        """Send one body and return its answer."""
        (answer_body,) = await self.ask_all([json.dumps(body)])
        return answer_body

    async def ask_all(self, bodies: Iterable[str]) -> list[Any]:
        """Send the bodies one after the other on one connection, and return what they are answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            return [json.loads(await exchange(reader, writer, self.build_request(body))) for body in bodies]
        finally:
            writer.close()


async def run_load(target: Target, body: Mapping[str, object], seconds: float) -> LoadResult:
    request = target.build_request(body)
    began = time.perf_counter()
    runs = await asyncio.gather(*(_ask_on_connection(target.port, request, began + seconds) for _ in range(CONNECTIONS)))
    durations = [each for run in runs for each in run]
    return LoadResult(len(durations) / (time.perf_counter() - began), durations)


async def _ask_on_connection(port: int, request: bytes, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    durations = []
    try:
        while (start := time.perf_counter()) < until:
            await exchange(reader, writer, request)
            durations.append((time.perf_counter() - start) * 1000)
    finally:
        writer.close()
    return durations


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Return the body of the answer. A failed answer ends the measurement."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"http/1.1 200") or b'"errors":' in body:
        raise RuntimeError(body[:500])
    return body

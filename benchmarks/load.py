"""Generate load in process: keep-alive connections to loopback that send their next request as soon as the last one is answered."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

CONNECTIONS = 16


@dataclass(frozen=True)
class LoadResult:
    """Answers per second, and the duration of each answer."""

    per_second: float
    taken_ms: list[float]


@dataclass(frozen=True)
class Target:
    """A GraphQL server on a loopback port. The baseline, which knows only the queries of the comparison, has a path for each query."""

    name: str
    port: int
    token: str | None = None
    path: str = "/graphql"

    def for_query(self, query: str) -> "Target":
        """Return the target for this query. Only the baseline has different paths."""
        return replace(self, path=self.path.format(query=query))

    def build_request(self, body: Mapping[str, object] | str) -> bytes:
        """Return the bytes of the request. A text body is sent unchanged."""
        encoded_body = (body if isinstance(body, str) else json.dumps(body)).encode()
        authorization = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}Content-Type: application/json\r\n"
        head += f"Content-Length: {len(encoded_body)}\r\n\r\n"
        return head.encode() + encoded_body

    async def post(self, body: Mapping[str, object]) -> object:
        """Send one body and return the answer."""
        (answer_body,) = await self.post_all([json.dumps(body)])
        return answer_body

    async def post_all(self, bodies: Iterable[str]) -> list[Any]:
        """Send the bodies one after the other on one connection, and return the answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            return [json.loads(await exchange(reader, writer, self.build_request(body))) for body in bodies]
        finally:
            writer.close()


async def run_load(target: Target, body: Mapping[str, object], seconds: float) -> LoadResult:
    request = target.build_request(body)
    began = time.perf_counter()
    runs = await asyncio.gather(*(_post_on_connection(target.port, request, began + seconds) for _ in range(CONNECTIONS)))
    durations = [each for run in runs for each in run]
    return LoadResult(len(durations) / (time.perf_counter() - began), durations)


async def _post_on_connection(port: int, request: bytes, until: float) -> list[float]:
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
    """Send a request and return the body of the answer. Raises `RuntimeError` for a failed answer."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"http/1.1 200") or b'"errors":' in body:
        raise RuntimeError(body[:500])
    return body

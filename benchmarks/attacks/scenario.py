"""Describe attacks, and send requests as fast as possible over loopback until a deadline."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import cycle
from typing import Any

from benchmarks.load import Target

CONNECTIONS = 16
SOURCE = "127.0.0.2"  # address of the attackers, different from that of the victim
PAUSE_S = 0.01  # before reopening a closed connection
CODE = re.compile(rb'"code":\s*"(\w+)"')
FAULT = b"INTERNAL_SERVER_ERROR"
Body = Mapping[str, Any]


class Victim(Enum):
    """The caller whose answers are measured during an attack."""

    OTHER = "another organization"
    NEIGHBOUR = "another organization at the attackers' address, with tokens not seen before"
    NEWCOMER = "another organization, on a new connection each time"
    COLLEAGUE = "the OWNER of the attackers' organization"


@dataclass
class Scene:
    """The port of the server, the attackers' tokens by role, ids of their organization, and the end of the attack."""

    port: int
    tokens: Mapping[str, str]
    ids: Mapping[str, str]
    deadline: float
    answer_counts: Counter[str] = field(default_factory=Counter)

    @property
    def has_ended(self) -> bool:
        return time.perf_counter() >= self.deadline

    @property
    def remaining_seconds(self) -> float:
        return max(self.deadline - time.perf_counter(), 0)


Run = Callable[[Scene], Awaitable[object]]


@dataclass(frozen=True)
class Attack:
    """The action of the attackers, the victim, and the allowed growth of the worker if the attack aims at memory."""

    name: str
    execute: Run
    victim: Victim = Victim.OTHER
    max_growth_mib: float | None = None
    prepare: Run | None = None


def post_repeatedly(make: Callable[[], Body], *, connections: int = CONNECTIONS, role: str | None = None, pause_s: float = 0) -> Run:
    """Return an attack by connections that each send the next body as soon as they get an answer.

    They use the token of one role, or all tokens, distributed over the connections.
    """

    async def run(scene: Scene) -> None:
        tokens = [scene.tokens[role]] if role else [*scene.tokens.values()]
        senders = (RequestEncoder(scene.port, token, make) for token, _ in zip(cycle(tokens), range(connections), strict=False))
        await asyncio.gather(*(send_until_deadline(scene, sender.request, pause_s=pause_s) for sender in senders))

    return run


@dataclass
class RequestEncoder:
    """Encode the requests of one connection. A repeated body is encoded only once, since encoding large bodies slows the attackers down."""

    port: int
    token: str
    make: Callable[[], Body]
    _body: Body | None = None
    _encoded: bytes = b""

    def request(self) -> bytes:
        body = self.make()
        if body is not self._body:
            self._body, self._encoded = body, encode_request(self.port, self.token, body)
        return self._encoded


def encode_request(port: int, token: str, body: Body) -> bytes:
    """Encode the request as compact JSON, so that as much content as possible fits into the largest allowed body."""
    encoded_body = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    head = Target("", port, token).build_request({}).partition(b"Content-Length")[0]
    return head + b"Content-Length: %d\r\n\r\n" % len(encoded_body) + encoded_body


async def send_until_deadline(scene: Scene, make: Callable[[], bytes], *, source: str = SOURCE, pause_s: float = 0) -> None:
    """Send requests one after the other on one connection, and reopen it when it is closed."""
    while not scene.has_ended:
        try:
            async with asyncio.timeout(scene.remaining_seconds + 1):
                reader, writer = await open_connection(scene.port, source)
                try:
                    while not scene.has_ended:
                        writer.write(make())
                        scene.answer_counts[await read_answer(reader)] += 1
                        await asyncio.sleep(pause_s)
                finally:
                    writer.close()
        except TimeoutError:
            scene.answer_counts["no answer"] += 1
        except (OSError, asyncio.IncompleteReadError) as error:
            scene.answer_counts[type(error).__name__] += 1
            await asyncio.sleep(PAUSE_S)


async def open_connection(port: int, source: str = SOURCE) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, limit=2**22, local_addr=(source, 0))


async def read_answer(reader: asyncio.StreamReader) -> str:
    """Return the status and the error code of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    match = CODE.search(body[:2_000])
    code = FAULT.decode() if FAULT in body[:100_000] else match[1].decode() if match else "answered"
    return f"{head.split()[1].decode()} {code}"

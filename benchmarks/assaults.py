"""The attackers: a process that asks what it should not, as fast as it can, for a bounded time."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from itertools import count, cycle
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from graphql import get_introspection_query

from benchmarks import hostile
from benchmarks.load import Target
from domain.tokens import new_secret

CONNECTIONS, CROWD, SLOW = 16, 2000, 500
SERIAL = count()
AT_ONCE = "2,000 requests at once"  # and once more a second later
Body = dict[str, Any]
DEAR = "{ clients(first: 100) { nodes { name contacts(first: 90) { nodes { fullName email } } } } }"
BULK = "mutation ($x: ClientBulkUpsertInput!) { clientBulkUpsert(input: $x) { results { action } userErrors { code } } }"


def document(made: Callable[[], str]) -> Callable[[], Body]:
    """Under a name that nobody sent before, so that it is read each time."""
    return lambda: {"query": f"query A{next(SERIAL)} {made()}"}


def persisted() -> Body:
    text = hostile.unique()
    return {"query": text, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}}


def bulk() -> Body:
    clients = [{"name": f"Client {random.random()}", "number": f"N{next(SERIAL)}-{random.random()}"} for _ in range(100)]
    return {"query": BULK, "variables": {"x": {"clients": clients}}}


VALUES: Body = {"query": "{ __typename }", "variables": {"x": [{"a": {}}] * 90_000}}
TEXT: Body = {"query": "{ __typename }", "variables": {"x": "é" * 150_000}}
ASSAULTS: dict[str, Callable[[], Body]] = {
    "fragment lattice of 120 levels": document(hostile.lattice),
    "5,000 aliases": document(hostile.aliases),
    "10,000 conflicting fields": document(hostile.conflicts),
    "195 conflicting fields": document(hostile.conflicts_within),
    "99 entangled fields": document(hostile.entangled),
    "deep nesting": document(hostile.deep),
    "the dearest there may be": lambda: {"query": DEAR},
    AT_ONCE: lambda: {"query": DEAR.replace("100", "10").replace("90", "3")},
    "variables of 1 MB": lambda: VALUES,
    "a text of 1 MB": lambda: TEXT,
    "wrong tokens": lambda: {"query": "{ __typename }"},
    "slow clients": lambda: {"query": "{ __typename }"},
    "persisted, never the same": persisted,
    "introspection": lambda: {"query": get_introspection_query()},
    "bulk upserts of 100": bulk,
}


def assault(name: str, port: int, tokens: list[str], seconds: float, said: Connection) -> None:
    """Sends what it was told, by status, when the time is over."""
    said.send("begun")
    said.send(uvloop.run(_run(name, port, tokens, seconds)))


async def _run(name: str, port: int, tokens: list[str], seconds: float) -> Counter[str]:
    until = time.perf_counter() + seconds
    if name == "slow clients":
        return await _slow(port, seconds)
    connections = CROWD if name == AT_ONCE else CONNECTIONS
    runs = (_asked(name, Target(name, port, token), until) for _, token in zip(range(connections), cycle(tokens), strict=False))
    return sum(await asyncio.gather(*runs), Counter())


async def _asked(name: str, target: Target, until: float) -> Counter[str]:
    """As soon as it is answered it asks again; a connection that is closed is opened again."""
    said: Counter[str] = Counter()
    while time.perf_counter() < until:
        try:
            async with asyncio.timeout(max(until - time.perf_counter(), 0) + 1):
                await _on_one(name, target, until, said)
        except (OSError, asyncio.IncompleteReadError) as failed:
            said[type(failed).__name__] += 1
            await asyncio.sleep(0.01)
    return said


async def _on_one(name: str, target: Target, until: float, said: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**22)
    make, is_guess = ASSAULTS[name], name == "wrong tokens"
    request = target.request(make())
    try:
        while time.perf_counter() < until:
            writer.write(Target(name, target.port, new_secret()).request(make()) if is_guess else request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            code = json.loads(body).get("errors", [{"extensions": {"code": "answered"}}])[0]["extensions"]["code"]
            said[f"{head.split()[1].decode()} {code}"] += 1
            request = target.request(make())
            if name == AT_ONCE:
                await asyncio.sleep(1)
    finally:
        writer.close()


async def _slow(port: int, seconds: float) -> Counter[str]:
    """Half a request, then a byte now and then."""
    said: Counter[str] = Counter()

    async def one() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n")
        for _ in range(int(seconds * 2)):
            await asyncio.sleep(0.5)
            if writer.is_closing():
                said["closed"] += 1
                return
            writer.write(b"X")
        said["still open"] += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(SLOW)))
    return said

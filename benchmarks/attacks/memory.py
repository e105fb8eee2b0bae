"""Attacks on caches: entries as large and as many as a caller can choose."""

import asyncio
from itertools import count, cycle

from benchmarks.attacks.scene import CONNECTIONS, Attack, Body, Scene, ask_until_over, posting
from benchmarks.load import Target

SERIAL = count()
OPERATIONS, KEY_CHARACTERS = 20, 850_000
TYPENAME = {"query": "{ __typename }"}
MOST_MIB = 64  # of a worker, beside what its caches are allowed to take


def long_keys() -> Body:
    """Twenty documents, each with variables whose key nobody sent before."""
    number = next(SERIAL)
    query = f"query C{number % OPERATIONS} ($x: ClientFilterInput) {{ clients(filter: $x) {{ totalCount }} }}"
    return {"query": query, "variables": {"x": {f"{number:_>{KEY_CHARACTERS}}": []}}}


def many_variables() -> Body:
    """One document with variables that are never the same, of every kind that a cost may depend on."""
    number = next(SERIAL)
    query = "query ($n: Int, $b: Boolean!) { clients(first: $n) { nodes { id @include(if: $b) } } }"
    return {"query": query, "variables": {"n": number, "b": number % 2 == 0, f"unknown{number}": "x" * 10_000}}


async def long_headers(scene: Scene) -> None:
    """Headers that are never the same: what is kept by them would be kept for ever."""

    def make(token: str) -> bytes:
        number = next(SERIAL)
        sent = Target("", scene.port, token).request(TYPENAME)
        more = f"Accept: {number};{'a' * 7_000}, */*\r\nIdempotency-Key: {number:_>200}\r\nTraceparent: {number}\r\n"
        return sent.replace(b"Content-Type: application/json", f"{more}Content-Type: application/json; a={number:_>7000}".encode())

    tokens = [*scene.tokens.values()]
    makers = [lambda token=token: make(token) for token, _ in zip(cycle(tokens), range(CONNECTIONS), strict=False)]
    await asyncio.gather(*(ask_until_over(scene, each) for each in makers))


ATTACKS = (
    Attack("keys of 850 kB in variables", posting(long_keys, role="VIEWER"), max_growth_mib=MOST_MIB),
    Attack("variables never the same", posting(many_variables, role="VIEWER"), max_growth_mib=MOST_MIB),
    Attack("headers never the same", long_headers, max_growth_mib=MOST_MIB),
)

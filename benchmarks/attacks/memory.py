"""Attacks on caches: entries as large and as many as a caller can choose."""

import asyncio
from itertools import count, cycle

from benchmarks.attacks.scenario import CONNECTIONS, Attack, Body, Scene, post_repeatedly, send_until_deadline
from benchmarks.load import Target

SERIAL = count()
OPERATIONS, KEY_CHARACTERS = 20, 850_000
TYPENAME = {"query": "{ __typename }"}
MOST_MIB = 64  # of a worker, beside what its caches are allowed to take


def build_long_keys() -> Body:
    """Build twenty documents, each with variables whose key is new."""
    number = next(SERIAL)
    query = f"query C{number % OPERATIONS} ($x: ClientFilterInput) {{ clients(filter: $x) {{ totalCount }} }}"
    return {"query": query, "variables": {"x": {f"{number:_>{KEY_CHARACTERS}}": []}}}


def build_many_variables() -> Body:
    """Build one document with new variables each time, of every kind that a cost may depend on."""
    number = next(SERIAL)
    query = "query ($n: Int, $b: Boolean!) { clients(first: $n) { nodes { id @include(if: $b) } } }"
    return {"query": query, "variables": {"n": number, "b": number % 2 == 0, f"unknown{number}": "x" * 10_000}}


async def send_long_headers(scene: Scene) -> None:
    """Send new headers each time: a cache with headers in its keys would grow without bound."""

    def build(token: str) -> bytes:
        number = next(SERIAL)
        request = Target("", scene.port, token).build_request(TYPENAME)
        more = f"Accept: {number};{'a' * 7_000}, */*\r\nIdempotency-Key: {number:_>200}\r\nTraceparent: {number}\r\n"
        return request.replace(b"Content-Type: application/json", f"{more}Content-Type: application/json; a={number:_>7000}".encode())

    tokens = [*scene.tokens.values()]
    makers = [lambda token=token: build(token) for token, _ in zip(cycle(tokens), range(CONNECTIONS), strict=False)]
    await asyncio.gather(*(send_until_deadline(scene, each) for each in makers))


ATTACKS = (
    Attack("keys of 850 kB in variables", post_repeatedly(build_long_keys, role="VIEWER"), max_growth_mib=MOST_MIB),
    Attack("variables never the same", post_repeatedly(build_many_variables, role="VIEWER"), max_growth_mib=MOST_MIB),
    Attack("headers never the same", send_long_headers, max_growth_mib=MOST_MIB),
)

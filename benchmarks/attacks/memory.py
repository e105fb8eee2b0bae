"""Define attacks on caches, with as many and as large entries as a caller can create."""

import asyncio
from itertools import count, cycle

from benchmarks.attacks.scenario import CONNECTIONS, Attack, Body, Scene, post_repeatedly, send_until_deadline
from benchmarks.load import Target

SERIAL = count()
OPERATIONS, KEY_CHARACTERS = 20, 850_000
TYPENAME = {"query": "{ __typename }"}
MOST_MIB = 64  # allowed growth of a worker beyond the limits of its caches


def build_long_keys() -> Body:
    """Return one of 20 documents, with a new long key in its variables."""
    number = next(SERIAL)
    query = f"query C{number % OPERATIONS} ($x: ClientFilterInput) {{ clients(filter: $x) {{ totalCount }} }}"
    return {"query": query, "variables": {"x": {f"{number:_>{KEY_CHARACTERS}}": []}}}


def build_many_variables() -> Body:
    """Return the same document with new variables of each kind that can affect the cost."""
    number = next(SERIAL)
    query = "query ($n: Int, $b: Boolean!) { clients(first: $n) { nodes { id @include(if: $b) } } }"
    return {"query": query, "variables": {"n": number, "b": number % 2 == 0, f"unknown{number}": "x" * 10_000}}


async def send_long_headers(scene: Scene) -> None:
    """Send new long headers in each request. A cache whose keys contain headers would grow without limit."""

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
    Attack("variables always different", post_repeatedly(build_many_variables, role="VIEWER"), max_growth_mib=MOST_MIB),
    Attack("headers always different", send_long_headers, max_growth_mib=MOST_MIB),
)

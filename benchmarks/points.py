"""What a point is worth: the time of the server for each kind of operation, and what one token can ask in the long run.

    python -m benchmarks.points [--seconds 1] [--long 20] [--size large] [--only totalCount] [--keep FOLDER]

`worker` is the processor time of the server's process, `database` that of PostgreSQL's, both for one operation, the median of several
repetitions; `points` what it was billed. A point should be about 30 µs of both together: `ratio` is how many times that it took, and one
that is more than 3 or less than 1/3 is marked, unless the operation costs little more than any does. The operations are some usual ones,
and those that `benchmarks.priced` generates from the schema. The large organization has 10,000 clients and 50,000 registrations.
Then the nested query by one token: as fast as the worker can, and steadily with the buckets as they are by default.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import psutil
import uvloop
from graphql import get_introspection_query

from benchmarks.load import CONNECTIONS, Target, load
from benchmarks.machine import exact_processor_ms, say_load
from benchmarks.place import SIZES, demonstration
from benchmarks.priced import cases, ids_of
from benchmarks.queries import CLIENT, NAMES, ONE, PAGE
from benchmarks.servers import RAISED, ours_running
from schema.build import build
from server.documents.cost import BASE_COST

POINT_US, FACTOR, REPETITIONS, LEAST = 30, 3, 5, 2
SERIAL = count()
Body = dict[str, Any]
CREATE = "mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { client { id } userErrors { code } } }"
UPDATE = "mutation ($x: ClientUpdateInput!) { clientUpdate(input: $x) { client { id } userErrors { code } } }"
UPSERT = "mutation ($x: ClientBulkUpsertInput!) { clientBulkUpsert(input: $x) { results { action } userErrors { code } } }"


def body(query: str, **variables: object) -> Callable[[], Body]:
    return lambda: {"query": query, "variables": variables}


def word() -> str:
    return f"{time.time_ns()}-{next(SERIAL)}"


def kinds(client: str, version: int) -> dict[str, Callable[[], Body]]:
    """The operations, those that change something anew each time."""
    versions = count(version)
    same = [{"name": f"Same {place}", "number": f"SAME-{place}"} for place in range(100)]
    return {
        "nested, 100 clients": body(f"{PAGE} {CLIENT}", first=100),
        "nested, 25 clients": body(f"{PAGE} {CLIENT}", first=25),
        "one client": body(f"{ONE} {CLIENT}", id=client),
        "10 names": body(NAMES, first=10),
        "viewer": body("{ viewer { permissions } }"),
        "total count": body("{ clients { totalCount } }"),
        "search": body('{ clients(search: "van", first: 25) { nodes { name } } }'),
        "revenue of all": body("{ clients { revenue { invoiced { amount } } } }"),
        "introspection": body(get_introspection_query()),
        "clientCreate": lambda: {"query": CREATE, "variables": {"x": {"name": f"New {word()}"}}},
        "clientUpdate": lambda: {
            "query": UPDATE,
            "variables": {"x": {"id": client, "expectedVersion": next(versions), "notes": word()}},
        },
        "100 upserts, all new": lambda: {
            "query": UPSERT,
            "variables": {"x": {"clients": [{"name": "New", "number": word()} for _ in range(100)]}},
        },
        "100 upserts, unchanged": body(UPSERT, x={"clients": same}),
    }


@dataclass(frozen=True)
class Measured:
    """Points of an operation, and milliseconds of a processor that it took."""

    points: int
    worker: float
    database: float

    @property
    def ratio(self) -> float:
        return (self.worker + self.database) * 1000 / (self.points * POINT_US)

    @property
    def is_wrong(self) -> bool:
        """Whether it costs another amount than it takes. What costs little more than any operation does is reckoned as twice the least."""
        least = BASE_COST * 2
        return self.ratio * self.points / max(self.points, least) > FACTOR or (self.ratio < 1 / FACTOR and self.points > least)


@dataclass(frozen=True)
class Meter:
    """A server and its database, and how their processor time is read."""

    target: Target
    worker: psutil.Process
    database: Sequence[psutil.Process]
    seconds: float

    def _now(self) -> tuple[float, float]:
        """The worker's, and that of PostgreSQL's processes that serve it. The pool keeps its connections, so that none of those ends."""
        backends = [each for mother in self.database for each in (mother, *mother.children())]
        return exact_processor_ms(self.worker), sum(map(exact_processor_ms, backends))

    async def measure(self, make: Callable[[], Body]) -> Measured:
        points = _points(await self.target.answer({**make(), "extensions": {"cost": True}}))
        samples = [await self._sample(make) for _ in range(REPETITIONS)]
        return Measured(points, *(median(each) for each in zip(*samples, strict=True)))

    async def _sample(self, make: Callable[[], Body]) -> tuple[float, float]:
        """As many as take a part of the seconds of a processor, however much of the processors others have."""
        (worker, database), now, times = self._now(), (0.0, 0.0), 0
        while times < LEAST or sum(now) - worker - database < self.seconds * 1000 / REPETITIONS:
            _points(await self.target.answer(make()))
            times, now = times + 1, self._now()
        return (now[0] - worker) / times, (now[1] - database) / times


def database_ms(owner_url: str) -> float:
    """Of the processes that PostgreSQL has now; those that ended are not counted."""
    return sum(exact_processor_ms(each) for mother in postmasters(owner_url) for each in (mother, *mother.children()))


def postmasters(owner_url: str) -> list[psutil.Process]:
    """PostgreSQL's first process, whose children have the connections."""
    port = int(owner_url.rpartition(":")[2].partition("/")[0])
    return [each for each in psutil.process_iter(["name"]) if each.info["name"] == "postgres" and _listens(each, port)][:1]


def _listens(process: psutil.Process, port: int) -> bool:
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in process.net_connections("tcp"))


async def each(meter: Meter, owner_url: str, only: str) -> None:
    first: Any = await meter.target.answer({"query": "{ clients(filter: {status: ACTIVE}, first: 1) { nodes { id version } } }"})
    owner = await asyncpg.connect(owner_url)
    ids = await ids_of(owner)
    await owner.close()
    asked = kinds(*first["data"]["clients"]["nodes"][0].values())
    asked |= {f"{case.field} | {case.asked}": partial(case.body, ids) for case in cases(build()._schema)}  # noqa: SLF001
    width, wrong = max(map(len, asked)), 0
    print(f"\n{'':{width}} {'points':>7} {'worker':>10} {'database':>10} {'ratio':>6}")
    for name, make in asked.items():
        if only not in name:
            continue
        found = await meter.measure(make)
        mark = " wrong" if found.is_wrong else ""
        wrong += found.is_wrong
        print(f"{name:{width}} {found.points:7} {found.worker:7.2f} ms {found.database:7.2f} ms {found.ratio:6.2f}{mark}", flush=True)
    print(f"\n{wrong} operations cost another amount than they take, by more than a factor of {FACTOR}")


def _points(said: Any) -> int:  # noqa: ANN401 JSON
    if "errors" in said or any(found.get("userErrors") for found in said["data"].values() if isinstance(found, dict)):
        raise RuntimeError(json.dumps(said)[:500])
    return int(said.get("extensions", {}).get("cost", {}).get("actual", 0))


async def steady(target: Target, seconds: float, emptied: float) -> float:
    """Answers in a second by one token that asks whenever it may, once what it had saved up is gone."""
    request = target.request(NESTED)
    began = time.perf_counter()
    until = began + emptied + seconds

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**22)
        answered = 0
        while time.perf_counter() < until:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            if not head.startswith(b"http/1.1 200"):
                await asyncio.sleep(0.1)
            elif time.perf_counter() > began + emptied:
                answered += 1
        writer.close()
        return answered

    return sum(await asyncio.gather(*(one() for _ in range(CONNECTIONS)))) / seconds


NESTED: Body = {"query": f"{PAGE} {CLIENT}", "variables": {"first": 50}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=1, help="time of a processor that each operation is asked for, all repetitions together"
    )
    parser.add_argument(
        "--size", choices=SIZES, default="large", help="of the one organization; a kept folder has the size that it was made with"
    )
    parser.add_argument("--only", default="", help="measure the operations with this in their name")
    parser.add_argument("--long", type=float, default=20, help="how long the steady rate is measured; 0 for not at all")
    parser.add_argument("--saved", type=float, default=30, help="how long before, to spend what a token had saved up")
    parser.add_argument("--keep", type=Path, help="a folder whose database is used again")
    given = parser.parse_args()
    say_load()
    with demonstration(given.keep, replace(SIZES[given.size], others=0)) as place:
        with ours_running(place, **RAISED) as (target, process):
            uvloop.run(each(Meter(target, process, postmasters(place.owner_url), given.seconds), place.owner_url, given.only))
            if given.long:
                rate = uvloop.run(load(target, NESTED, given.seconds * 4)).per_second
                print(f"\nnested, 50 clients, one token, as fast as the worker can: {rate:.1f}/s")
        if given.long:
            with ours_running(place) as (target, _):
                slow = uvloop.run(steady(target, given.long, given.saved))
                print(f"nested, 50 clients, one token, steadily under the default limits: {slow:.1f}/s, {slow / rate:.0%}")
    say_load()

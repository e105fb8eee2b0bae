"""Measure how well the points of operations match their cost, and the steady rate that one token can reach.

    python -m benchmarks.points [--seconds 1] [--long 20] [--size large] [--only totalCount] [--keep FOLDER]

`worker` and `database` are the processor time of the server and of PostgreSQL for one operation, the median of several repetitions.
`points` is the charge for the operation. A point should be about 30 µs of both together: `ratio` is the measured time as a multiple of
that. A ratio above 3 or below 1/3 is marked, unless the operation costs little more than the minimum. The operations are some common ones,
and those that `benchmarks.cost_cases` generates from the schema. The large organization has 10,000 clients and 50,000 registrations. At the
end, one token sends the nested query: first without limits as fast as the worker can, then steadily under the default limits.
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

from benchmarks.cost_cases import build_cases, read_ids
from benchmarks.demo_database import SIZES, run_demo_database
from benchmarks.load import CONNECTIONS, Target, run_load
from benchmarks.machine import print_load, read_exact_processor_ms
from benchmarks.queries import CLIENT, CLIENT_QUERY, NAMES, PAGE
from benchmarks.servers import RAISED_LIMITS, run_relaties
from schema.build import build
from server.documents.cost import BASE_COST

POINT_US, FACTOR, REPETITIONS, LEAST = 30, 3, 5, 2
SERIAL = count()
Body = dict[str, Any]
CREATE = "mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { client { id } userErrors { code } } }"
UPDATE = "mutation ($x: ClientUpdateInput!) { clientUpdate(input: $x) { client { id } userErrors { code } } }"
UPSERT = "mutation ($x: ClientBulkUpsertInput!) { clientBulkUpsert(input: $x) { results { action } userErrors { code } } }"


def build_body(query: str, **variables: object) -> Callable[[], Body]:
    return lambda: {"query": query, "variables": variables}


def random_word() -> str:
    return f"{time.time_ns()}-{next(SERIAL)}"


def build_operations(client: str, version: int) -> dict[str, Callable[[], Body]]:
    """Build the operations. Mutations get new values in each request."""
    versions = count(version)
    same = [{"name": f"Same {index}", "number": f"SAME-{index}"} for index in range(100)]
    return {
        "nested, 100 clients": build_body(f"{PAGE} {CLIENT}", first=100),
        "nested, 25 clients": build_body(f"{PAGE} {CLIENT}", first=25),
        "one client": build_body(f"{CLIENT_QUERY} {CLIENT}", id=client),
        "10 names": build_body(NAMES, first=10),
        "viewer": build_body("{ viewer { permissions } }"),
        "total count": build_body("{ clients { totalCount } }"),
        "search": build_body('{ clients(search: "van", first: 25) { nodes { name } } }'),
        "revenue of all": build_body("{ clients { revenue { invoiced { amount } } } }"),
        "introspection": build_body(get_introspection_query()),
        "clientCreate": lambda: {"query": CREATE, "variables": {"x": {"name": f"New {random_word()}"}}},
        "clientUpdate": lambda: {
            "query": UPDATE,
            "variables": {"x": {"id": client, "expectedVersion": next(versions), "notes": random_word()}},
        },
        "100 upserts, all new": lambda: {
            "query": UPSERT,
            "variables": {"x": {"clients": [{"name": "New", "number": random_word()} for _ in range(100)]}},
        },
        "100 upserts, unchanged": build_body(UPSERT, x={"clients": same}),
    }


@dataclass(frozen=True)
class PointMeasurement:
    """The points of an operation, and its processor time in milliseconds."""

    points: int
    worker: float
    database: float

    @property
    def ratio(self) -> float:
        return (self.worker + self.database) * 1000 / (self.points * POINT_US)

    @property
    def is_wrong(self) -> bool:
        """Whether the points differ too much from the measured time. Cheap operations count as twice the minimum."""
        least = BASE_COST * 2
        return self.ratio * self.points / max(self.points, least) > FACTOR or (self.ratio < 1 / FACTOR and self.points > least)


@dataclass(frozen=True)
class ProcessorMeter:
    """Reads the processor time of a server and its database while sending requests."""

    target: Target
    worker: psutil.Process
    database: Sequence[psutil.Process]
    seconds: float

    def _read_times(self) -> tuple[float, float]:
        """Return the time of the worker and of the PostgreSQL processes, none of which ends since the pool keeps its connections."""
        backends = [each for parent in self.database for each in (parent, *parent.children())]
        return read_exact_processor_ms(self.worker), sum(map(read_exact_processor_ms, backends))

    async def measure(self, make: Callable[[], Body]) -> PointMeasurement:
        points = read_points(await self.target.post({**make(), "extensions": {"cost": True}}))
        samples = [await self._measure_sample(make) for _ in range(REPETITIONS)]
        return PointMeasurement(points, *(median(each) for each in zip(*samples, strict=True)))

    async def _measure_sample(self, make: Callable[[], Body]) -> tuple[float, float]:
        """Send requests until they used their part of the processor seconds. Return the worker and database time per request."""
        (worker, database), now, times = self._read_times(), (0.0, 0.0), 0
        while times < LEAST or sum(now) - worker - database < self.seconds * 1000 / REPETITIONS:
            read_points(await self.target.post(make()))
            times, now = times + 1, self._read_times()
        return (now[0] - worker) / times, (now[1] - database) / times


def database_ms(owner_url: str) -> float:
    """Return the processor time of PostgreSQL's running processes, in milliseconds. Ended processes are not counted."""
    return sum(read_exact_processor_ms(each) for parent in find_postmasters(owner_url) for each in (parent, *parent.children()))


def find_postmasters(owner_url: str) -> list[psutil.Process]:
    """Return the main process of PostgreSQL, whose children serve the connections."""
    port = int(owner_url.rpartition(":")[2].partition("/")[0])
    return [each for each in psutil.process_iter(["name"]) if each.info["name"] == "postgres" and _listens(each, port)][:1]


def _listens(process: psutil.Process, port: int) -> bool:
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in process.net_connections("tcp"))


async def measure_each(meter: ProcessorMeter, owner_url: str, only: str) -> None:
    first: Any = await meter.target.post({"query": "{ clients(filter: {status: ACTIVE}, first: 1) { nodes { id version } } }"})
    await meter.target.post({"query": "mutation { revenueRebuildStart(input: {}) { job { id } } }"})  # the demo organization has no job
    owner = await asyncpg.connect(owner_url)
    ids = await read_ids(owner)
    await owner.close()
    operations = build_operations(*first["data"]["clients"]["nodes"][0].values())
    operations |= {f"{case.field} | {case.arguments}": partial(case.body, ids) for case in build_cases(build()._schema)}  # noqa: SLF001
    width, wrong = max(map(len, operations)), 0
    print(f"\n{'':{width}} {'points':>7} {'worker':>10} {'database':>10} {'ratio':>6}")
    for name, make in operations.items():
        if only not in name:
            continue
        measurement = await meter.measure(make)
        mark = " wrong" if measurement.is_wrong else ""
        wrong += measurement.is_wrong
        print(
            f"{name:{width}} {measurement.points:7} {measurement.worker:7.2f} ms "
            f"{measurement.database:7.2f} ms {measurement.ratio:6.2f}{mark}",
            flush=True,
        )
    print(f"\n{wrong} operations have points that differ from their time by more than a factor of {FACTOR}")


def read_points(answer: Any) -> int:  # noqa: ANN401 JSON
    if "errors" in answer or any(payload.get("userErrors") for payload in answer["data"].values() if isinstance(payload, dict)):
        raise RuntimeError(json.dumps(answer)[:500])
    return int(answer.get("extensions", {}).get("cost", {}).get("actual", 0))


async def measure_steady_rate(target: Target, seconds: float, used_up_at: float) -> float:
    """Return the answers per second of one token that sends requests whenever the limits allow, after its saved points are used up."""
    request = target.build_request(NESTED_QUERY)
    began = time.perf_counter()
    until = began + used_up_at + seconds

    async def send() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**22)
        answer_count = 0
        while time.perf_counter() < until:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            if not head.startswith(b"http/1.1 200"):
                await asyncio.sleep(0.1)
            elif time.perf_counter() > began + used_up_at:
                answer_count += 1
        writer.close()
        return answer_count

    return sum(await asyncio.gather(*(send() for _ in range(CONNECTIONS)))) / seconds


NESTED_QUERY: Body = {"query": f"{PAGE} {CLIENT}", "variables": {"first": 50}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1, help="processor time for all repetitions of an operation")
    parser.add_argument(
        "--size", choices=SIZES, default="large", help="size of the organization; a kept folder keeps the size it was created with"
    )
    parser.add_argument("--only", default="", help="measure only operations whose name contains this")
    parser.add_argument("--long", type=float, default=20, help="seconds to measure the steady rate; 0 skips it")
    parser.add_argument("--saved", type=float, default=30, help="seconds before, to spend the saved points of the token")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print_load()
    with run_demo_database(options.keep, replace(SIZES[options.size], other_organizations=0)) as database:
        with run_relaties(database, **RAISED_LIMITS) as (target, process):
            uvloop.run(
                measure_each(
                    ProcessorMeter(target, process, find_postmasters(database.owner_url), options.seconds), database.owner_url, options.only
                )
            )
            if options.long:
                rate = uvloop.run(run_load(target, NESTED_QUERY, options.seconds * 4)).per_second
                print(f"\nnested, 50 clients, one token, without limits: {rate:.1f}/s")
        if options.long:
            with run_relaties(database) as (target, _):
                slow = uvloop.run(measure_steady_rate(target, options.long, options.saved))
                print(f"nested, 50 clients, one token, steadily under the default limits: {slow:.1f}/s, {slow / rate:.0%}")
    print_load()

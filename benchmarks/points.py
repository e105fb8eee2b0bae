"""What a point is worth: the time of the server for each kind of operation, and what one token can ask in the long run.

    python -m benchmarks.points [--seconds 2] [--long 20] [--keep FOLDER]

`worker` is the processor's time of the server's process, `database` that of PostgreSQL's, both for one operation; `points` what it was
billed. Then the nested query by one token: as fast as the worker can, and steadily with the buckets as they are by default.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import uvloop
from graphql import get_introspection_query

from benchmarks.load import CONNECTIONS, Target, load
from benchmarks.machine import processor_ms, say_load
from benchmarks.place import demonstration
from benchmarks.queries import CLIENT, NAMES, ONE, PAGE
from benchmarks.servers import ours_running

MUCH = str(10**9)
RAISED = {"RELATIES_POINTS": MUCH, "RELATIES_POINTS_PER_SECOND": MUCH}
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


def database_ms(owner_url: str) -> float:
    """Of the processes that PostgreSQL has now; those that ended are not counted."""
    port = owner_url.rpartition(":")[2].partition("/")[0]
    mothers = [each for each in psutil.process_iter(["name"]) if each.info["name"] == "postgres" and _listens(each, int(port))]
    return sum(processor_ms(each) for mother in mothers[:1] for each in [mother, *mother.children(recursive=True)])


def _listens(process: psutil.Process, port: int) -> bool:
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in process.net_connections("tcp"))


async def each(target: Target, process: psutil.Process, owner_url: str, seconds: float) -> None:
    first: Any = await target.answer({"query": "{ clients(first: 1) { nodes { id version } } }"})
    print(f"\n{'':26} {'points':>7} {'worker':>9} {'database':>9} {'by the clock':>13} {'worker, a point':>16}")
    for name, make in kinds(*first["data"]["clients"]["nodes"][0].values()).items():
        points = _points(await target.answer({**make(), "extensions": {"cost": True}}))
        await target.answer(make())
        began, worker, database, times = time.perf_counter(), processor_ms(process), database_ms(owner_url), 0
        while not times or time.perf_counter() < began + seconds:
            _points(await target.answer(make()))
            times += 1
        taken = (time.perf_counter() - began) * 1000 / times
        worker, database = (processor_ms(process) - worker) / times, (database_ms(owner_url) - database) / times
        shown = f"{points:7} {worker:6.1f} ms {database:6.1f} ms {taken:10.1f} ms {worker / max(points, 1) * 1000:13.0f} µs"
        print(f"{name:26} {shown}", flush=True)


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
    parser.add_argument("--seconds", type=float, default=2, help="how long each kind is asked")
    parser.add_argument("--long", type=float, default=20, help="how long the steady rate is measured")
    parser.add_argument("--saved", type=float, default=30, help="how long before, to spend what a token had saved up")
    parser.add_argument("--keep", type=Path, help="a folder whose database is used again")
    given = parser.parse_args()
    say_load()
    with demonstration(given.keep) as place:
        with ours_running(place, **RAISED) as (target, process):
            uvloop.run(each(target, process, place.owner_url, given.seconds))
            rate = uvloop.run(load(target, NESTED, given.seconds * 4)).per_second
            print(f"\nnested, 50 clients, one token, as fast as the worker can: {rate:.1f}/s")
        with ours_running(place) as (target, _):
            slow = uvloop.run(steady(target, given.long, given.saved))
            print(f"nested, 50 clients, one token, steadily under the default limits: {slow:.1f}/s, {slow / rate:.0%}")
    say_load()

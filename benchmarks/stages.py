"""Where the processor's time of one query goes, stage by stage: the stack is looked at each millisecond that the process computes.

    python -m benchmarks.stages [--seconds 10] [--keep FOLDER]

A stage is the code of one part of the house, with what it calls in libraries. Time in PostgreSQL is told beside it: the processor's time
of its processes for one answer.
"""

import argparse
import asyncio
import gc
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Self

import orjson
import uvloop

from benchmarks.machine import say_load
from benchmarks.place import Place, demonstration
from benchmarks.points import database_ms
from benchmarks.queries import FIRST, asked
from benchmarks.servers import ROOT
from db.engine.database import Database
from schema.build import build
from server.app import build_app
from server.settings import Settings

SECRETS = [b"a secret of the benchmarks, 32 bytes or more"]
MUCH = 10**9
EACH_S = 0.001
# By the innermost frame that is ours: a folder, or a file of it where a folder has several stages.
STAGES = {
    "server/documents/execution.py": "execution begins and ends",
    "server/documents/cost.py": "what it costs",
    "server": "request, checks, answer, log",
    "resolvers/execution/operation.py": "execution begins and ends",
    "resolvers/execution/executor": "rows become dicts",
    "resolvers/dataloader.py": "keys become batches",
    "schema": "rows become dicts",
    "resolvers": "arguments become calls",
    "domain": "rules, pages, cursors",
    "db": "statements and their rows",
}
NONE = "event loop and frameworks"


def stage_of(frame: FrameType | None) -> str:
    while frame:
        path = frame.f_code.co_filename
        if path.startswith(str(ROOT)) and ".venv" not in path:
            found = next((stage for part, stage in STAGES.items() if path.startswith(str(ROOT / part))), None)
            if found:
                return found
        elif path.startswith("<string>"):
            return "rows become dicts"
        frame = frame.f_back
    return NONE


class Sampler:
    """Counts stages while the block runs."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def __enter__(self) -> Self:
        signal.signal(signal.SIGPROF, lambda _, frame: self.seen.update([stage_of(frame)]))
        signal.setitimer(signal.ITIMER_PROF, EACH_S, EACH_S)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)


async def answered(served: Callable[..., object], body: bytes, token: str) -> bytes:
    """One request, as uvicorn hands it on."""
    sent, is_sent = bytearray(), False

    async def receive() -> dict[str, object]:
        nonlocal is_sent
        if is_sent:
            await asyncio.Event().wait()
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(said: dict[str, bytes]) -> None:
        sent.extend(said.get("body", b""))

    headers = {"host": "127.0.0.1", "authorization": f"Bearer {token}", "content-type": "application/json", "accept": "application/json"}
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/graphql", "root_path": "", "scheme": "http"} | {
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await served(scope, receive, send)  # type: ignore[misc]
    return bytes(sent)


async def main(place: Place, seconds: float) -> None:
    database = await Database.connect(place.runtime_url)
    served = build_app(build(), database, Settings(rate_limit_burst=MUCH, rate_limit_restore=MUCH), SECRETS).asgi_app
    first = orjson.loads(await answered(served, orjson.dumps({"query": FIRST}), place.token))["data"]
    gc.collect()
    gc.freeze()
    for name, query in asked(first["clients"]["edges"][0]["node"]["id"]).items():
        body = orjson.dumps(query.body())
        for _ in range(20):
            await answered(served, body, place.token)
        answers, in_database, began, clock = 0, database_ms(place.owner_url), time.process_time(), time.perf_counter()
        with Sampler() as sampler:
            while time.perf_counter() < clock + seconds:
                await answered(served, body, place.token)
                answers += 1
        worked, in_database = time.process_time() - began, database_ms(place.owner_url) - in_database
        print(f"\n{name}: {worked / answers * 1000:.2f} ms of the worker's processor, {in_database / answers:.2f} of PostgreSQL's")
        for stage, times in sampler.seen.most_common():
            print(f"  {stage:30} {times / sampler.seen.total():5.0%}")
    await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    say_load()
    with demonstration(given.keep) as found:
        uvloop.run(main(found, given.seconds))
    say_load()

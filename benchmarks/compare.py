"""Relaties and its peers side by side: the same data, the same queries, the same JSON, in one run and one report.

    python -m benchmarks.compare [--size small] [--peers usual] [--seconds 5] [--turns 6] [--only Q1] [--keep FOLDER] [--unsaved]

`make bench` installs what it needs and runs it with `SIZE` and `PEERS`. Every server is one worker. A turn asks each of them for a
window, A B C; the next turn C B A. A window of which others had too much of the processors is measured again. Where the machine is never
quiet there are small windows, of which the best tenth counts; the report says so. Ratios count; absolute figures are the machine's.
"""

import argparse
import asyncio
import json
from pathlib import Path
from uuid import UUID

import asyncpg
import psutil

from benchmarks import statements
from benchmarks.figures import Row
from benchmarks.machine import load_average, say_load
from benchmarks.place import SIZES, Place, demonstration
from benchmarks.queries import Asked, asked, without_cursors
from benchmarks.report import Report, now, printed, renew, save
from benchmarks.servers import MORE, OURS, USUAL, all_running
from benchmarks.windows import Trial, planned
from db import demo
from resolvers.ids import global_id

PEERS: dict[str, tuple[str, ...]] = {"usual": USUAL, "all": USUAL + MORE, "none": (), **{name: (name,) for name in USUAL + MORE}}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="small", help="how much data")
    parser.add_argument("--peers", choices=PEERS, default="usual", help="beside whom")
    parser.add_argument("--seconds", type=int, default=5, help="how long a window is")
    parser.add_argument("--turns", type=int, default=6, help="how many windows a server has for each query")
    parser.add_argument("--only", help="one of Q1 to Q4; the report is printed alone")
    parser.add_argument("--keep", type=Path, help="a folder whose database is used again")
    parser.add_argument("--unsaved", action="store_true", help="print the report alone")
    return parser.parse_args()


async def known(url: str) -> tuple[psutil.Process, UUID]:
    """PostgreSQL itself, which started the process that answers here; and the key of the first client."""
    owner = await asyncpg.connect(url)
    try:
        parent = psutil.Process(await owner.fetchval("SELECT pg_backend_pid()")).parent()
        first = statements.page("ACTIVE")
        (client,) = await owner.fetch(first.sql, *first.arguments({"tenant": demo.TENANT, "count": 1}))
    finally:
        await owner.close()
    if parent is None:
        raise RuntimeError("PostgreSQL runs where its processor time cannot be seen")
    return parent, client["id"]


def equal(trial: Trial, place: Place, name: str, query: Asked) -> dict[str, int]:
    """Nothing is measured that does not answer the same as ours; with ours the bound answers from now on. How many bytes each has."""
    expected: object = None
    sizes = {}
    for server, (target, _) in trial.servers.items():
        answer = asyncio.run(target.asking(name).answer(query.body(server)))
        compact = json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        sizes[server] = len(compact.encode())
        if server == OURS:
            (place.answers / f"{name}.json").write_text(compact)
            expected = without_cursors(answer)
        elif without_cursors(answer) != expected:
            raise AssertionError(f"{name}: {server} answers something else: {str(without_cursors(answer))[:1000]}")
    return sizes


def compared(place: Place, given: argparse.Namespace) -> Report:
    database, client = asyncio.run(known(place.owner_url))
    statements.written(place.statements)
    place.answers.mkdir(exist_ok=True)
    place.bodies.mkdir(exist_ok=True)
    found: list[Row] = []
    plan, before = planned(given.seconds, given.turns, database), load_average()
    with all_running(place, PEERS[given.peers], str(client)) as servers:
        trial = Trial(servers, database, plan)
        for name, query in asked(global_id("Client")(client)).items():
            if given.only in {None, name}:
                for server in servers:
                    (place.bodies / f"{server}.json").write_text(json.dumps(query.body(server)))
                sizes = equal(trial, place, name, query)
                rows = trial.measured(name, place.bodies, sizes)
                print(name, *(f"{row.server} {row.rps:.1f}/s" for row in rows), sep="   ")
                found += rows
                equal(trial, place, name, query)
    return now(SIZES[given.size], plan.said, f"{before} before, {load_average()} after", found)


if __name__ == "__main__":
    wanted = arguments()
    say_load()
    with demonstration(wanted.keep, SIZES[wanted.size]) as place:
        report = compared(place, wanted)
    print(printed(report))
    if not (wanted.unsaved or wanted.only):
        save(report)
        renew()
    say_load()

"""What answers cost as organizations grow: each dimension in turn, the others at their smallest.

    python -m benchmarks.growth [--of organizations clients invoices] [--divide 1] [--keep FOLDER]

The smallest is one organization of 1,000 clients with 50 invoices each. `--divide 100` makes everything a hundred times smaller, to see
it run; `--million` adds one of 1,000,000 clients. Times are of whole requests in process (token, limits, JSON; no socket): the median of
many. Beside each stands what it is of the time at the smallest, and the large tables that its statements read from end to end.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from benchmarks.machine import say_load
from benchmarks.place import embedded
from db.embedded import EmbeddedServer
from db.engine.database import Database
from db.engine.urls import with_database_name
from db.migrations import upgrade
from db.tables import Role
from schema.build import build
from tests.ask import Api, connected
from tests.builders import Tenant, tenant
from tests.large import ASKED, DAYS, FROM, fill
from tests.plans import whole_of

TIMES = 40
MILLION = 1_000_000
SPREAD = f"date '{FROM}' + (i * 7919 % {DAYS})::int"  # over all months, however few there are
PAGE = "{{ clients(first: 50{more}) {{ {wanted} }} }}"
SAME = "nodes { name number }"
QUESTIONS = {
    "page of 50": PAGE.format(more="", wanted=SAME),
    "by number": PAGE.format(more=", orderBy: {field: NUMBER}", wanted=SAME),
    "revenue of the page": PAGE.format(
        more="", wanted='nodes { revenue(period: {since: "2026-01-01", until: "2026-12-31"}) { invoiced { amount } } }'
    ),
    "search with hits": PAGE.format(more=', search: "client 000012"', wanted=SAME),
    "search without": PAGE.format(more=', search: "no such client"', wanted=SAME),
    "totalCount": PAGE.format(more="", wanted="totalCount"),
}


@dataclass(frozen=True)
class Size:
    """Organizations, clients of each, invoices of each client."""

    organizations: int = 1
    clients: int = 1_000
    invoices: int = 50

    def __str__(self) -> str:
        return f"{self.organizations:,} x {self.clients:,} clients x {self.invoices:,} invoices"

    def divided(self, by: int) -> "Size":
        return Size(self.organizations, max(self.clients // by, 60), max(self.invoices // by, 1))


SMALLEST = Size()
LARGER: dict[str, Sequence[int]] = {"organizations": (10, 100), "clients": (10_000, 100_000), "invoices": (500, 5_000)}


@dataclass(frozen=True)
class Measured:
    """Milliseconds of a question, and the tables that it reads whole though they are large."""

    ms: float
    whole: frozenset[str]

    def shown(self, least: "Measured") -> str:
        read = f" reads {', '.join(sorted(self.whole))}" if self.whole else ""
        return f"{self.ms:.1f} ms ({self.ms / least.ms:.2f} x){read}"


@dataclass(frozen=True)
class Grown:
    """How many times as long as at the smallest size a question takes at this one, and the large tables that it reads whole."""

    size: str
    question: str
    ratio: float
    whole: list[str]


async def made(place: EmbeddedServer, size: Size) -> tuple[str, Tenant]:
    """A database of that size, the only one there is; the server's address of it, and one of the organizations."""
    owner = await asyncpg.connect(place.owner_url)
    await owner.execute("DROP DATABASE IF EXISTS growth WITH (FORCE)")
    await owner.execute("CREATE DATABASE growth")
    await owner.close()
    owner_url, server_url = (with_database_name(url, "growth") for url in (place.owner_url, place.runtime_url))
    await upgrade(owner_url, server_url)
    owner = await asyncpg.connect(owner_url)
    for number in range(size.organizations):
        one = await tenant(owner, f"Organization {number}")
        await fill(owner, one, size.clients, ASKED, invoices_each=size.invoices, day=SPREAD)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()
    return server_url, one


async def measured(url: str, org: Tenant) -> dict[str, Measured]:
    said = list[str]()
    database = await Database.connect(url, on_statement=said.append)
    server = await asyncpg.connect(url, server_settings={"jit": "off"})
    found = dict[str, Measured]()
    async with connected(build(), database) as http:
        api = Api(http, org.tokens[Role.OWNER])
        for name, query in QUESTIONS.items():
            taken = []
            for _ in range(TIMES):
                said.clear()
                start = time.perf_counter()
                await api.data(query)
                taken.append((time.perf_counter() - start) * 1000)
            found[name] = Measured(statistics.median(taken), frozenset(await whole_of(server, org.id, said)))
    await server.close()
    await database.close()
    return found


async def measure(place: EmbeddedServer, sizes: Sequence[Size]) -> list[Grown]:
    """Print a line for each size, the first of which is the smallest, and return what each question took of its time there."""
    least: dict[str, Measured] | None = None
    grown = []
    print("| size | made in |", " | ".join(QUESTIONS), "|")
    print("|---" * (len(QUESTIONS) + 2) + "|")
    for size in sizes:
        began = time.perf_counter()
        url, org = await made(place, size)
        took = time.perf_counter() - began
        found = await measured(url, org)
        least = least or found
        print(f"| {size} | {took:.0f} s |", " | ".join(found[name].shown(least[name]) for name in QUESTIONS), "|", flush=True)
        grown += [Grown(str(size), name, each.ms / least[name].ms, sorted(each.whole)) for name, each in found.items()]
    return grown


def sizes_of(dimensions: Sequence[str] = (*LARGER,), *, million: bool = False) -> list[Size]:
    """Return the smallest size, and the larger ones of these dimensions."""
    sizes = [SMALLEST, *(replace(SMALLEST, **{name: size}) for name in dimensions for size in LARGER[name])]
    return sizes + ([replace(SMALLEST, clients=MILLION, invoices=5)] if million else [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", nargs="*", choices=LARGER, default=[*LARGER])
    parser.add_argument("--divide", type=int, default=1)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--keep", type=Path)
    wanted = parser.parse_args()
    say_load()
    with embedded(wanted.keep) as (found, _):
        asyncio.run(measure(found, [size.divided(wanted.divide) for size in sizes_of(wanted.of, million=wanted.million)]))
    say_load()

"""Measure how the cost of queries grows with the data: one dimension at a time, with the others at their smallest size.

    python -m benchmarks.growth [--of organizations clients invoices] [--divide 1] [--keep FOLDER]

The smallest data is one organization of 1,000 clients with 50 invoices each. `--divide 100` makes all data a hundred times smaller, for a
quick trial; `--million` adds an organization of 1,000,000 clients. Times are medians of whole requests in process (token, limits, JSON; no
socket). Each time has its ratio to the time at the smallest size, and the large tables that its statements read completely.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from benchmarks.demo_database import run_embedded
from benchmarks.machine import print_load
from db.embedded import EmbeddedServer
from db.engine.database import Database
from db.engine.urls import with_database_name
from db.migrations import upgrade
from db.tables import Role
from schema.build import build
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, create_tenant
from tests.support.explain import generic_sequential_scans
from tests.support.large_organization import DAYS, FIRST_DAY, OVERVIEW_STATEMENTS, fill_organization

TIMES = 40
MILLION = 1_000_000
SPREAD = f"date '{FIRST_DAY}' + (i * 7919 % {DAYS})::int"  # spreads even few invoices over all months
PAGE = "{{ clients(first: 50{more}) {{ {selection} }} }}"
NAMES = "nodes { name number }"
QUERIES = {
    "page of 50": PAGE.format(more="", selection=NAMES),
    "by number": PAGE.format(more=", orderBy: {field: NUMBER}", selection=NAMES),
    "revenue of the page": PAGE.format(
        more="", selection='nodes { revenue(period: {since: "2026-01-01", until: "2026-12-31"}) { invoiced { amount } } }'
    ),
    "search with hits": PAGE.format(more=', search: "client 000012"', selection=NAMES),
    "search without": PAGE.format(more=', search: "no such client"', selection=NAMES),
    "totalCount": PAGE.format(more="", selection="totalCount"),
}


@dataclass(frozen=True)
class OrganizationSize:
    """The numbers of organizations, clients per organization, and invoices per client."""

    organizations: int = 1
    clients: int = 1_000
    invoices: int = 50

    def __str__(self) -> str:
        return f"{self.organizations:,} x {self.clients:,} clients x {self.invoices:,} invoices"

    def divide(self, by: int) -> "OrganizationSize":
        return OrganizationSize(self.organizations, max(self.clients // by, 60), max(self.invoices // by, 1))


SMALLEST = OrganizationSize()
LARGER: dict[str, Sequence[int]] = {"organizations": (10, 100), "clients": (10_000, 100_000), "invoices": (500, 5_000)}


@dataclass(frozen=True)
class Measurement:
    """The time of a query in milliseconds, and the large tables that it reads completely."""

    ms: float
    sequential_scans: frozenset[str]

    def describe(self, least: "Measurement") -> str:
        read = f" reads {', '.join(sorted(self.sequential_scans))}" if self.sequential_scans else ""
        return f"{self.ms:.1f} ms ({self.ms / least.ms:.2f} x){read}"


@dataclass(frozen=True)
class Growth:
    """The time of a query at one size, as a multiple of its time at the smallest size, and the large tables that it reads completely."""

    size: str
    query: str
    ratio: float
    whole: list[str]


async def create_database(embedded: EmbeddedServer, size: OrganizationSize) -> tuple[str, Tenant]:
    """Replace the database by one of this size. Return its URL for the server, and one of its organizations."""
    owner = await asyncpg.connect(embedded.owner_url)
    await owner.execute("DROP DATABASE IF EXISTS growth WITH (FORCE)")
    await owner.execute("CREATE DATABASE growth")
    await owner.close()
    owner_url, server_url = (with_database_name(url, "growth") for url in (embedded.owner_url, embedded.runtime_url))
    await upgrade(owner_url, server_url)
    owner = await asyncpg.connect(owner_url)
    for number in range(size.organizations):
        one = await create_tenant(owner, f"Organization {number}")
        await fill_organization(owner, one, size.clients, OVERVIEW_STATEMENTS, invoices_each=size.invoices, day=SPREAD)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()
    return server_url, one


async def measure_queries(url: str, org: Tenant) -> dict[str, Measurement]:
    reports = list[str]()
    database = await Database.connect(url, on_statement=reports.append)
    server = await asyncpg.connect(url, server_settings={"jit": "off"})
    measurements = dict[str, Measurement]()
    async with connect_client(build(), database) as http:
        api = Api(http, org.tokens[Role.OWNER])
        for name, query in QUERIES.items():
            durations = []
            for _ in range(TIMES):
                reports.clear()
                start = time.perf_counter()
                await api.data(query)
                durations.append((time.perf_counter() - start) * 1000)
            measurements[name] = Measurement(
                statistics.median(durations), frozenset(await generic_sequential_scans(server, org.id, reports))
            )
    await server.close()
    await database.close()
    return measurements


async def measure_growth(embedded: EmbeddedServer, sizes: Sequence[OrganizationSize]) -> list[Growth]:
    """Measure and print each size, and return the growth of each query. The first size must be the smallest."""
    least: dict[str, Measurement] | None = None
    growth = []
    print("| size | created in |", " | ".join(QUERIES), "|")
    print("|---" * (len(QUERIES) + 2) + "|")
    for size in sizes:
        began = time.perf_counter()
        url, org = await create_database(embedded, size)
        took = time.perf_counter() - began
        measured_queries = await measure_queries(url, org)
        least = least or measured_queries
        print(f"| {size} | {took:.0f} s |", " | ".join(measured_queries[name].describe(least[name]) for name in QUERIES), "|", flush=True)
        growth += [
            Growth(str(size), name, each.ms / least[name].ms, sorted(each.sequential_scans)) for name, each in measured_queries.items()
        ]
    return growth


def build_sizes(dimensions: Sequence[str] = (*LARGER,), *, million: bool = False) -> list[OrganizationSize]:
    """Return the smallest size, and the larger sizes of these dimensions."""
    sizes = [SMALLEST, *(replace(SMALLEST, **{name: size}) for name in dimensions for size in LARGER[name])]
    return sizes + ([replace(SMALLEST, clients=MILLION, invoices=5)] if million else [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", nargs="*", choices=LARGER, default=[*LARGER], help="dimensions to measure")
    parser.add_argument("--divide", type=int, default=1, help="divide the numbers of clients and invoices by this")
    parser.add_argument("--million", action="store_true", help="also measure an organization of 1,000,000 clients")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print_load()
    with run_embedded(options.keep) as (growth, _):
        asyncio.run(measure_growth(growth, [size.divide(options.divide) for size in build_sizes(options.of, million=options.million)]))
    print_load()

"""Measure a large organization: 100,000 clients and 500,000 invoices, one client with 5,000 contacts, forced row-level security.

    python -m benchmarks.large [--clients 100000] [--keep FOLDER]

The output has the times of whole requests in process (token, limits, JSON; no socket). For each statement it has the rows that were read,
the time, and the large tables that are read completely.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from itertools import product
from pathlib import Path

import asyncpg

from benchmarks.demo_database import run_embedded
from benchmarks.machine import print_load
from benchmarks.queries import CLIENT, NAMES, PAGE
from db.embedded import EmbeddedServer
from db.engine.database import Database
from db.engine.urls import with_database_name
from db.migrations import upgrade
from db.tables import Role
from domain.clients.reads import Sort
from domain.core.cursors import Cursors
from schema.build import build
from tests.support.api import SECRET_KEYS, Api, connect_client
from tests.support.explain import explain, large_tables
from tests.support.large_organization import LargeOrganization, create_large_organization
from tests.support.product_queries import QUERIES
from tests.support.query_arguments import query_arguments

NAME = "large"
TIMES = 40
ORDERED_QUERY = """query ($order: ClientOrderInput!, $after: String, $first: Int = 50) {
  clients(orderBy: $order, after: $after, first: $first) { nodes { name number kind email } pageInfo { hasNextPage endCursor } } }"""
ACTIVE = "filter: {status: ACTIVE}, "


def build_page_query(text: str) -> str:
    """Return the query for all clients instead of the active ones."""
    return text.replace(ACTIVE, "", 1)


async def main(embedded: EmbeddedServer, clients: int) -> None:
    owner_url, server_url = (with_database_name(url, NAME) for url in (embedded.owner_url, embedded.runtime_url))
    owner = await asyncpg.connect(embedded.owner_url)
    await owner.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    await owner.execute(f"CREATE DATABASE {NAME}")
    await owner.close()
    await upgrade(owner_url, server_url)
    owner = await asyncpg.connect(owner_url)
    began = time.perf_counter()
    large_org = await create_large_organization(owner, clients=clients)
    print(f"created in {time.perf_counter() - began:.0f} s")
    await owner.close()
    await measure_pages(server_url, large_org)
    await print_statements(server_url, large_org)


async def find_middle_cursor(api: Api, field: str, direction: str) -> str | None:
    """Return a cursor after the first 1,000 clients of an order."""
    after: str | None = None
    for _ in range(10):
        page = (await api.data(ORDERED_QUERY, order={"field": field, "direction": direction}, after=after, first=100))["clients"]
        after = page["pageInfo"]["endCursor"]
    return after


async def measure_pages(url: str, large_org: LargeOrganization) -> None:
    database = await Database.connect(url)
    async with connect_client(build(), database) as http:
        await build_requests(Api(http, large_org.tenant.tokens[Role.OWNER]), large_org)
    await database.close()


async def build_requests(api: Api, large_org: LargeOrganization) -> None:
    middle = Cursors(SECRET_KEYS, large_org.tenant.id).encode("clients.name.up", large_org.middle)
    crowd = "{ clients(first: 50) { nodes { contacts(first: 25) { nodes { fullName } pageInfo { hasNextPage } } } } }"
    requests: dict[str, tuple[str, dict[str, object]]] = {
        "50 names, first page": (build_page_query(NAMES), {"first": 50}),
        "50 names, in the middle": (build_page_query(NAMES), {"first": 50, "after": middle}),
        "Q1, first page": (f"{build_page_query(PAGE)} {CLIENT}", {"first": 50}),
        "Q1, in the middle": (f"{build_page_query(PAGE)} {CLIENT}", {"first": 50, "after": middle}),
        "contacts, one with 5,000": (crowd, {}),
        "total of all clients": ("{ clients(first: 1) { totalCount } }", {}),
        "revenue of all clients": ("{ clients(first: 1) { revenue { invoiced { amount } } } }", {}),
    }
    for text in ("client 0012", "0012", "no such client", "client"):
        requests[f"search, {text!r}"] = (
            "query ($search: String) { clients(search: $search, first: 50) { nodes { name number } } }",
            {"search": text},
        )
    for field, direction in product(Sort, ("ASC", "DESC")):
        requests[f"order by {field} {direction}"] = (ORDERED_QUERY, {"order": {"field": field, "direction": direction}})
        cursor = await find_middle_cursor(api, field, direction)
        requests[f"order by {field} {direction}, on"] = (
            ORDERED_QUERY,
            {"order": {"field": field, "direction": direction}, "after": cursor},
        )
    for name, (text, variables) in requests.items():
        print(f"{name:30} {await measure_seconds(lambda text=text, variables=variables: api.data(text, **variables))}")  # type: ignore[misc]


async def measure_seconds(action: Callable[[], Awaitable[object]]) -> str:
    durations = []
    for _ in range(TIMES):
        start = time.perf_counter()
        await action()
        durations.append((time.perf_counter() - start) * 1000)
    return f"median {statistics.median(durations):7.2f} ms   min {min(durations):7.2f}   max {max(durations):7.2f}"


async def print_statements(url: str, large_org: LargeOrganization) -> None:
    server = await asyncpg.connect(url, server_settings={"jit": "off"})
    large_ones = await large_tables(server)
    for name, query in QUERIES.items():
        plan = await explain(server, query, large_org.tenant.id, query_arguments(large_org)[name])
        values = query.arguments({"after_key": None, "after_id": None, **query_arguments(large_org)[name], "tenant": large_org.tenant.id})
        statement = await server.prepare(query.sql)
        took = await measure_seconds(lambda statement=statement, values=values: statement.fetch(*values))  # type: ignore[misc]
        plan_kind = "generic" if plan.generic else "custom"
        whole = ", ".join(sorted(plan.sequential_scans(large_ones))) or "none"
        print(f"{name:30} {took}   plan {plan_kind:8} read completely: {whole}   rows: {dict(plan.rows)}")
    await server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000, help="number of clients")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print_load()
    with run_embedded(options.keep) as (large_org, _):
        asyncio.run(main(large_org, options.clients))
    print_load()

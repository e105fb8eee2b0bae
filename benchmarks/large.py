"""A large organization: 100,000 clients and 500,000 invoices, one of the clients with 5,000 contacts, behind forced row level security.

    python -m benchmarks.large [--clients 100000] [--keep FOLDER]

Shown are times of whole requests in process (token, limits, JSON; no socket), and for each statement what it read, how long the server
took for it, and whether it reads a large table from end to end.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from itertools import product
from pathlib import Path

import asyncpg

from benchmarks.machine import say_load
from benchmarks.place import embedded
from benchmarks.queries import CLIENT, NAMES, PAGE
from db.embedded import EmbeddedServer
from db.engine.database import Database
from db.engine.urls import with_database_name
from db.migrations import upgrade
from db.tables import Role
from domain.clients.reads import Sort
from domain.core.cursors import Cursors
from schema.build import build
from tests.ask import SECRETS, Api, connected
from tests.db.test_golden import QUERIES
from tests.large import Large, large
from tests.plans import arguments, large_tables, ran

NAME = "large"
TIMES = 40
ORDERED = """query ($order: ClientOrderInput!, $after: String, $first: Int = 50) { clients(orderBy: $order, after: $after, first: $first) {
  nodes { name number kind email } pageInfo { hasNextPage endCursor } } }"""
ACTIVE = "filter: {status: ACTIVE}, "


def paged(text: str) -> str:
    """The query, of all clients."""
    return text.replace(ACTIVE, "", 1)


async def main(place: EmbeddedServer, clients: int) -> None:
    owner_url, server_url = (with_database_name(url, NAME) for url in (place.owner_url, place.runtime_url))
    owner = await asyncpg.connect(place.owner_url)
    await owner.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    await owner.execute(f"CREATE DATABASE {NAME}")
    await owner.close()
    await upgrade(owner_url, server_url)
    owner = await asyncpg.connect(owner_url)
    began = time.perf_counter()
    found = await large(owner, clients=clients)
    print(f"made in {time.perf_counter() - began:.0f} s")
    await owner.close()
    await pages(server_url, found)
    await statements(server_url, found)


async def middle_of(api: Api, field: str, direction: str) -> str | None:
    """A cursor a thousand clients into an order."""
    after: str | None = None
    for _ in range(10):
        page = (await api.data(ORDERED, order={"field": field, "direction": direction}, after=after, first=100))["clients"]
        after = page["pageInfo"]["endCursor"]
    return after


async def pages(url: str, found: Large) -> None:
    database = await Database.connect(url)
    async with connected(build(), database) as http:
        await asked(Api(http, found.tenant.tokens[Role.OWNER]), found)
    await database.close()


async def asked(api: Api, found: Large) -> None:
    middle = Cursors(SECRETS, found.tenant.id).encode("clients.name.up", found.middle)
    crowd = "{ clients(first: 50) { nodes { contacts(first: 25) { nodes { fullName } pageInfo { hasNextPage } } } } }"
    wanted: dict[str, tuple[str, dict[str, object]]] = {
        "50 names, first page": (paged(NAMES), {"first": 50}),
        "50 names, in the middle": (paged(NAMES), {"first": 50, "after": middle}),
        "Q1, first page": (f"{paged(PAGE)} {CLIENT}", {"first": 50}),
        "Q1, in the middle": (f"{paged(PAGE)} {CLIENT}", {"first": 50, "after": middle}),
        "contacts, one with 5,000": (crowd, {}),
        "total of all clients": ("{ clients(first: 1) { totalCount } }", {}),
        "revenue of all clients": ("{ clients(first: 1) { revenue { invoiced { amount } } } }", {}),
    }
    for text in ("client 0012", "0012", "no such client", "client"):
        wanted[f"search, {text!r}"] = (
            "query ($search: String) { clients(search: $search, first: 50) { nodes { name number } } }",
            {"search": text},
        )
    for field, direction in product(Sort, ("ASC", "DESC")):
        wanted[f"order by {field} {direction}"] = (ORDERED, {"order": {"field": field, "direction": direction}})
        place = await middle_of(api, field, direction)
        wanted[f"order by {field} {direction}, on"] = (ORDERED, {"order": {"field": field, "direction": direction}, "after": place})
    for name, (text, variables) in wanted.items():
        print(f"{name:30} {await timed(lambda text=text, variables=variables: api.data(text, **variables))}")  # type: ignore[misc]


async def timed(ask: Callable[[], Awaitable[object]]) -> str:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - start) * 1000)
    return f"median {statistics.median(taken):7.2f} ms   least {min(taken):7.2f}   most {max(taken):7.2f}"


async def statements(url: str, found: Large) -> None:
    server = await asyncpg.connect(url, server_settings={"jit": "off"})
    large_ones = await large_tables(server)
    for name, query in QUERIES.items():
        how = await ran(server, query, found.tenant.id, arguments(found)[name])
        values = query.arguments({"after_key": None, "after_id": None, **arguments(found)[name], "tenant": found.tenant.id})
        statement = await server.prepare(query.sql)
        took = await timed(lambda statement=statement, values=values: statement.fetch(*values))  # type: ignore[misc]
        settled = "one for all values" if how.generic else "for its values"
        whole = ", ".join(sorted(how.whole(large_ones))) or "none"
        print(f"{name:30} {took}   plan {settled:18} read whole: {whole}   rows: {dict(how.rows)}")
    await server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    say_load()
    with embedded(given.keep) as (found, _):
        asyncio.run(main(found, given.clients))
    say_load()

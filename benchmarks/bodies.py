"""Build the request bodies for a query: one body per case, the same for all servers except for cursors, ids and names.

The documents are fixed texts, so that the document caches of the servers work. No body is sent twice: an undeclared variable, which servers
ignore as GraphQL specifies, holds the number of the request. It is a variable and not part of `extensions`, so that a cache of coerced
variables has no effect either.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from benchmarks.cases import Case, Variables
from benchmarks.demo_database import DemoDatabase
from benchmarks.load import Target
from benchmarks.queries import CURSORS, LARGEST_PAGE, BenchmarkQuery
from benchmarks.servers import BASELINE
from benchmarks.wrk import MARKER
from db import demo
from resolvers.ids import make_id_encoder

REQUEST = "request"  # name of the variable with the number
CLIENTS = "SELECT id, name_key FROM relaties.client WHERE tenant_id = $1 AND archived_at IS NULL ORDER BY name_key, id"
client_id = make_id_encoder("Client")


class ActiveClient(NamedTuple):
    """The key and the sort key of an active client."""

    key: UUID
    name_key: str


async def read_active_clients(owner: asyncpg.Connection) -> list[ActiveClient]:
    """Return all active clients of the demo organization, in order of name."""
    return [ActiveClient(row["id"], row["name_key"]) for row in await owner.fetch(CLIENTS, demo.TENANT)]


async def read_cursors(target: Target, server: str, clients: int) -> list[str]:
    """Read all pages of active clients, and return the server's cursor of each client."""
    cursors: list[str] = []
    while len(cursors) < clients:
        variables: Variables = {"first": LARGEST_PAGE, "after": cursors[-1] if cursors else None}
        (answer,) = await target.post_all([json.dumps(BenchmarkQuery(CURSORS, "", variables).build_body(server))])
        page = answer["data"]["clients"]
        cursors += [edge["cursor"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
    if len(cursors) != clients:
        raise RuntimeError(f"{server} returned {len(cursors)} of {clients} active clients.")
    return cursors


@dataclass(frozen=True)
class RequestBodies:
    """The active clients, and the cursors of each server, to build bodies from."""

    clients: Sequence[ActiveClient]
    cursors: Mapping[str, Sequence[str]]

    @classmethod
    async def collect(cls, database: DemoDatabase, targets: Mapping[str, Target]) -> "RequestBodies":
        """Read the clients from the database, and the cursors from each server except the baseline, which needs none."""
        owner = await asyncpg.connect(database.owner_url)
        try:
            clients = await read_active_clients(owner)
        finally:
            await owner.close()
        cursors = {name: await read_cursors(target, name, len(clients)) for name, target in targets.items() if name != BASELINE}
        return cls(clients, cursors)

    def build_different(self, server: str, query: BenchmarkQuery, cases: Sequence[Case]) -> list[str]:
        """Return a body for each case, with the marker that wrk replaces by the number of the request."""
        return [json.dumps(self._build_body(server, query, cases, index, {REQUEST: MARKER})) for index in range(len(cases))]

    def build_repeated(self, server: str, query: BenchmarkQuery, cases: Sequence[Case]) -> str:
        """Return the body of the first case, without the marker."""
        return json.dumps(self._build_body(server, query, cases, 0, {}))

    def _build_body(self, server: str, query: BenchmarkQuery, cases: Sequence[Case], index: int, more: Variables) -> dict[str, object]:
        if server == BASELINE:  # it only needs the number of the case
            return {"case": index, **more}
        ids = [client_id(client.key) for client in self.clients]
        return replace(query, variables=cases[index].build_variables(ids, self.cursors[server]) | more).build_body(server)

    def baseline_arguments(self, case: Case) -> Variables:
        """Return the values of the baseline's statements for a case, as JSON values."""
        client = self.clients[case.position]
        values: Variables = {"ids": [str(client.key)]}
        if case.page_size is not None:
            values = {"count": case.page_size + 1}
        if case.page_size is not None and case.position:
            before = self.clients[case.position - 1]
            values |= {"after_key": before.name_key, "after_id": str(before.key)}
        start, end = case.period or (str(date.min), str(date.max))
        return values | {"start": start, "end": end}

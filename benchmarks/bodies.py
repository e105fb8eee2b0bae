"""What each server is sent for a query: one body for each case, the same for all servers but for their own cursors, ids and names.

The documents are fixed texts, so that every server's cache of documents works. No body is sent twice: each has a variable that no document
declares, which servers ignore as GraphQL says, and it holds the number of the request. It is among the variables and not in `extensions`,
so that variables that were coerced once do not come again either.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from benchmarks.cases import Case, Variables
from benchmarks.load import Target
from benchmarks.place import Place
from benchmarks.queries import CURSORS, LARGEST_PAGE, Asked
from benchmarks.servers import BOUND
from benchmarks.wrk import MARKER
from db import demo
from resolvers.ids import make_id_encoder

REQUEST = "request"  # the variable with the number
CLIENTS = "SELECT id, name_key FROM relaties.client WHERE tenant_id = $1 AND archived_at IS NULL ORDER BY name_key, id"
client_id = make_id_encoder("Client")


class Active(NamedTuple):
    """An active client: its key, and what it is ordered by."""

    key: UUID
    name_key: str


async def active_clients(owner: asyncpg.Connection) -> list[Active]:
    """Return all of the demo organization, in order of name."""
    return [Active(row["id"], row["name_key"]) for row in await owner.fetch(CLIENTS, demo.TENANT)]


async def cursors_of(target: Target, server: str, clients: int) -> list[str]:
    """Read through all active clients, and return the server's cursor behind each of them."""
    cursors: list[str] = []
    while len(cursors) < clients:
        variables: Variables = {"first": LARGEST_PAGE, "after": cursors[-1] if cursors else None}
        (answer,) = await target.answers([json.dumps(Asked(CURSORS, "", variables).body(server))])
        page = answer["data"]["clients"]
        cursors += [edge["cursor"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
    if len(cursors) != clients:
        raise RuntimeError(f"{server} shows {len(cursors)} of {clients} active clients")
    return cursors


@dataclass(frozen=True)
class Bodies:
    """The active clients, and each server's cursors."""

    clients: Sequence[Active]
    cursors: Mapping[str, Sequence[str]]

    @classmethod
    async def collect(cls, place: Place, targets: Mapping[str, Target]) -> "Bodies":
        """Ask the database for the clients and each server for its cursors; the bound needs none."""
        owner = await asyncpg.connect(place.owner_url)
        try:
            clients = await active_clients(owner)
        finally:
            await owner.close()
        cursors = {name: await cursors_of(target, name, len(clients)) for name, target in targets.items() if name != BOUND}
        return cls(clients, cursors)

    def different(self, server: str, query: Asked, cases: Sequence[Case]) -> list[str]:
        """Return the bodies of the cases, each with the marker that wrk replaces by the number of the request."""
        return [json.dumps(self._body(server, query, cases, place, {REQUEST: MARKER})) for place in range(len(cases))]

    def repeated(self, server: str, query: Asked, cases: Sequence[Case]) -> str:
        """Return the body of the first case, without a number."""
        return json.dumps(self._body(server, query, cases, 0, {}))

    def _body(self, server: str, query: Asked, cases: Sequence[Case], place: int, more: Variables) -> dict[str, object]:
        if server == BOUND:  # it only needs to know which answer to send
            return {"case": place, **more}
        ids = [client_id(client.key) for client in self.clients]
        return replace(query, variables=cases[place].variables(ids, self.cursors[server]) | more).body(server)

    def arguments(self, case: Case) -> Variables:
        """Return the values of the bound's statements, as JSON has them."""
        client = self.clients[case.position]
        found: Variables = {"ids": [str(client.key)]}
        if case.page_size is not None:
            found = {"count": case.page_size + 1}
        if case.page_size is not None and case.position:
            before = self.clients[case.position - 1]
            found |= {"after_key": before.name_key, "after_id": str(before.key)}
        start, end = case.period or (str(date.min), str(date.max))
        return found | {"start": start, "end": end}

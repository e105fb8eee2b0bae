"""How PostgreSQL runs the statements of the product: what it reads whole, and how many rows it reads."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from db.engine.batching import LEADER_PART, Batch, PendingQuery
from db.engine.statement import Query

LARGE_TABLE_ROWS = 10_000
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'relaties'::regnamespace AND relkind = 'r' AND reltuples > $1"
TENANT = "SELECT set_config('app.tenant', $1, false)"
# EXPLAIN (GENERIC_PLAN) takes no values, and so cannot be asked of a driver that always sends them.
GENERIC = """CREATE OR REPLACE FUNCTION pg_temp.generic(statement text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO plan; RETURN plan; END $$"""
HAS_GENERIC_PLAN = "SELECT bool_or(generic_plans > 0) FROM pg_prepared_statements WHERE statement = $1"
EXECUTIONS_UNTIL_GENERIC = 12  # after five plans made for their values the server may take one for all values
FROM_TABLES = "FROM relaties."  # the driver asks for types on a new connection
Node = dict[str, Any]


@dataclass(frozen=True)
class ExecutedPlan:
    """How a statement ran: the nodes of the plan made for its values, and of the one the server settled on, where it is another."""

    nodes: list[Node]
    generic: list[Node]

    def sequential_scans(self, large: set[str]) -> set[str]:
        """Return the large tables that are read from end to end."""
        return {node["Relation Name"] for node in (*self.nodes, *self.generic) if node["Node Type"] == "Seq Scan"} & large

    @property
    def rows(self) -> Counter[str]:
        """Rows read of each table, those that were then left out as well."""
        read: Counter[str] = Counter()
        for node in self.nodes:
            if "Relation Name" in node:
                each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                read[node["Relation Name"]] += round(each * node["Actual Loops"])
        return read


async def large_tables(connection: asyncpg.Connection) -> set[str]:
    """Of more than 10,000 rows, as the planner knows them."""
    return {row["relname"] for row in await connection.fetch(TABLES, LARGE_TABLE_ROWS)}


class Statement(Protocol):
    """A query, or several as one statement."""

    @property
    def sql(self) -> str: ...

    def arguments(self, values: dict[str, object]) -> list[object]: ...


@dataclass(frozen=True)
class PageWithRelation:
    """A page and a relation of its rows as one statement, and what the page is asked with."""

    page: Query[Any]
    relation: Query[Any]
    values: dict[str, object]

    @cached_property
    def batch(self) -> Batch:
        return Batch([self.page, self.relation], [0, LEADER_PART])

    @property
    def sql(self) -> str:
        return self.batch.sql

    def arguments(self, values: dict[str, object]) -> list[object]:
        answer = asyncio.get_running_loop().create_future()
        of_page = {**self.values, "tenant": values["tenant"]}
        return self.batch.arguments([PendingQuery(self.page, of_page, answer, None), PendingQuery(self.relation, values, answer, None)])


async def explain(connection: asyncpg.Connection, query: Statement, tenant: UUID, values: dict[str, object]) -> ExecutedPlan:
    """Run as the role that the connection is of, which should be the server's, as often as it takes the server to settle on a plan."""
    await connection.execute(TENANT, str(tenant))
    arguments = query.arguments({"after_key": None, "after_id": None, **values, "tenant": tenant})
    statement = await connection.prepare(query.sql)
    for _ in range(EXECUTIONS_UNTIL_GENERIC):
        await statement.fetch(*arguments)
    (executed,) = json.loads(await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.sql}", *arguments))
    generic = []
    if await connection.fetchval(HAS_GENERIC_PLAN, query.sql):
        await connection.execute(GENERIC)
        (generic_plan,) = json.loads(await connection.fetchval("SELECT pg_temp.generic($1)", query.sql))
        generic = list(_nodes(generic_plan["Plan"]))
    return ExecutedPlan(list(_nodes(executed["Plan"])), generic)


async def generic_sequential_scans(connection: asyncpg.Connection, tenant: UUID, statements: Iterable[str]) -> set[str]:
    """Return the large tables that any of these statements reads from end to end, by the generic plan."""
    await connection.execute(TENANT, str(tenant))
    await connection.execute(GENERIC)
    nodes = list[Node]()
    for statement in {each for each in statements if FROM_TABLES in each}:
        (plan,) = json.loads(await connection.fetchval("SELECT pg_temp.generic($1)", statement))
        nodes += _nodes(plan["Plan"])
    return ExecutedPlan(nodes, []).sequential_scans(await large_tables(connection))


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)

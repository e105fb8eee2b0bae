"""Show how PostgreSQL runs the product's statements: which tables it scans in full, and how many rows it reads."""

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
# EXPLAIN (GENERIC_PLAN) accepts no values and asyncpg always sends them, so a function of the session explains the text.
GENERIC = """CREATE OR REPLACE FUNCTION pg_temp.generic(statement text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO plan; RETURN plan; END $$"""
HAS_GENERIC_PLAN = "SELECT bool_or(generic_plans > 0) FROM pg_prepared_statements WHERE statement = $1"
EXECUTIONS_UNTIL_GENERIC = 12  # after five custom plans PostgreSQL may choose the generic plan
FROM_TABLES = "FROM relaties."  # excludes the statements by which asyncpg looks up types on a new connection
Node = dict[str, Any]


@dataclass(frozen=True)
class ExecutedPlan:
    """The nodes of a statement's custom plan, and those of the generic plan if the server chose one."""

    nodes: list[Node]
    generic: list[Node]

    def sequential_scans(self, large: set[str]) -> set[str]:
        """Return the large tables that are scanned in full."""
        return {node["Relation Name"] for node in (*self.nodes, *self.generic) if node["Node Type"] == "Seq Scan"} & large

    @property
    def rows(self) -> Counter[str]:
        """The number of rows read of each table, including those that a filter removed."""
        read: Counter[str] = Counter()
        for node in self.nodes:
            if "Relation Name" in node:
                each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                read[node["Relation Name"]] += round(each * node["Actual Loops"])
        return read


async def large_tables(connection: asyncpg.Connection) -> set[str]:
    """Return the tables that have more than 10,000 rows by the planner's statistics."""
    return {row["relname"] for row in await connection.fetch(TABLES, LARGE_TABLE_ROWS)}


class Statement(Protocol):
    """A query, or a batch of queries in one statement."""

    @property
    def sql(self) -> str: ...

    def arguments(self, values: dict[str, object]) -> list[object]: ...


@dataclass(frozen=True)
class PageWithRelation:
    """A page and a relation of its rows as one statement, with the arguments of the page."""

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
    """Run the statement until PostgreSQL has decided between custom and generic plan, and return how it ran.

    The connection should use the role of the server, because row-level security is part of the plan.
    """
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
    """Return the large tables that the generic plan of any of these statements scans in full."""
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

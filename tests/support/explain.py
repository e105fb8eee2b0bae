"""How PostgreSQL runs the statements of the product: what it reads whole, and how many rows it reads."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from db.engine.batching import LEADER_PART, Batch, PendingQuery
from db.engine.statement import Query
from db.queries.revenue import partial_month_bounds
from tests.support.large_organization import LargeOrganization

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
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
FILTERS: dict[str, object] = {
    "in_name": "%client%",
    "in_number": "%1%",
    "country": "NL",
    "kvk_number": "12345678",
    "vat_number": "NL123456782B01",
    "updated_since": datetime(2026, 1, 1, tzinfo=UTC),
}


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


def query_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the statements, for a page of 50."""
    after_key, after_id = large_org.middle
    after: dict[str, object] = {"after_key": after_key, "after_id": after_id}
    own: dict[str, object] = {"ids": [large_org.tenant.id]}
    beginning: dict[str, object] = {"after_key": FIRST_ID, "after_id": FIRST_ID}
    of_clients: dict[str, object] = {"ids": large_org.clients}
    member = {"member_id": large_org.member, "since": date(2022, 2, 1), "until": date(2022, 12, 31)}
    registration_filter: dict[str, object] = {"kind": "TIME", "status": "OPEN", "is_billable": True, **member}
    year: dict[str, object] = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}
    apart: dict[str, object] = {
        "start": date(2025, 12, 11),
        "end": date(2026, 3, 10),
        **partial_month_bounds(date(2025, 12, 11), date(2026, 3, 10)),
    }
    labels = {f"labels_{kind}": large_org.labels[:2] for kind in ("any", "all", "none")}
    return {
        "activity.of_clients": {**of_clients, "count": 26, "after_key": LAST_ID, "after_id": LAST_ID},
        "activity.of_contacts": {"ids": large_org.contacts, "count": 26},
        "activity.count_of_clients": of_clients,
        "activity.count_of_contacts": {"ids": large_org.contacts},
        "activity.by_id": of_clients,
        "clients.page": {"count": 51},
        "clients.page_after": {"count": 51, **after},
        "clients.page_active": {"count": 51, **after},
        "clients.page_active_by_number": {"count": 51},
        "clients.page_by_number": {"count": 51},
        "clients.page_filtered": {"count": 51, **after, **FILTERS, **labels},
        "clients.search": {"count": 51, "in_name": "%0012%", "in_number": "%0012%"},
        "clients.count": {},
        "clients.count_filtered": {**FILTERS, **labels},
        "clients.by_number": {"number": "77"},
        "clients.numbers": {"numbers": [f"{number:04}" for number in range(100)]},
        "clients.of_contacts": {"ids": large_org.contacts, "count": 26, **after},
        "clients.of_labels": {"ids": large_org.labels[:1], "count": 26},
        "clients.count_of_contacts": {"ids": large_org.contacts},
        "clients.count_of_labels": {"ids": large_org.labels},
        "clients.addresses": of_clients,
        "clients.by_id": of_clients,
        "consequences.counts": of_clients,
        "consequences.amounts": of_clients,
        "consequences.orphans": of_clients,
        "contacts.of_clients": {**of_clients, "count": 26},
        "contacts.all_of_clients": {**of_clients, "size": 25},
        "contacts.of_clients_after": {**of_clients, "count": 26, "after_key": 1, "after_id": large_org.contacts[0]},
        "contacts.page": {"count": 51, "in_name": "%person 12%", **after},
        "contacts.count": {"in_name": "%person 12%"},
        "contacts.count_of_clients": of_clients,
        "contacts.by_id": {"ids": large_org.contacts},
        "deletions.payments": {"client": large_org.clients[0]},
        "finance.of_clients": of_clients,
        "finance.invoices": {**of_clients, "count": 26, "after_key": LAST_ID, "after_id": LAST_ID},
        "finance.invoice_counts": of_clients,
        "finance.invoices_by_id": of_clients,
        "labels.page": {"count": 51, "in_name": "%label%", **after},
        "labels.count": {"in_name": "%label%"},
        "layouts.page": {"count": 26, **beginning},
        "layouts.counts": own,
        "layouts.by_id": own,
        "layouts.clients_of": own,
        "layouts.invoices_of": own,
        "months.clients": {"count": 50, "after": FIRST_ID},
        "months.wrong": {**of_clients, "since": date.min},
        "members.page": {"count": 26, **beginning},
        "members.counts": own,
        "members.by_id": own,
        "members.by_email": {"email": "owner@test.example"},
        "portals.of_clients": {**of_clients, "count": 20},
        "portals.projects": {"ids": large_org.portals, "count": 100},
        "portals.contacts": {"ids": large_org.portals, "count": 100},
        "portals.by_id": {"ids": large_org.portals},
        "projects.of_clients": {**of_clients, "count": 26},
        "projects.of_clients_archived": {**of_clients, "count": 26, "after_key": LAST_ID, "after_id": LAST_ID},
        "projects.count_of_clients": of_clients,
        "projects.count_of_clients_active": of_clients,
        "projects.registrations_of": {"ids": large_org.projects},
        "projects.invoice_lines_of": {"ids": large_org.projects},
        "projects.quote_lines_of": {"ids": large_org.projects},
        "projects.financial": {"ids": large_org.projects},
        "projects.by_id": {"ids": large_org.projects},
        "quotes.of_clients": {**of_clients, "count": 26, "after_key": LAST_ID, "after_id": LAST_ID},
        "quotes.count_of_clients": of_clients,
        "quotes.lines": {"ids": large_org.quotes, "count": 100},
        "quotes.by_id": {"ids": large_org.quotes},
        "labels.of_clients": of_clients,
        **{f"labels.{name}": {"label": large_org.rare_label} for name in ("hold_clients", "hold_projects", "hold_registrations", "fixed")},
        "labels.by_id": {"ids": large_org.labels},
        "organizations.by_id": own,
        "organizations.issued": {},
        "registrations.page": {"count": 26},
        "registrations.page_filtered": {"count": 26, **registration_filter, **beginning, "after_key": date(2022, 6, 1)},
        "registrations.of_clients": {**of_clients, "count": 26, "after_key": date(2026, 6, 1), "after_id": LAST_ID},
        "registrations.of_projects": {"ids": large_org.projects, "count": 26, **registration_filter},
        "registrations.count": {},
        "registrations.count_filtered": registration_filter,
        "registrations.count_of_clients": of_clients,
        "registrations.count_of_projects": {"ids": large_org.projects, **registration_filter},
        "registrations.financial": {"ids": large_org.registrations},
        "registrations.labels": {"ids": large_org.registrations},
        "registrations.by_id": {"ids": large_org.registrations},
        "revenue.by_client": {**of_clients, **year},
        "revenue.by_client_apart": {**of_clients, **apart},
        "revenue.total_by_client": {**of_clients, **year},
        "revenue.total_by_client_apart": {**of_clients, **apart},
        "revenue.of_all": year,
        "revenue.of_all_apart": apart,
        "revenue.of_filtered": {**FILTERS, **labels, **year},
        "revenue.of_filtered_apart": {**FILTERS, **labels, **apart},
        "tokens.every": {},
        "tokens.page": {"count": 26},
        "tokens.counts": own,
        "tokens.by_id": own,
        "vat_rates.page": {"count": 26, **beginning},
        "vat_rates.counts": own,
        "vat_rates.by_id": own,
    }

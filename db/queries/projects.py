"""Queries of projects."""

from collections.abc import Sequence
from functools import cache, partial
from uuid import UUID

from sqlalchemy import ColumnElement, select

from db.engine.protocols import Transaction
from db.engine.statement import Query
from db.queries.client_finance import CLIENT_CURRENCY
from db.rows import CountByIdRow, ProjectFinancialRow, ProjectRow
from db.sql.expressions import TENANT, col, columns, id_in, reference, requested_ids
from db.sql.fetchers import RowFetcher
from db.sql.pagination import PageSlice, count_per_parent, fetch_counts, in_order_of_ids, page_per_parent
from db.tables import Client, InvoiceLine, Organization, Project, QuoteLine, Registration
from db.tables.base import table_of

ALL = select(*columns(ProjectRow, Project)).where(col(Project.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(Project.id))), ProjectRow)
NEWEST = in_order_of_ids(Project)
FINANCIAL = Query(
    select(
        *columns(
            ProjectFinancialRow,
            Project,
            project_id=col(Project.id),
            currency=CLIENT_CURRENCY,
            client_hourly_rate=col(Client.default_hourly_rate),
        )
    )
    .select_from(table_of(Project))
    .join(*reference(Client, col(Project.client_id)))
    .join(table_of(Organization), col(Organization.tenant_id) == TENANT)
    .where(col(Project.tenant_id) == TENANT, id_in(col(Project.id))),
    ProjectFinancialRow,
)
USE_COUNTS = {
    "registration": count_per_parent(Registration, "project_id"),
    "invoice line": count_per_parent(InvoiceLine, "project_id"),
    "quote line": count_per_parent(QuoteLine, "project_id"),
}
"""The queries that count the rows that refer to a project, by the name that users know them by."""

by_id, financials = RowFetcher(BY_ID), RowFetcher(FINANCIAL, "project_id")


def _archived_condition(is_archived: bool | None) -> list[ColumnElement[bool]]:  # noqa: FBT001 three shapes of one statement
    """Return the condition for archived or for active projects; none for all projects."""
    archived_at = col(Project.archived_at)
    return [] if is_archived is None else [archived_at.is_not(None) if is_archived else archived_at.is_(None)]


@cache
def _page_per_client(*, is_archived: bool | None = None, is_ascending: bool, is_next: bool) -> Query[ProjectRow]:
    statement = ALL.where(col(Project.client_id) == requested_ids.c.id, *_archived_condition(is_archived))
    return page_per_parent(statement, ProjectRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


@cache
def _count_per_client(is_archived: bool | None) -> Query[CountByIdRow]:  # noqa: FBT001 three shapes of one statement
    return count_per_parent(Project, "client_id", *_archived_condition(is_archived))


async def of_clients(tx: Transaction, ids: Sequence[UUID], page_slice: PageSlice, *, is_archived: bool | None) -> list[list[ProjectRow]]:
    """Return a page of projects of each client in the order of their creation."""
    return await page_slice.fetch_per_parent(tx, partial(_page_per_client, is_archived=is_archived), ids, "client_id")


async def counts_of_clients(tx: Transaction, ids: Sequence[UUID], *, is_archived: bool | None) -> list[int]:
    return await fetch_counts(tx, _count_per_client(is_archived), ids)


async def count_uses(tx: Transaction, project_id: UUID) -> dict[str, int]:
    """Count the rows that refer to the project, by kind."""
    return {kind: (await fetch_counts(tx, query, [project_id]))[0] for kind, query in USE_COUNTS.items()}

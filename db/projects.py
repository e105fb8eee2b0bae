"""Queries of projects."""

from collections.abc import Sequence
from functools import cache, partial
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select

from db.engine import Tx
from db.fetching import ByKey
from db.finance import CURRENCY
from db.paging import Slice, counted, counts_of, in_order_of_ids, per_parent
from db.query import TENANT, Query, among, asked, col, columns, table_of
from db.rows import CountOfRow, ProjectFinancialRow, ProjectRow
from db.tables import Client, InvoiceLine, Organization, Project, QuoteLine, Registration

ALL = select(*columns(ProjectRow, Project)).where(col(Project.tenant_id) == TENANT)
BY_ID = Query(ALL.where(among(col(Project.id))), ProjectRow)
NEWEST = in_order_of_ids(Project)
FINANCIAL = Query(
    select(
        *columns(
            ProjectFinancialRow,
            Project,
            project_id=col(Project.id),
            currency=CURRENCY,
            client_hourly_rate=col(Client.default_hourly_rate),
        )
    )
    .select_from(table_of(Project))
    .join(table_of(Client), and_(col(Client.tenant_id) == TENANT, col(Client.id) == col(Project.client_id)))
    .join(table_of(Organization), col(Organization.tenant_id) == TENANT)
    .where(col(Project.tenant_id) == TENANT, among(col(Project.id))),
    ProjectFinancialRow,
)
USES = {
    "registration": counted(Registration, "project_id"),
    "invoice line": counted(InvoiceLine, "project_id"),
    "quote line": counted(QuoteLine, "project_id"),
}
"""What stands on a project, by what users call one."""

by_id, financial = ByKey(BY_ID), ByKey(FINANCIAL, "project_id")


def _those(is_archived: bool | None) -> list[ColumnElement[bool]]:  # noqa: FBT001 three shapes of one statement
    """All, only the archived or only the active."""
    since = col(Project.archived_at)
    return [] if is_archived is None else [since.is_not(None) if is_archived else since.is_(None)]


@cache
def _of_clients(*, is_archived: bool | None = None, is_ascending: bool, is_next: bool) -> Query[ProjectRow]:
    each = ALL.where(col(Project.client_id) == asked.c.id, *_those(is_archived))
    return per_parent(each, ProjectRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


@cache
def _of_client(is_archived: bool | None) -> Query[CountOfRow]:  # noqa: FBT001 three shapes of one statement
    return counted(Project, "client_id", *_those(is_archived))


async def of_clients(tx: Tx, ids: Sequence[UUID], part: Slice, *, is_archived: bool | None) -> list[list[ProjectRow]]:
    """Projects of each client in the order of their making."""
    return await part.of_each(tx, partial(_of_clients, is_archived=is_archived), ids, "client_id")


async def counts_of_clients(tx: Tx, ids: Sequence[UUID], *, is_archived: bool | None) -> list[int]:
    return await counts_of(tx, _of_client(is_archived), ids)


async def uses(tx: Tx, project_id: UUID) -> dict[str, int]:
    """How many of each stand on it."""
    return {of: (await counts_of(tx, query, [project_id]))[0] for of, query in USES.items()}

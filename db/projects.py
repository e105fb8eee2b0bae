"""Queries of projects."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Uuid, and_, select
from sqlmodel import col

from db.engine import Tx
from db.finance import CURRENCY
from db.paging import Place, Slice, counted, counts_of, per_parent
from db.query import TENANT, Query, among, asked, by_key, columns
from db.rows import ProjectFinancialRow, ProjectRow
from db.tables import Client, Organization, Project

BY_ID = Query(select(*columns(ProjectRow, Project)).where(col(Project.tenant_id) == TENANT, among(col(Project.id))), ProjectRow)
NEWEST = Place(col(Project.id), Uuid(), col(Project.id), "id")


@cache
def _of_clients(*, is_ascending: bool, is_next: bool) -> Query[ProjectRow]:
    each = select(*columns(ProjectRow, Project)).where(col(Project.tenant_id) == TENANT, col(Project.client_id) == asked.c.id)
    return per_parent(each, ProjectRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


OF_CLIENT = counted(Project, "client_id")
FINANCIAL = Query(
    select(*columns(ProjectFinancialRow, Project, project_id=col(Project.id), currency=CURRENCY))
    .select_from(Project)
    .join(Client, and_(col(Client.tenant_id) == TENANT, col(Client.id) == col(Project.client_id)))
    .join(Organization, col(Organization.tenant_id) == TENANT)
    .where(col(Project.tenant_id) == TENANT, among(col(Project.id))),
    ProjectFinancialRow,
)


async def counts_of_clients(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_CLIENT, ids)


async def financial(tx: Tx, ids: Sequence[UUID]) -> list[ProjectFinancialRow | None]:
    return by_key(await tx.fetch(FINANCIAL, ids=ids), ids, "project_id")


async def of_clients(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[ProjectRow]]:
    """Projects of each client in the order of their making."""
    return await part.of_each(tx, _of_clients, ids, "client_id")


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[ProjectRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)

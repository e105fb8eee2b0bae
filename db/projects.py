"""Queries of projects."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Uuid, select
from sqlmodel import col

from db.engine import Tx
from db.paging import Place, Slice, per_parent
from db.query import TENANT, Query, among, asked, by_key, columns
from db.rows import ProjectRow
from db.tables import Project

BY_ID = Query(select(*columns(ProjectRow, Project)).where(col(Project.tenant_id) == TENANT, among(col(Project.id))), ProjectRow)
NEWEST = Place(col(Project.id), Uuid(), col(Project.id), "id")


@cache
def _of_clients(*, is_ascending: bool, is_next: bool) -> Query[ProjectRow]:
    each = select(*columns(ProjectRow, Project)).where(col(Project.tenant_id) == TENANT, col(Project.client_id) == asked.c.id)
    return per_parent(each, ProjectRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


async def of_clients(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[ProjectRow]]:
    """Projects of each client in the order of their making."""
    return await part.fetch(tx, _of_clients, ids, "client_id")


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[ProjectRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)

"""Queries of portals: what each shows, and to whom."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, select

from db.engine import Tx
from db.paging import Place, per_parent
from db.query import TENANT, Query, among, asked, by_key, col, columns, grouped, table_of
from db.rows import PortalContactRow, PortalProjectRow, PortalRow
from db.tables import ClientPortal, Contact, PortalAccess, PortalProject, Project

ALL = select(*columns(PortalRow, ClientPortal)).where(col(ClientPortal.tenant_id) == TENANT)
BY_ID = Query(ALL.where(among(col(ClientPortal.id))), PortalRow)
OF_CLIENTS = per_parent(
    ALL.where(col(ClientPortal.client_id) == asked.c.id),
    PortalRow,
    Place(col(ClientPortal.id), Uuid(), col(ClientPortal.id), "id"),
    is_ascending=False,
    is_next=False,
)
PROJECTS = per_parent(
    select(*columns(PortalProjectRow, Project, portal_id=col(PortalProject.portal_id)))
    .select_from(table_of(PortalProject))
    .join(table_of(Project), and_(col(Project.tenant_id) == TENANT, col(Project.id) == col(PortalProject.project_id)))
    .where(col(PortalProject.tenant_id) == TENANT, col(PortalProject.portal_id) == asked.c.id),
    PortalProjectRow,
    Place(col(Project.id), Uuid(), col(Project.id), "id"),
    is_ascending=False,
    is_next=False,
)
CONTACTS = per_parent(
    select(*columns(PortalContactRow, Contact, portal_id=col(PortalAccess.portal_id)))
    .select_from(table_of(PortalAccess))
    .join(table_of(Contact), and_(col(Contact.tenant_id) == TENANT, col(Contact.id) == col(PortalAccess.contact_id)))
    .where(col(PortalAccess.tenant_id) == TENANT, col(PortalAccess.portal_id) == asked.c.id),
    PortalContactRow,
    Place(col(Contact.name_key), Text(), col(Contact.id), "name_key"),
    is_ascending=True,
    is_next=False,
)


async def of_clients(tx: Tx, ids: Sequence[UUID], *, count: int) -> list[list[PortalRow]]:
    """The newest so many portals of each client."""
    return grouped(await tx.fetch(OF_CLIENTS, ids=ids, count=count), ids, "client_id")


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[PortalRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)


async def projects(tx: Tx, ids: Sequence[UUID], *, count: int) -> list[list[PortalProjectRow]]:
    """The newest so many projects that each portal shows."""
    return grouped(await tx.fetch(PROJECTS, ids=ids, count=count), ids, "portal_id")


async def contacts(tx: Tx, ids: Sequence[UUID], *, count: int) -> list[list[PortalContactRow]]:
    """The first so many, by name, who have access to each portal."""
    return grouped(await tx.fetch(CONTACTS, ids=ids, count=count), ids, "portal_id")

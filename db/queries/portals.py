"""Queries of client portals: the projects that each shows, and the contacts who have access."""

from sqlalchemy import select

from db.engine.statement import Query
from db.rows import PortalContactRow, PortalProjectRow, PortalRow
from db.sql.expressions import TENANT, col, columns, id_in, reference, requested_ids
from db.sql.fetchers import GroupFetcher, RowFetcher
from db.sql.pagination import in_order_of_ids, in_order_of_names, page_per_parent
from db.tables import ClientPortal, Contact, PortalAccess, PortalProject, Project
from db.tables.base import table_of

ALL = select(*columns(PortalRow, ClientPortal)).where(col(ClientPortal.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(ClientPortal.id))), PortalRow)
OF_CLIENTS = page_per_parent(
    ALL.where(col(ClientPortal.client_id) == requested_ids.c.id), PortalRow, in_order_of_ids(ClientPortal), is_ascending=False
)
PROJECTS = page_per_parent(
    select(*columns(PortalProjectRow, Project, portal_id=col(PortalProject.portal_id)))
    .select_from(table_of(PortalProject))
    .join(*reference(Project, col(PortalProject.project_id)))
    .where(col(PortalProject.tenant_id) == TENANT, col(PortalProject.portal_id) == requested_ids.c.id),
    PortalProjectRow,
    in_order_of_ids(Project),
    is_ascending=False,
)
CONTACTS = page_per_parent(
    select(*columns(PortalContactRow, Contact, portal_id=col(PortalAccess.portal_id)))
    .select_from(table_of(PortalAccess))
    .join(*reference(Contact, col(PortalAccess.contact_id)))
    .where(col(PortalAccess.tenant_id) == TENANT, col(PortalAccess.portal_id) == requested_ids.c.id),
    PortalContactRow,
    in_order_of_names(Contact),
    is_ascending=True,
)

by_id = RowFetcher(BY_ID)
of_clients = GroupFetcher(OF_CLIENTS, "client_id")
"""The newest `count` portals of each client."""
projects = GroupFetcher(PROJECTS, "portal_id")
"""The newest `count` projects that each portal shows."""
contacts = GroupFetcher(CONTACTS, "portal_id")
"""The first `count` contacts, by name, who have access to each portal."""

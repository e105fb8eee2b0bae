"""Queries of audit events."""

from functools import cache, partial

from sqlalchemy import select

from db.engine.statement import Query
from db.rows import EventRow
from db.sql.expressions import TENANT, col, columns, id_in, requested_ids
from db.sql.fetchers import CountFetcher, PagePerParentFetcher, RowFetcher
from db.sql.pagination import count_per_parent, in_order_of_ids, page_per_parent
from db.tables import AuditEvent

ALL = select(*columns(EventRow, AuditEvent)).where(col(AuditEvent.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(AuditEvent.id))), EventRow)
NEWEST = in_order_of_ids(AuditEvent)
OF_CLIENT = count_per_parent(AuditEvent, "client_id")
OF_CONTACT = count_per_parent(AuditEvent, "contact_id")


@cache
def _page_per_parent(parent: str, *, is_ascending: bool, is_next: bool) -> Query[EventRow]:
    statement = ALL.where(col(getattr(AuditEvent, parent)) == requested_ids.c.id)
    return page_per_parent(statement, EventRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


of_clients = PagePerParentFetcher(partial(_page_per_parent, "client_id"), "client_id")
"""Events of each client in the order of their creation."""
of_contacts = PagePerParentFetcher(partial(_page_per_parent, "contact_id"), "contact_id")
"""Events of each contact in the order of their creation."""
counts_of_clients, counts_of_contacts, by_id = CountFetcher(OF_CLIENT), CountFetcher(OF_CONTACT), RowFetcher(BY_ID)

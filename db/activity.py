"""Queries of what happened."""

from functools import cache, partial

from sqlalchemy import select

from db.fetching import ByKey, Counts, PagesOfEach
from db.paging import counted, in_order_of_ids, per_parent
from db.query import TENANT, Query, among, asked, col, columns
from db.rows import EventRow
from db.tables import AuditEvent

ALL = select(*columns(EventRow, AuditEvent)).where(col(AuditEvent.tenant_id) == TENANT)
BY_ID = Query(ALL.where(among(col(AuditEvent.id))), EventRow)
NEWEST = in_order_of_ids(AuditEvent)
OF_CLIENT = counted(AuditEvent, "client_id")
OF_CONTACT = counted(AuditEvent, "contact_id")


@cache
def _of_each(parent: str, *, is_ascending: bool, is_next: bool) -> Query[EventRow]:
    each = ALL.where(col(getattr(AuditEvent, parent)) == asked.c.id)
    return per_parent(each, EventRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


of_clients = PagesOfEach(partial(_of_each, "client_id"), "client_id")
"""Events of each client in the order of their creation."""
of_contacts = PagesOfEach(partial(_of_each, "contact_id"), "contact_id")
"""Events of each contact in the order of their creation."""
counts_of_clients, counts_of_contacts, by_id = Counts(OF_CLIENT), Counts(OF_CONTACT), ByKey(BY_ID)

"""Queries of audit events."""

from sqlalchemy import select

from db.engine.statement import Query
from db.rows import EventRow
from db.sql.expressions import TENANT, col, columns, id_in
from db.sql.fetchers import CountFetcher, PagePerParentFetcher, RowFetcher
from db.sql.pagination import count_per_parent
from db.tables import AuditEvent

ALL = select(*columns(EventRow, AuditEvent)).where(col(AuditEvent.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(AuditEvent.id))), EventRow)
OF_CLIENT = count_per_parent(AuditEvent, "client_id")
OF_CONTACT = count_per_parent(AuditEvent, "contact_id")

of_clients = PagePerParentFetcher.by_creation(ALL, EventRow, AuditEvent, "client_id")
"""Events of each client in the order of their creation."""
of_contacts = PagePerParentFetcher.by_creation(ALL, EventRow, AuditEvent, "contact_id")
"""Events of each contact in the order of their creation."""
counts_of_clients, counts_of_contacts, by_id = CountFetcher(OF_CLIENT), CountFetcher(OF_CONTACT), RowFetcher(BY_ID)

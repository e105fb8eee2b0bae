"""Queries of invoices."""

from sqlalchemy import select

from db.engine.statement import Query
from db.rows import InvoiceRow
from db.sql.expressions import TENANT, col, columns, id_in
from db.sql.fetchers import CountFetcher, PagePerParentFetcher, RowFetcher
from db.sql.pagination import count_per_parent
from db.tables import Invoice

ALL = select(*columns(InvoiceRow, Invoice)).where(col(Invoice.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(Invoice.id))), InvoiceRow)
OF_CLIENT = count_per_parent(Invoice, "client_id")

of_clients = PagePerParentFetcher.by_creation(ALL, InvoiceRow, Invoice, "client_id")
"""Invoices of each client in the order of their creation."""
counts, by_id = CountFetcher(OF_CLIENT), RowFetcher(BY_ID)

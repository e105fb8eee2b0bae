"""Queries of invoices."""

from functools import cache, partial

from sqlalchemy import select

from db.engine.statement import Query
from db.rows import InvoiceRow
from db.sql.expressions import TENANT, col, columns, id_in, requested_ids
from db.sql.fetchers import CountFetcher, PagePerParentFetcher, RowFetcher
from db.sql.pagination import count_per_parent, in_order_of_ids, page_per_parent
from db.tables import Invoice

ALL = select(*columns(InvoiceRow, Invoice)).where(col(Invoice.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(Invoice.id))), InvoiceRow)
OF_CLIENT = count_per_parent(Invoice, "client_id")
_page_per_client = cache(
    partial(page_per_parent, ALL.where(col(Invoice.client_id) == requested_ids.c.id), InvoiceRow, in_order_of_ids(Invoice))
)

of_clients = PagePerParentFetcher(_page_per_client, "client_id")
"""Invoices of each client in the order of their creation."""
counts, by_id = CountFetcher(OF_CLIENT), RowFetcher(BY_ID)

"""Queries of financial settings and invoices of clients."""

from functools import cache, partial

from sqlalchemy import and_, func, select

from db.engine.statement import Query
from db.rows import FinancialRow, InvoiceRow
from db.sql.expressions import TENANT, col, columns, id_in, requested_ids
from db.sql.fetchers import CountFetcher, PagePerParentFetcher, RowFetcher
from db.sql.pagination import count_per_parent, in_order_of_ids, page_per_parent
from db.tables import Client, Invoice, Organization
from db.tables.base import table_of

CURRENCY = func.coalesce(col(Client.currency), col(Organization.base_currency))
OF_CLIENTS = Query(
    select(*columns(FinancialRow, Client, client_id=col(Client.id), currency=CURRENCY))
    .select_from(table_of(Client))
    .join(table_of(Organization), and_(col(Organization.tenant_id) == TENANT, col(Client.tenant_id) == TENANT))
    .where(id_in(col(Client.id))),
    FinancialRow,
)
INVOICES = select(*columns(InvoiceRow, Invoice)).where(col(Invoice.tenant_id) == TENANT)
INVOICES_BY_ID = Query(INVOICES.where(id_in(col(Invoice.id))), InvoiceRow)
OF_CLIENT = count_per_parent(Invoice, "client_id")
_page_per_client = cache(
    partial(page_per_parent, INVOICES.where(col(Invoice.client_id) == requested_ids.c.id), InvoiceRow, in_order_of_ids(Invoice))
)

of_clients = RowFetcher(OF_CLIENTS, "client_id")
invoices = PagePerParentFetcher(_page_per_client, "client_id")
"""Invoices of each client in the order of their creation."""
invoice_counts, invoices_by_id = CountFetcher(OF_CLIENT), RowFetcher(INVOICES_BY_ID)

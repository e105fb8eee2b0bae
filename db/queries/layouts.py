"""Queries of invoice layouts."""

from uuid import UUID

from sqlalchemy import select

from db.engine.protocols import Transaction
from db.engine.statement import Query
from db.rows import InvoiceLayoutRow
from db.sql.expressions import TENANT, col, columns, id_in
from db.sql.fetchers import CountFetcher, PageFetcher, RowFetcher
from db.sql.pagination import count_per_parent, fetch_counts
from db.tables import Client, Invoice, InvoiceLayout

ALL = select(*columns(InvoiceLayoutRow, InvoiceLayout)).where(col(InvoiceLayout.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(InvoiceLayout.id))), InvoiceLayoutRow)
OF_ORGANIZATION = count_per_parent(InvoiceLayout, "tenant_id")
CLIENT_COUNTS = count_per_parent(Client, "invoice_layout_id")
INVOICE_COUNTS = count_per_parent(Invoice, "layout_id")

page = PageFetcher.by_creation(ALL, InvoiceLayoutRow, InvoiceLayout)
"""Layouts in the order of their creation."""
counts, by_id = CountFetcher(OF_ORGANIZATION), RowFetcher(BY_ID)


async def count_uses(tx: Transaction, layout_id: UUID) -> tuple[int, int]:
    """Count the clients and the invoices that use the layout."""
    (clients,), (invoices,) = await fetch_counts(tx, CLIENT_COUNTS, [layout_id]), await fetch_counts(tx, INVOICE_COUNTS, [layout_id])
    return clients, invoices

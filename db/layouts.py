"""Queries of invoice layouts."""

from functools import cache, partial
from uuid import UUID

from sqlalchemy import select

from db.engine import Tx
from db.fetching import ByKey, Counts, Pages
from db.paging import Listing, counted, counts_of, in_order_of_ids
from db.query import TENANT, Query, among, col, columns
from db.rows import InvoiceLayoutRow
from db.tables import Client, Invoice, InvoiceLayout

MINE = col(InvoiceLayout.tenant_id) == TENANT
ALL = select(*columns(InvoiceLayoutRow, InvoiceLayout)).where(MINE)
BY_ID = Query(ALL.where(among(col(InvoiceLayout.id))), InvoiceLayoutRow)
IN_ORDER = Listing(ALL, InvoiceLayoutRow, in_order_of_ids(InvoiceLayout))
OF_ORGANIZATION = counted(InvoiceLayout, "tenant_id")
CLIENTS_OF = counted(Client, "invoice_layout_id")
INVOICES_OF = counted(Invoice, "layout_id")
_page = cache(partial(IN_ORDER.page, [MINE]))

page = Pages(_page)
"""Layouts in the order of their creation."""
counts, by_id = Counts(OF_ORGANIZATION), ByKey(BY_ID)


async def uses(tx: Tx, layout_id: UUID) -> tuple[int, int]:
    """How many clients and how many invoices have it."""
    (clients,), (invoices,) = await counts_of(tx, CLIENTS_OF, [layout_id]), await counts_of(tx, INVOICES_OF, [layout_id])
    return clients, invoices

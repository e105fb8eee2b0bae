"""Queries of invoice layouts."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Uuid, select

from db.engine import Tx
from db.paging import Listing, Place, Slice, counted, counts_of
from db.query import TENANT, Query, among, by_key, col, columns
from db.rows import InvoiceLayoutRow
from db.tables import Client, Invoice, InvoiceLayout

MINE = col(InvoiceLayout.tenant_id) == TENANT
ALL = select(*columns(InvoiceLayoutRow, InvoiceLayout)).where(MINE)
BY_ID = Query(ALL.where(among(col(InvoiceLayout.id))), InvoiceLayoutRow)
IN_ORDER = Listing(ALL, InvoiceLayoutRow, Place(col(InvoiceLayout.id), Uuid(), col(InvoiceLayout.id), "id"))
OF_ORGANIZATION = counted(InvoiceLayout, "tenant_id")
CLIENTS_OF = counted(Client, "invoice_layout_id")
INVOICES_OF = counted(Invoice, "layout_id")


@cache
def _page(*, is_ascending: bool, is_next: bool) -> Query[InvoiceLayoutRow]:
    return IN_ORDER.page([MINE], is_ascending=is_ascending, is_next=is_next)


async def page(tx: Tx, part: Slice) -> list[InvoiceLayoutRow]:
    """Layouts in the order of their making."""
    return await part.fetch(tx, _page)


async def counts(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_ORGANIZATION, ids)


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[InvoiceLayoutRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)


async def uses(tx: Tx, layout_id: UUID) -> tuple[int, int]:
    """How many clients and how many invoices have it."""
    (clients,), (invoices,) = await counts_of(tx, CLIENTS_OF, [layout_id]), await counts_of(tx, INVOICES_OF, [layout_id])
    return clients, invoices

"""Queries of financial settings and invoices of clients."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Uuid, and_, func, select

from db.engine import Tx
from db.paging import Place, Slice, counted, counts_of, per_parent
from db.query import TENANT, Query, among, asked, by_key, col, columns, table_of
from db.rows import FinancialRow, InvoiceRow
from db.tables import Client, Invoice, Organization

CURRENCY = func.coalesce(col(Client.currency), col(Organization.base_currency))
OF_CLIENTS = Query(
    select(*columns(FinancialRow, Client, client_id=col(Client.id), currency=CURRENCY))
    .select_from(table_of(Client))
    .join(table_of(Organization), and_(col(Organization.tenant_id) == TENANT, col(Client.tenant_id) == TENANT))
    .where(among(col(Client.id))),
    FinancialRow,
)
INVOICES_BY_ID = Query(select(*columns(InvoiceRow, Invoice)).where(col(Invoice.tenant_id) == TENANT, among(col(Invoice.id))), InvoiceRow)
NEWEST = Place(col(Invoice.id), Uuid(), col(Invoice.id), "id")


@cache
def _invoices(*, is_ascending: bool, is_next: bool) -> Query[InvoiceRow]:
    each = select(*columns(InvoiceRow, Invoice)).where(col(Invoice.tenant_id) == TENANT, col(Invoice.client_id) == asked.c.id)
    return per_parent(each, InvoiceRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


OF_CLIENT = counted(Invoice, "client_id")


async def invoice_counts(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_CLIENT, ids)


async def of_clients(tx: Tx, ids: Sequence[UUID]) -> list[FinancialRow | None]:
    return by_key(await tx.fetch(OF_CLIENTS, ids=ids), ids, "client_id")


async def invoices(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[InvoiceRow]]:
    """Invoices of each client in the order of their making."""
    return await part.of_each(tx, _invoices, ids, "client_id")


async def invoices_by_id(tx: Tx, ids: Sequence[UUID]) -> list[InvoiceRow | None]:
    return by_key(await tx.fetch(INVOICES_BY_ID, ids=ids), ids)

"""Queries of quotes."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Integer, Uuid, and_, select

from db.engine import Tx
from db.paging import Place, Slice, counted, counts_of, per_parent
from db.query import TENANT, Query, among, asked, by_key, col, columns, grouped, table_of
from db.rows import QuoteLineRow, QuoteRow
from db.tables import Quote, QuoteLine

BY_ID = Query(select(*columns(QuoteRow, Quote)).where(col(Quote.tenant_id) == TENANT, among(col(Quote.id))), QuoteRow)
NEWEST = Place(col(Quote.id), Uuid(), col(Quote.id), "id")
OF_CLIENT = counted(Quote, "client_id")
LINES = per_parent(
    select(*columns(QuoteLineRow, QuoteLine, currency=col(Quote.currency)))
    .select_from(table_of(QuoteLine))
    .join(table_of(Quote), and_(col(Quote.tenant_id) == TENANT, col(Quote.id) == col(QuoteLine.quote_id)))
    .where(col(QuoteLine.tenant_id) == TENANT, col(QuoteLine.quote_id) == asked.c.id),
    QuoteLineRow,
    Place(col(QuoteLine.position), Integer(), col(QuoteLine.id), "position"),
    is_ascending=True,
    is_next=False,
)


@cache
def _of_clients(*, is_ascending: bool, is_next: bool) -> Query[QuoteRow]:
    each = select(*columns(QuoteRow, Quote)).where(col(Quote.tenant_id) == TENANT, col(Quote.client_id) == asked.c.id)
    return per_parent(each, QuoteRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


async def of_clients(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[QuoteRow]]:
    """Quotes of each client in the order of their making."""
    return await part.of_each(tx, _of_clients, ids, "client_id")


async def counts(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_CLIENT, ids)


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[QuoteRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)


async def lines(tx: Tx, ids: Sequence[UUID], *, count: int) -> list[list[QuoteLineRow]]:
    """The first so many lines of each quote."""
    return grouped(await tx.fetch(LINES, ids=ids, count=count), ids, "quote_id")

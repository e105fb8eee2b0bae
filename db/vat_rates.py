"""Queries of rates of VAT."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Uuid, select

from db.engine import Tx
from db.paging import Listing, Place, Slice, counted, counts_of
from db.query import TENANT, Query, among, by_key, col, columns
from db.rows import VatRateRow
from db.tables import VatRate

MINE = col(VatRate.tenant_id) == TENANT
ALL = select(*columns(VatRateRow, VatRate)).where(MINE)
BY_ID = Query(ALL.where(among(col(VatRate.id))), VatRateRow)
IN_ORDER = Listing(ALL, VatRateRow, Place(col(VatRate.id), Uuid(), col(VatRate.id), "id"))
OF_ORGANIZATION = counted(VatRate, "tenant_id")


@cache
def _page(*, is_ascending: bool, is_next: bool) -> Query[VatRateRow]:
    return IN_ORDER.page([MINE], is_ascending=is_ascending, is_next=is_next)


async def page(tx: Tx, part: Slice) -> list[VatRateRow]:
    """Rates in the order of their making."""
    return await part.fetch(tx, _page)


async def counts(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_ORGANIZATION, ids)


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[VatRateRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)

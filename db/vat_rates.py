"""Queries of rates of VAT."""

from functools import cache, partial

from sqlalchemy import select

from db.fetching import ByKey, Counts, Pages
from db.paging import Listing, counted, in_order_of_ids
from db.query import TENANT, Query, among, col, columns
from db.rows import VatRateRow
from db.tables import VatRate

MINE = col(VatRate.tenant_id) == TENANT
ALL = select(*columns(VatRateRow, VatRate)).where(MINE)
BY_ID = Query(ALL.where(among(col(VatRate.id))), VatRateRow)
IN_ORDER = Listing(ALL, VatRateRow, in_order_of_ids(VatRate))
OF_ORGANIZATION = counted(VatRate, "tenant_id")
_page = cache(partial(IN_ORDER.page, [MINE]))

page = Pages(_page)
"""Rates in the order of their creation."""
counts, by_id = Counts(OF_ORGANIZATION), ByKey(BY_ID)

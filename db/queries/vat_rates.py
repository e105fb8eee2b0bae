"""Queries of rates of VAT."""

from functools import cache, partial

from sqlalchemy import select

from db.engine.statement import Query
from db.rows import VatRateRow
from db.sql.expressions import TENANT, col, columns, id_in
from db.sql.fetchers import CountFetcher, PageFetcher, RowFetcher
from db.sql.pagination import Listing, count_per_parent, in_order_of_ids
from db.tables import VatRate

IN_TENANT = col(VatRate.tenant_id) == TENANT
ALL = select(*columns(VatRateRow, VatRate)).where(IN_TENANT)
BY_ID = Query(ALL.where(id_in(col(VatRate.id))), VatRateRow)
IN_ORDER = Listing(ALL, VatRateRow, in_order_of_ids(VatRate))
OF_ORGANIZATION = count_per_parent(VatRate, "tenant_id")
_page = cache(partial(IN_ORDER.page, [IN_TENANT]))

page = PageFetcher(_page)
"""Rates in the order of their creation."""
counts, by_id = CountFetcher(OF_ORGANIZATION), RowFetcher(BY_ID)

"""Queries of VAT rates."""

from sqlalchemy import select

from db.engine.statement import Query
from db.rows import VatRateRow
from db.sql.expressions import TENANT, col, columns, id_in
from db.sql.fetchers import CountFetcher, PageFetcher, RowFetcher
from db.sql.pagination import count_per_parent
from db.tables import VatRate

ALL = select(*columns(VatRateRow, VatRate)).where(col(VatRate.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(VatRate.id))), VatRateRow)
OF_ORGANIZATION = count_per_parent(VatRate, "tenant_id")

page = PageFetcher.by_creation(ALL, VatRateRow, VatRate)
"""VAT rates in the order of their creation."""
counts, by_id = CountFetcher(OF_ORGANIZATION), RowFetcher(BY_ID)

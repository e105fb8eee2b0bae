"""Queries of quotes."""

from sqlalchemy import Integer, select

from db.engine.statement import Query
from db.rows import QuoteLineRow, QuoteRow
from db.sql.expressions import TENANT, col, columns, id_in, reference, requested_ids
from db.sql.fetchers import CountFetcher, GroupFetcher, PagePerParentFetcher, RowFetcher
from db.sql.pagination import SortKey, count_per_parent, page_per_parent
from db.tables import Quote, QuoteLine
from db.tables.base import table_of

ALL = select(*columns(QuoteRow, Quote)).where(col(Quote.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(Quote.id))), QuoteRow)
OF_CLIENT = count_per_parent(Quote, "client_id")
LINES = page_per_parent(
    select(*columns(QuoteLineRow, QuoteLine, currency=col(Quote.currency)))
    .select_from(table_of(QuoteLine))
    .join(*reference(Quote, col(QuoteLine.quote_id)))
    .where(col(QuoteLine.tenant_id) == TENANT, col(QuoteLine.quote_id) == requested_ids.c.id),
    QuoteLineRow,
    SortKey(col(QuoteLine.position), Integer(), col(QuoteLine.id), "position"),
    is_ascending=True,
)

of_clients = PagePerParentFetcher.by_creation(ALL, QuoteRow, Quote, "client_id")
"""Quotes of each client in the order of their creation."""
lines = GroupFetcher(LINES, "quote_id")
"""The first `count` lines of each quote."""
counts, by_id = CountFetcher(OF_CLIENT), RowFetcher(BY_ID)

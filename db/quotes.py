"""Queries of quotes."""

from functools import cache, partial

from sqlalchemy import Integer, and_, select

from db.fetching import ByKey, Counts, GroupsByKey, PagesOfEach
from db.paging import Place, counted, in_order_of_ids, per_parent
from db.query import TENANT, Query, among, asked, col, columns, table_of
from db.rows import QuoteLineRow, QuoteRow
from db.tables import Quote, QuoteLine

ALL = select(*columns(QuoteRow, Quote)).where(col(Quote.tenant_id) == TENANT)
BY_ID = Query(ALL.where(among(col(Quote.id))), QuoteRow)
OF_CLIENT = counted(Quote, "client_id")
LINES = per_parent(
    select(*columns(QuoteLineRow, QuoteLine, currency=col(Quote.currency)))
    .select_from(table_of(QuoteLine))
    .join(table_of(Quote), and_(col(Quote.tenant_id) == TENANT, col(Quote.id) == col(QuoteLine.quote_id)))
    .where(col(QuoteLine.tenant_id) == TENANT, col(QuoteLine.quote_id) == asked.c.id),
    QuoteLineRow,
    Place(col(QuoteLine.position), Integer(), col(QuoteLine.id), "position"),
    is_ascending=True,
)
_of_clients = cache(partial(per_parent, ALL.where(col(Quote.client_id) == asked.c.id), QuoteRow, in_order_of_ids(Quote)))

of_clients = PagesOfEach(_of_clients, "client_id")
"""Quotes of each client in the order of their creation."""
lines = GroupsByKey(LINES, "quote_id")
"""The first `count` lines of each quote."""
counts, by_id = Counts(OF_CLIENT), ByKey(BY_ID)

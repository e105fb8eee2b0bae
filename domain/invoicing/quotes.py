"""Read quotes. Callers without FINANCE_READ get None, not an error."""

from operator import attrgetter

from db.queries import quotes as rows
from db.rows import QuoteRow
from domain.core.pagination import PagePerParentReader, SortOrder
from domain.core.scope import Permission, hide_without, require

NEWEST_FIRST: SortOrder[QuoteRow] = SortOrder("client.quotes.newest", attrgetter("id", "id"), is_ascending=False)
MAX_LINES = 100

of_clients = hide_without(Permission.FINANCE_READ, PagePerParentReader(NEWEST_FIRST, rows.of_clients))
"""Return the quotes of each client, newest first."""
counts = require(Permission.FINANCE_READ, rows.counts)
"""Return the number of quotes of each client. It needs no None: without FINANCE_READ there is no page that asks for it."""
by_id = hide_without(Permission.FINANCE_READ, rows.by_id)
lines = require(Permission.FINANCE_READ, rows.lines.limit(MAX_LINES))
"""Return the lines of each quote by position."""

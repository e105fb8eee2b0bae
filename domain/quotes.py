"""Rules of quotes. Only those see them who may see figures; others get nothing, not an error."""

from operator import attrgetter

from db import quotes as rows
from db.rows import QuoteRow
from domain.pages import Order, PagesOfEach
from domain.scope import Permission, hide_without, require

NEWEST: Order[QuoteRow] = Order("client.quotes.newest", attrgetter("id", "id"), is_ascending=False)
MOST_LINES = 100

of_clients = hide_without(Permission.FINANCE_READ, PagesOfEach(NEWEST, rows.of_clients))
"""The quotes of each client, the newest first."""
counts = require(Permission.FINANCE_READ, rows.counts)
"""How many quotes each client has. Only callers who may see figures have a page to ask it of."""
by_id = hide_without(Permission.FINANCE_READ, rows.by_id)
lines = require(Permission.FINANCE_READ, rows.lines.first(MOST_LINES))
"""The lines of each quote, by their position."""

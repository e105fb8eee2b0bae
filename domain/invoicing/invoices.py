"""Read invoices. Callers without FINANCE_READ get None, not an error."""

from operator import attrgetter

from db.queries import invoices as rows
from db.rows import InvoiceRow
from domain.core.pagination import PagePerParentReader, SortOrder
from domain.core.scope import Permission, hide_without, require

NEWEST_FIRST: SortOrder[InvoiceRow] = SortOrder("client.invoices.newest", attrgetter("id", "id"), is_ascending=False)

of_clients = hide_without(Permission.FINANCE_READ, PagePerParentReader(NEWEST_FIRST, rows.of_clients))
"""Return the invoices of each client, newest first."""
counts = require(Permission.FINANCE_READ, rows.counts)
"""Return the number of invoices of each client. It needs no None: without FINANCE_READ there is no page that asks for it."""
by_id = hide_without(Permission.FINANCE_READ, rows.by_id)

"""Rules of what only those see who may see figures: financial settings and invoices. Others get nothing, not an error."""

from operator import attrgetter

from db import finance as rows
from db.rows import InvoiceRow
from domain.pages import Order, PagesOfEach
from domain.scope import Permission, hide_without, require

NEWEST: Order[InvoiceRow] = Order("client.invoices.newest", attrgetter("id", "id"), is_ascending=False)

of_clients = hide_without(Permission.FINANCE_READ, rows.of_clients)
"""The financial settings of each client."""
invoices = hide_without(Permission.FINANCE_READ, PagesOfEach(NEWEST, rows.invoices))
"""The invoices of each client, the newest first."""
invoice_counts = require(Permission.FINANCE_READ, rows.invoice_counts)
"""How many invoices each client has. Only callers who may see figures have a page to ask it of."""
invoices_by_id = hide_without(Permission.FINANCE_READ, rows.invoices_by_id)

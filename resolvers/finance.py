"""How financial settings and invoices are answered."""

from uuid import UUID

from db.rows import FinancialRow, InvoiceRow
from domain.pages import Page, Span
from resolvers.arguments import After, Before, First, Last
from resolvers.batches import Loader
from resolvers.loaders import Loaders


def of_client(loaders: Loaders) -> Loader[UUID, FinancialRow | None]:
    return loaders.financial_of_client


def total_invoices(loaders: Loaders) -> Loader[UUID, int]:
    return loaders.invoice_count_of_client


def invoices(
    loaders: Loaders, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Loader[UUID, Page[InvoiceRow] | None]:
    return loaders.invoices_of_client(Span(first, after, last, before))

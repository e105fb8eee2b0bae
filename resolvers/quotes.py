"""How quotes are answered."""

from uuid import UUID

from db.rows import QuoteLineRow, QuoteRow
from domain.pages import Page, Span
from resolvers.arguments import After, Before, First, Last
from resolvers.batches import Loader
from resolvers.loaders import Loaders


def of_client(
    loaders: Loaders, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Loader[UUID, Page[QuoteRow] | None]:
    return loaders.quotes_of_client(Span(first, after, last, before))


def total(loaders: Loaders) -> Loader[UUID, int]:
    return loaders.quote_count_of_client


def lines(loaders: Loaders) -> Loader[UUID, list[QuoteLineRow]]:
    return loaders.lines_of_quote

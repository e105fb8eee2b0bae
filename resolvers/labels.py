"""How labels are answered."""

from uuid import UUID

from db.rows import ClientLabelRow, LabelRow
from domain import labels
from domain.contacts import Search
from domain.pages import Page, Span
from resolvers.arguments import After, Before, First, Last, Within
from resolvers.context import Info
from resolvers.loaders import Loader, Loaders


def of_client(loaders: Loaders) -> Loader[UUID, list[ClientLabelRow]]:
    return loaders.labels_of_client


async def page(
    info: Info, search: Within = None, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page[LabelRow]:
    return await labels.page(info.context.read(), search, Span(first, after, last, before))


def total(loaders: Loaders) -> Loader[Search, int]:
    return loaders.label_count

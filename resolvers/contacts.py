"""How contacts are answered."""

from uuid import UUID

from db.rows import ClientContactRow
from domain.pages import Page
from resolvers.arguments import After, First
from resolvers.loaders import Loader, Loaders


def of_client(loaders: Loaders, first: First = 25, after: After = None) -> Loader[UUID, Page[ClientContactRow]]:
    return loaders.contacts_of_client(first=first, after=after)

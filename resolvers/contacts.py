"""How contacts are answered."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.relay import GlobalID

from db.rows import ClientContactRow, ContactRow
from domain import contacts
from domain.pages import Page, Span
from resolvers.arguments import After, Before, First, Last
from resolvers.context import Info
from resolvers.loaders import Loader, Loaders
from resolvers.nodes import key_of


def of_client(
    loaders: Loaders, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Loader[UUID, Page[ClientContactRow]]:
    return loaders.contacts_of_client(Span(first, after, last, before))


FOUND = "Found within the name, without regard to capitals and accents."
Search = Annotated[str | None, strawberry.argument(description=FOUND)]


async def page(
    info: Info, search: Search = None, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page[ContactRow]:
    return await contacts.page(info.context.read(), search, Span(first, after, last, before))


async def total(info: Info, root: strawberry.Parent[Page[ContactRow]]) -> int:
    return await contacts.count(info.context.read(), root.chosen if isinstance(root.chosen, str) else None)


async def one(info: Info, id: Annotated[GlobalID, strawberry.argument(description="The id of the contact.")]) -> ContactRow | None:
    key = key_of(id) if id.type_name == "Contact" else None
    return await info.context.loaders.contacts.load(key) if key else None

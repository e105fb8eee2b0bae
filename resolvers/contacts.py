"""How contacts are answered."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.relay import GlobalID

from db.rows import ClientContactRow, ContactRow
from domain import contacts
from domain.contacts import Search
from domain.pages import Page, Span
from resolvers.arguments import After, Before, First, Last, Within
from resolvers.context import Info
from resolvers.loaders import Loader, Loaders
from resolvers.nodes import key_of


def of_client(
    loaders: Loaders, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Loader[UUID, Page[ClientContactRow]]:
    return loaders.contacts_of_client(Span(first, after, last, before))


async def page(
    info: Info, search: Within = None, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page[ContactRow]:
    return await contacts.page(info.context.read(), search, Span(first, after, last, before))


def total(loaders: Loaders) -> Loader[Search, int]:
    return loaders.contact_count


def total_of_client(loaders: Loaders) -> Loader[UUID, int]:
    return loaders.contact_count_of_client


async def one(info: Info, id: Annotated[GlobalID, strawberry.argument(description="The id of the contact.")]) -> ContactRow | None:
    key = key_of(id) if id.type_name == "Contact" else None
    return await info.context.loaders.contacts.load(key) if key else None

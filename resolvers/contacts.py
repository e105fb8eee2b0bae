"""How contacts are answered."""

from typing import Annotated
from uuid import UUID

import strawberry

from db.rows import ContactRow
from db.tables import ContactFields
from domain import contacts
from domain.pages import Page, PageRequest
from domain.scope import WriteScope
from resolvers.arguments import After, Before, First, Last, Within
from resolvers.context import Info
from resolvers.ids import GlobalId
from resolvers.inputs import SEEN, changed, given, id_of, input_of, patch_of


async def page(
    info: Info, search: Within = None, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page[ContactRow]:
    return await contacts.page(info.context.read(), search, PageRequest(first, after, last, before))


async def one(info: Info, id: Annotated[GlobalId, strawberry.argument(description="The id of the contact.")]) -> ContactRow | None:
    key = id.of("Contact")
    return await info.context.loaders.of(contacts.by_id).load(key) if key else None


@input_of(ContactFields, description="A new contact.")
class ContactCreateInput: ...


@patch_of(ContactFields, description="What to change of a contact: what is left out stays, null clears.")
class ContactUpdateInput:
    id: GlobalId = strawberry.field(description="The contact.")
    expected_version: int = strawberry.field(description=SEEN)


@strawberry.input(description="A contact to delete.")
class ContactDeleteInput:
    id: GlobalId = strawberry.field(description="The contact.")
    expected_version: int = strawberry.field(description=SEEN)


async def create(scope: WriteScope, input: ContactCreateInput) -> UUID:
    return await contacts.create(scope, given(ContactFields, input))


async def update(scope: WriteScope, input: ContactUpdateInput) -> UUID:
    contact_id = id_of(input.id, "Contact")
    return await contacts.update(scope, contact_id, changed(ContactFields, input), expected_version=input.expected_version)


async def delete(scope: WriteScope, input: ContactDeleteInput) -> UUID:
    return await contacts.delete(scope, id_of(input.id, "Contact"), expected_version=input.expected_version)

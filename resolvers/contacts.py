"""Inputs and resolvers of contacts."""

from typing import Annotated
from uuid import UUID

import strawberry

from db.rows import ContactRow
from db.tables import ContactFields
from domain.clients import contacts
from domain.core.pagination import Page, PageRequest
from domain.core.scope import WriteScope
from resolvers.context import Info
from resolvers.ids import GlobalId
from resolvers.inputs import VERSION_DESCRIPTION, VersionedInput, input_of, input_values, patch_of, patch_values, to_uuid
from resolvers.pagination import After, Before, First, Last, NameSearch


async def page(
    info: Info, search: NameSearch = None, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page[ContactRow]:
    return await contacts.page(info.context.read_scope(), search, PageRequest(first, after, last, before))


async def find_one(info: Info, id: Annotated[GlobalId, strawberry.argument(description="Id of the contact.")]) -> ContactRow | None:
    key = id.key_of_type("Contact")
    return await info.context.loaders.of(contacts.by_id).load(key) if key else None


@input_of(ContactFields, description="A new contact.")
class ContactCreateInput: ...


@patch_of(ContactFields, description="Changes to a contact. Omitted fields stay unchanged; null clears a field.")
class ContactUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the contact.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


@strawberry.input(description="A contact to delete.")
class ContactDeleteInput(VersionedInput): ...


async def create(scope: WriteScope, input: ContactCreateInput) -> UUID:
    return await contacts.create(scope, input_values(ContactFields, input))


async def update(scope: WriteScope, input: ContactUpdateInput) -> UUID:
    contact_id = to_uuid(input.id, "Contact")
    return await contacts.update(scope, contact_id, patch_values(ContactFields, input), expected_version=input.expected_version)


async def delete(scope: WriteScope, input: ContactDeleteInput) -> UUID:
    return await contacts.delete(scope, to_uuid(input.id, "Contact"), expected_version=input.expected_version)

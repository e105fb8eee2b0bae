"""Inputs and resolvers of invoice layouts."""

from uuid import UUID

import strawberry

from db.tables import InvoiceLayoutFields
from domain.core.scope import WriteScope
from domain.invoicing import layouts
from resolvers.ids import GlobalId
from resolvers.inputs import VERSION_DESCRIPTION, VersionedInput, input_of, input_values, patch_of, patch_values, to_uuid


@input_of(InvoiceLayoutFields, description="A new invoice layout.")
class InvoiceLayoutCreateInput: ...


@patch_of(InvoiceLayoutFields, description="Changes to an invoice layout. Omitted fields stay unchanged.")
class InvoiceLayoutUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the invoice layout.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


@strawberry.input(description="An invoice layout to delete.")
class InvoiceLayoutDeleteInput(VersionedInput): ...


async def create(scope: WriteScope, input: InvoiceLayoutCreateInput) -> UUID:
    return await layouts.create(scope, input_values(InvoiceLayoutFields, input))


async def update(scope: WriteScope, input: InvoiceLayoutUpdateInput) -> UUID:
    layout_id = to_uuid(input.id, "InvoiceLayout")
    return await layouts.update(scope, layout_id, patch_values(InvoiceLayoutFields, input), expected_version=input.expected_version)


async def delete(scope: WriteScope, input: InvoiceLayoutDeleteInput) -> UUID:
    return await layouts.delete(scope, to_uuid(input.id, "InvoiceLayout"), expected_version=input.expected_version)

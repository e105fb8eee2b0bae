"""How invoice layouts are answered."""

from uuid import UUID

import strawberry

from db.tables import InvoiceLayoutFields
from domain import layouts
from domain.scope import WriteScope
from resolvers.ids import GlobalId
from resolvers.inputs import SEEN, changed, given, id_of, input_of, patch_of


@input_of(InvoiceLayoutFields, description="A new invoice layout. As the default it takes the place of the one that was.")
class InvoiceLayoutCreateInput: ...


@patch_of(InvoiceLayoutFields, description="What to change of an invoice layout: what is left out stays.")
class InvoiceLayoutUpdateInput:
    id: GlobalId = strawberry.field(description="The layout.")
    expected_version: int = strawberry.field(description=SEEN)


@strawberry.input(description="An invoice layout to delete.")
class InvoiceLayoutDeleteInput:
    id: GlobalId = strawberry.field(description="The layout.")
    expected_version: int = strawberry.field(description=SEEN)


async def create(scope: WriteScope, input: InvoiceLayoutCreateInput) -> UUID:
    return await layouts.create(scope, given(InvoiceLayoutFields, input))


async def update(scope: WriteScope, input: InvoiceLayoutUpdateInput) -> UUID:
    layout_id = id_of(input.id, "InvoiceLayout")
    return await layouts.update(scope, layout_id, changed(InvoiceLayoutFields, input), expected_version=input.expected_version)


async def delete(scope: WriteScope, input: InvoiceLayoutDeleteInput) -> UUID:
    return await layouts.delete(scope, id_of(input.id, "InvoiceLayout"), expected_version=input.expected_version)

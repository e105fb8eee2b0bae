"""Inputs and resolvers of labels."""

from uuid import UUID

import strawberry

from db.rows import LabelRow
from db.tables import LabelFields
from domain.clients import labels
from domain.core.pagination import Page, PageRequest
from domain.core.scope import WriteScope
from resolvers.context import Info
from resolvers.ids import GlobalId
from resolvers.inputs import VERSION_DESCRIPTION, VersionedInput, input_of, input_values, patch_of, patch_values, to_uuid
from resolvers.pagination import After, Before, First, Last, NameSearch


async def page(
    info: Info, search: NameSearch = None, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page[LabelRow]:
    return await labels.page(info.context.read_scope(), search, PageRequest(first, after, last, before))


@input_of(LabelFields, description="A new label.")
class LabelCreateInput: ...


@patch_of(LabelFields, description="Changes to a label. Omitted fields stay unchanged.")
class LabelUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the label.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


@strawberry.input(description="A label to delete.")
class LabelDeleteInput(VersionedInput): ...


async def create(scope: WriteScope, input: LabelCreateInput) -> UUID:
    return await labels.create(scope, input_values(LabelFields, input))


async def update(scope: WriteScope, input: LabelUpdateInput) -> UUID:
    label_id = to_uuid(input.id, "Label")
    return await labels.update(scope, label_id, patch_values(LabelFields, input), expected_version=input.expected_version)


async def delete(scope: WriteScope, input: LabelDeleteInput) -> UUID:
    return await labels.delete(scope, to_uuid(input.id, "Label"), expected_version=input.expected_version)

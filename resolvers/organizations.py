"""Input and resolver of the mutation that changes the organization."""

from uuid import UUID

import strawberry

from db.tables import OrganizationFields
from domain.core.scope import WriteScope
from domain.organization import organizations
from resolvers.ids import GlobalId
from resolvers.inputs import VERSION_DESCRIPTION, linked_ids, patch_of, patch_values

LINK_TYPES = {"default_vat_rate_id": "VatRate", "default_layout_id": "InvoiceLayout"}


@patch_of(OrganizationFields, description="Changes to the organization. Omitted fields stay unchanged; null clears a field.")
class OrganizationUpdateInput:
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)
    default_vat_rate_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description="Id of the default VAT rate.")
    default_layout_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description="Id of the default invoice layout.")


async def update(scope: WriteScope, input: OrganizationUpdateInput) -> UUID:
    changes = patch_values(OrganizationFields, input) | linked_ids(LINK_TYPES, input)
    return await organizations.update(scope, changes, expected_version=input.expected_version)

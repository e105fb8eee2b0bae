"""How the organization is answered."""

from uuid import UUID

import strawberry

from db.tables import OrganizationFields
from domain import organizations
from domain.scope import WriteScope
from resolvers.ids import GlobalId
from resolvers.inputs import SEEN, changed, linked, patch_of

LINKS = {"default_vat_rate_id": "VatRate", "default_layout_id": "InvoiceLayout"}


@patch_of(OrganizationFields, description="What to change of the organization: what is left out stays, null clears.")
class OrganizationUpdateInput:
    expected_version: int = strawberry.field(description=SEEN)
    default_vat_rate_id: strawberry.Maybe[GlobalId | None] = strawberry.field(
        description="Rate of VAT of clients without one of their own."
    )
    default_layout_id: strawberry.Maybe[GlobalId | None] = strawberry.field(
        description="Invoice layout of clients without one of their own."
    )


async def update(scope: WriteScope, input: OrganizationUpdateInput) -> UUID:
    changes = changed(OrganizationFields, input) | linked(LINKS, input)
    return await organizations.update(scope, changes, expected_version=input.expected_version)

"""Inputs and resolvers of VAT rates."""

from uuid import UUID

import strawberry

from db.tables import VatCategory, VatRateFields
from domain.core.scope import WriteScope
from domain.invoicing import vat_rates
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import VERSION_DESCRIPTION, input_of, input_values, patch_of, patch_values, to_uuid

describe_enum(
    VatCategory,
    "VAT category (EN 16931).",
    STANDARD="`S`: standard or reduced rate.",
    ZERO="`Z`: zero rate.",
    EXEMPT="`E`: exempt from VAT.",
    REVERSE_CHARGE="`AE`: reverse charge.",
    INTRA_COMMUNITY="`K`: supply within the European Union.",
    EXPORT="`G`: export outside the European Union.",
    OUTSIDE_SCOPE="`O`: outside the scope of VAT.",
)


@input_of(VatRateFields, description="A new VAT rate.")
class VatRateCreateInput: ...


@patch_of(VatRateFields, description="Changes to a VAT rate. Omitted fields stay unchanged; null clears a field.")
class VatRateUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the VAT rate.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


async def create(scope: WriteScope, input: VatRateCreateInput) -> UUID:
    return await vat_rates.create(scope, input_values(VatRateFields, input))


async def update(scope: WriteScope, input: VatRateUpdateInput) -> UUID:
    rate_id = to_uuid(input.id, "VatRate")
    return await vat_rates.update(scope, rate_id, patch_values(VatRateFields, input), expected_version=input.expected_version)

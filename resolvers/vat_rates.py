"""How rates of VAT are answered."""

from uuid import UUID

import strawberry

from db.tables import VatCategory, VatRateFields
from domain import vat_rates
from domain.scope import WriteScope
from resolvers.ids import GlobalId
from resolvers.inputs import SEEN, changed, given, id_of, input_of, patch_of
from resolvers.words import words

words(
    VatCategory,
    "A VAT category of EN 16931.",
    STANDARD="S: a standard or reduced rate.",
    ZERO="Z: a rate of zero.",
    EXEMPT="E: exempt.",
    REVERSE_CHARGE="AE: reverse charge.",
    INTRA_COMMUNITY="K: supply within the European Union.",
    EXPORT="G: export.",
    OUTSIDE_SCOPE="O: outside the scope of VAT.",
)


@input_of(VatRateFields, description="A new rate of VAT.")
class VatRateCreateInput: ...


@patch_of(VatRateFields, description="What to change of a rate of VAT: what is left out stays, null clears.")
class VatRateUpdateInput:
    id: GlobalId = strawberry.field(description="The rate.")
    expected_version: int = strawberry.field(description=SEEN)


async def create(scope: WriteScope, input: VatRateCreateInput) -> UUID:
    return await vat_rates.create(scope, given(VatRateFields, input))


async def update(scope: WriteScope, input: VatRateUpdateInput) -> UUID:
    rate_id = id_of(input.id, "VatRate")
    return await vat_rates.update(scope, rate_id, changed(VatRateFields, input), expected_version=input.expected_version)

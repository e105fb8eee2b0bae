"""Mutations of VAT rates and their payloads."""

from functools import partial

import strawberry

from domain.core.scope import Permission
from domain.invoicing.vat_rates import by_id
from resolvers import vat_rates
from schema.core.fields import FINANCE_READ_OPTIONS
from schema.core.payload import Payload, changed_object, declare_mutation, mutations
from schema.user_errors import VatRateVersionConflictError
from schema.vat_rates import VatRate

declare = partial(declare_mutation, permission=Permission.FINANCE_WRITE)


@strawberry.type
class VatRatePayload(Payload):
    vat_rate: VatRate | None = changed_object(by_id, options=FINANCE_READ_OPTIONS)


@mutations
class VatRateMutations:
    vat_rate_create: VatRatePayload = declare(vat_rates.create, "Creates a VAT rate.")
    vat_rate_update: VatRatePayload = declare(
        vat_rates.update,
        "Changes a VAT rate. Lines of existing invoices and quotes keep their percentage.",
        errors=[VatRateVersionConflictError],
    )

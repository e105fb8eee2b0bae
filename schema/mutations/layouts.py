"""Mutations of invoice layouts and their payloads."""

from functools import partial

import strawberry

from domain.core.scope import Permission
from domain.invoicing.layouts import by_id
from resolvers import layouts
from resolvers.ids import GlobalId
from schema.core.fields import FINANCE_READ_OPTIONS
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations
from schema.layouts import InvoiceLayout
from schema.user_errors import InUseError, InvoiceLayoutVersionConflictError

declare = partial(declare_mutation, permission=Permission.FINANCE_WRITE)


@strawberry.type
class InvoiceLayoutPayload(Payload):
    invoice_layout: InvoiceLayout | None = changed_object(by_id, options=FINANCE_READ_OPTIONS)


@strawberry.type
class InvoiceLayoutDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("InvoiceLayout")


@mutations
class InvoiceLayoutMutations:
    invoice_layout_create: InvoiceLayoutPayload = declare(
        layouts.create, "Creates an invoice layout. `isDefault: true` makes it the default instead of the current one."
    )
    invoice_layout_update: InvoiceLayoutPayload = declare(
        layouts.update,
        "Changes an invoice layout. `isDefault: true` makes it the default instead of the current one.",
        errors=[InvoiceLayoutVersionConflictError],
    )
    invoice_layout_delete: InvoiceLayoutDeletePayload = declare(
        layouts.delete,
        "Deletes an invoice layout. Fails with `IN_USE` if a client or an invoice uses it, or if it is the default.",
        errors=[InUseError, InvoiceLayoutVersionConflictError],
    )

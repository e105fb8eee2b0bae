"""Read, create, change and delete invoice layouts. Callers without FINANCE_READ get None, not an error.

At most one layout is the default. This is stored twice: in the layout (`is_default`, with a unique index) and in the organization
(`default_layout_id`). Lock the organization before a change of either, so that the two always agree.
"""

from collections.abc import Mapping
from operator import attrgetter
from uuid import UUID

from db.queries import layouts as rows
from db.queries.organizations import lock_organization
from db.rows import InvoiceLayoutRow
from db.sql import locking
from db.tables import InvoiceLayout, InvoiceLayoutFields
from domain.core.errors import InUse, RuleViolation, pluralize
from domain.core.locking import apply_changes, field_values, lock
from domain.core.pagination import OrganizationPageReader, SortOrder
from domain.core.scope import Permission, WriteScope, hide_without, require
from domain.core.validation import validate, validate_patch

OLDEST_FIRST: SortOrder[InvoiceLayoutRow] = SortOrder("organization.layouts", attrgetter("id", "id"))
of_organization = hide_without(Permission.FINANCE_READ, OrganizationPageReader(OLDEST_FIRST, rows.page))
"""Return the layouts in order of creation."""
counts = require(Permission.FINANCE_READ, rows.counts)
by_id = hide_without(Permission.FINANCE_READ, rows.by_id)


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    scope.require(Permission.FINANCE_WRITE)
    fields = validate(InvoiceLayoutFields, values)
    organization = await lock_organization(scope)
    layout = InvoiceLayout(tenant_id=scope.tenant, **fields.model_dump())
    if fields.is_default:
        await _clear_default(scope)
    scope.session.add(layout)
    await scope.session.flush()
    if fields.is_default:
        apply_changes(organization, {"default_layout_id": layout.id})
    return layout.id


async def update(scope: WriteScope, layout_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    scope.require(Permission.FINANCE_WRITE)
    organization = await lock_organization(scope)
    layout = await lock(scope, InvoiceLayout, layout_id, expected_version)
    was_default = layout.is_default
    new_values = validate_patch(InvoiceLayoutFields, field_values(layout, InvoiceLayoutFields), changes)
    if new_values.get("is_default"):
        await _clear_default(scope, except_id=layout_id)
    apply_changes(layout, new_values)
    if layout.is_default or was_default:
        apply_changes(organization, {"default_layout_id": layout_id if layout.is_default else None})
    return layout.id


async def delete(scope: WriteScope, layout_id: UUID, *, expected_version: int) -> UUID:
    """Delete a layout. Raises `RuleViolation` if anything uses it."""
    scope.require(Permission.FINANCE_WRITE)
    organization = await lock_organization(scope)
    layout = await lock(scope, InvoiceLayout, layout_id, expected_version)
    clients, invoices = await rows.count_uses(scope, layout_id)
    is_default = layout.is_default or organization.default_layout_id == layout_id
    if uses := clients + invoices + is_default:
        usages = [pluralize(count, noun) for count, noun in ((clients, "client"), (invoices, "invoice")) if count]
        usages += ["the organization as its default"] if is_default else []
        hint = "Choose another layout there first, or deactivate this one with `invoiceLayoutUpdate` and `isActive: false`."
        raise RuleViolation(InUse(["id"], f"This layout cannot be deleted: it is used by {' and '.join(usages)}. {hint}", uses))
    await scope.session.delete(layout)
    return layout.id


async def set_default(scope: WriteScope, layout_id: UUID | None) -> None:
    """Make a layout the default, or clear the default with None. The caller has locked the organization and sets its `default_layout_id`.

    Clear the old default first, because a unique index allows only one.
    """
    await _clear_default(scope, except_id=layout_id)
    for layout in await locking.find(scope, InvoiceLayout, id=layout_id):
        apply_changes(layout, {"is_default": True})


async def _clear_default(scope: WriteScope, except_id: UUID | None = None) -> None:
    for layout in await locking.find(scope, InvoiceLayout, is_default=True):
        if layout.id != except_id:
            apply_changes(layout, {"is_default": False})
    await scope.session.flush()

"""Rules of invoice layouts. Only those see them who may see figures; others get nothing, not an error.

One at most is the default. The layout says so, where the database allows but one, and the organization points at it; who changes either
holds the organization, so that the two never differ.
"""

from collections.abc import Mapping
from operator import attrgetter
from uuid import UUID

from db import entities
from db import layouts as rows
from db.organizations import lock_organization as held_organization
from db.rows import InvoiceLayoutRow
from db.tables import InvoiceLayout, InvoiceLayoutFields
from domain.changes import apply, filled, held
from domain.checks import checked, checked_patch
from domain.errors import InUse, Refused
from domain.pages import Order, PagesOfOrganization
from domain.scope import Permission, WriteScope, hide_without, require

IN_ORDER: Order[InvoiceLayoutRow] = Order("organization.layouts", attrgetter("id", "id"))
of_organization = hide_without(Permission.FINANCE_READ, PagesOfOrganization(IN_ORDER, rows.page))
"""The layouts in the order of their creation."""
counts = require(Permission.FINANCE_READ, rows.counts)
by_id = hide_without(Permission.FINANCE_READ, rows.by_id)


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    scope.must(Permission.FINANCE_WRITE)
    wanted = checked(InvoiceLayoutFields, values)
    organization = await held_organization(scope)
    layout = InvoiceLayout(tenant_id=scope.tenant, **wanted.model_dump())
    if wanted.is_default:
        await _take_default(scope)
    scope.session.add(layout)
    await scope.session.flush()
    if wanted.is_default:
        apply(organization, {"default_layout_id": layout.id})
    return layout.id


async def update(scope: WriteScope, layout_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    scope.must(Permission.FINANCE_WRITE)
    organization = await held_organization(scope)
    layout = await held(scope, InvoiceLayout, layout_id, expected_version)
    was_default = layout.is_default
    wanted = checked_patch(InvoiceLayoutFields, filled(layout, InvoiceLayoutFields), changes)
    if wanted.get("is_default"):
        await _take_default(scope, but=layout_id)
    apply(layout, wanted)
    if layout.is_default or was_default:
        apply(organization, {"default_layout_id": layout_id if layout.is_default else None})
    return layout.id


async def delete(scope: WriteScope, layout_id: UUID, *, expected_version: int) -> UUID:
    """Refused while anything would look otherwise without it."""
    scope.must(Permission.FINANCE_WRITE)
    organization = await held_organization(scope)
    layout = await held(scope, InvoiceLayout, layout_id, expected_version)
    clients, invoices = await rows.count_uses(scope, layout_id)
    is_default = layout.is_default or organization.default_layout_id == layout_id
    if uses := clients + invoices + is_default:
        by = [f"{count} {of}" for of, count in (("clients", clients), ("invoices", invoices)) if count]
        by += ["the organization, as its default"] if is_default else []
        raise Refused(InUse(["id"], f"This layout is used by {' and '.join(by)}. Give them another one first, or make it inactive.", uses))
    await scope.session.delete(layout)
    return layout.id


async def settle_default(scope: WriteScope, layout_id: UUID | None) -> None:
    """The layouts say what the organization, held by who asks, is to say. The old one lets go before the new one takes it."""
    await _take_default(scope, but=layout_id)
    for layout in await entities.find(scope, InvoiceLayout, id=layout_id):
        apply(layout, {"is_default": True})


async def _take_default(scope: WriteScope, but: UUID | None = None) -> None:
    for layout in await entities.find(scope, InvoiceLayout, is_default=True):
        if layout.id != but:
            apply(layout, {"is_default": False})
    await scope.session.flush()

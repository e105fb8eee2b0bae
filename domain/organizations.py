"""Rules of organizations. Every member sees the organization."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from db import entities
from db import organizations as rows
from db.keys import new_id
from db.tables import InvoiceLayout, Organization, OrganizationFields, VatRate
from domain import layouts
from domain.changes import apply, expect, filled, known
from domain.checks import checked, checked_patch
from domain.errors import Faults, InvalidInput, Refused
from domain.scope import Permission, WriteScope

new_tenant = new_id
by_id, everywhere, lock_organization = rows.by_id, rows.list_all, rows.lock_organization


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    """A new organization: the one that the scope is of."""
    scope.must(Permission.OWNERS_WRITE)
    scope.session.add(Organization(tenant_id=scope.tenant, **checked(OrganizationFields, values).model_dump()))
    return scope.tenant


async def update(scope: WriteScope, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Changes the settings of the organization that the scope is of, and what serves clients without one of their own."""
    scope.must(Permission.ORGANIZATION_WRITE)
    organization = await rows.lock_organization(scope)
    expect(organization, expected_version)
    faults, wanted = Faults(), dict[str, Any]()
    with faults.part():
        wanted |= checked_patch(OrganizationFields, filled(organization, OrganizationFields), changes)
    with faults.part():
        await _refuse_other_currency(scope, organization, wanted)
    with faults.part():
        wanted |= await _default(scope, VatRate, "default_vat_rate_id", "defaultVatRateId", changes)
    with faults.part():
        wanted |= await _default(scope, InvoiceLayout, "default_layout_id", "defaultLayoutId", changes)
    faults.refuse()
    if "default_layout_id" in wanted:
        await layouts.settle_default(scope, wanted["default_layout_id"])
    apply(organization, wanted)
    return scope.tenant


async def _refuse_other_currency(scope: WriteScope, organization: Organization, wanted: Mapping[str, object]) -> None:
    """What was issued keeps its amounts in the base currency of its day; in another one they would be added up as if they were the same."""
    current = organization.base_currency
    if wanted.get("base_currency", current) != current and await rows.has_issued(scope):
        reason = f"Invoices were issued, with amounts in {current}. The base currency stays {current}."
        raise Refused(InvalidInput(["baseCurrency"], reason))


async def _default(
    scope: WriteScope, table: type[VatRate | InvoiceLayout], name: str, shown: str, changes: Mapping[str, object]
) -> dict[str, object]:
    """The link as it is stored: to one of the organization's own, or to none."""
    if name not in changes:
        return {}
    key = changes[name]
    await known(scope, table, {key: [shown]} if isinstance(key, UUID) else {})
    return {name: key}


async def own(scope: WriteScope) -> Organization:
    """The organization that the unit of work is of."""
    (found,) = await entities.find(scope, Organization)
    return found


async def country(scope: WriteScope) -> str:
    """Where a telephone number is from that does not say it."""
    return (await own(scope)).country

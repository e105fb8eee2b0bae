"""Create and change organizations. Every member may read their organization."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from db.queries import organizations as rows
from db.sql import locking
from db.tables import InvoiceLayout, Organization, OrganizationFields, VatRate
from db.tables.keys import new_id
from domain.core.errors import ErrorCollector, InvalidInput, RuleViolation
from domain.core.locking import apply_changes, expect_version, field_values, lock_references
from domain.core.scope import Permission, WriteScope
from domain.core.validation import validate, validate_patch
from domain.invoicing import layouts

new_tenant_id = new_id
by_id, everywhere, lock_organization = rows.by_id, rows.list_all, rows.lock_organization


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    """Create the organization of the scope."""
    scope.require(Permission.OWNERS_WRITE)
    scope.session.add(Organization(tenant_id=scope.tenant, **validate(OrganizationFields, values).model_dump()))
    return scope.tenant


async def update(scope: WriteScope, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Change the settings of the organization and the defaults for its clients."""
    scope.require(Permission.ORGANIZATION_WRITE)
    organization = await rows.lock_organization(scope)
    expect_version(organization, expected_version)
    errors, new_values = ErrorCollector(), dict[str, Any]()
    with errors.collect():
        new_values |= validate_patch(OrganizationFields, field_values(organization, OrganizationFields), changes)
    with errors.collect():
        await _reject_currency_change(scope, organization, new_values)
    with errors.collect():
        new_values |= await _default_link(scope, VatRate, "default_vat_rate_id", "defaultVatRateId", changes)
    with errors.collect():
        new_values |= await _default_link(scope, InvoiceLayout, "default_layout_id", "defaultLayoutId", changes)
    errors.raise_collected()
    if "default_layout_id" in new_values:
        await layouts.set_default(scope, new_values["default_layout_id"])
    apply_changes(organization, new_values)
    return scope.tenant


async def _reject_currency_change(scope: WriteScope, organization: Organization, new_values: Mapping[str, object]) -> None:
    """Reject another base currency after invoices were issued: totals would add amounts in two currencies."""
    current = organization.base_currency
    if new_values.get("base_currency", current) != current and await rows.has_issued(scope):
        reason = f"The base currency cannot change, since invoices were issued in {current}. Leave out `baseCurrency`."
        raise RuleViolation(InvalidInput(["baseCurrency"], reason))


async def _default_link(
    scope: WriteScope, table: type[VatRate | InvoiceLayout], name: str, input_name: str, changes: Mapping[str, object]
) -> dict[str, object]:
    """Validate and return the new default, a row of the organization or None. Return nothing if it was not supplied."""
    if name not in changes:
        return {}
    key = changes[name]
    await lock_references(scope, table, {key: [input_name]} if isinstance(key, UUID) else {})
    return {name: key}


async def get_organization(scope: WriteScope) -> Organization:
    """Return the organization of the unit of work."""
    (organization,) = await locking.find(scope, Organization)
    return organization


async def get_country(scope: WriteScope) -> str:
    """Return the country for telephone numbers without an international prefix."""
    return (await get_organization(scope)).country

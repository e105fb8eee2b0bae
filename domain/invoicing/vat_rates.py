"""Read, create and change VAT rates. Callers without FINANCE_READ get None, not an error."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

from db.queries import vat_rates as rows
from db.rows import VatRateRow
from db.tables import VatCategory, VatRate, VatRateFields
from domain.core.errors import ErrorCollector, InvalidInput, RuleViolation
from domain.core.locking import apply_changes, field_values, lock
from domain.core.pagination import OrganizationPageReader, SortOrder
from domain.core.scope import Permission, WriteScope, hide_without, require
from domain.core.validation import check_dates, validate, validate_patch

OLDEST_FIRST: SortOrder[VatRateRow] = SortOrder("organization.vat_rates", attrgetter("id", "id"))
of_organization = hide_without(Permission.FINANCE_READ, OrganizationPageReader(OLDEST_FIRST, rows.page))
"""Return the rates in order of creation."""
counts = require(Permission.FINANCE_READ, rows.counts)
by_id = hide_without(Permission.FINANCE_READ, rows.by_id)


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    scope.require(Permission.FINANCE_WRITE)
    new_values = validate(VatRateFields, values).model_dump()
    _check_consistency(new_values, values)
    rate = VatRate(tenant_id=scope.tenant, **new_values)
    scope.session.add(rate)
    return rate.id


async def update(scope: WriteScope, rate_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Change a rate. Existing invoice lines keep the percentage and the category that they were created with."""
    scope.require(Permission.FINANCE_WRITE)
    rate = await lock(scope, VatRate, rate_id, expected_version)
    current = field_values(rate, VatRateFields)
    new_values = validate_patch(VatRateFields, current, changes)
    _check_consistency({**current, **new_values}, changes)
    apply_changes(rate, new_values)
    return rate.id


def _check_consistency(rate: Mapping[str, Any], changes: Mapping[str, object]) -> None:
    """Reject fields that contradict each other, at the field that was supplied."""
    errors, category = ErrorCollector(), VatCategory(rate["category"])
    with errors.collect():
        if category is not VatCategory.STANDARD and rate["percentage"]:
            message = f"A rate of the category {category.name} must have `percentage: 0`. Other percentages need `category: STANDARD`."
            raise RuleViolation(InvalidInput(["percentage" if "percentage" in changes else "category"], message))
    with errors.collect():
        check_dates(rate, changes, "valid_from", "valid_until")
    errors.raise_collected()

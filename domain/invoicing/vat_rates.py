"""Read, create and change VAT rates. Callers without FINANCE_READ get None, not an error."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from db.queries import vat_rates as rows
from db.rows import VatRateRow
from db.tables import VatCategory, VatRate, VatRateFields
from domain.core.errors import InvalidInput, RuleViolation
from domain.core.locking import apply_changes, field_values, lock
from domain.core.pagination import OrganizationPageReader, SortOrder
from domain.core.scope import Permission, WriteScope, hide_without, require
from domain.core.validation import validate, validate_patch

OLDEST_FIRST: SortOrder[VatRateRow] = SortOrder("organization.vat_rates", attrgetter("id", "id"))
of_organization = hide_without(Permission.FINANCE_READ, OrganizationPageReader(OLDEST_FIRST, rows.page))
"""The rates in the order of their creation."""
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
    """Change a rate. Invoices keep the percentage and the category that their lines were created with."""
    scope.require(Permission.FINANCE_WRITE)
    rate = await lock(scope, VatRate, rate_id, expected_version)
    current = field_values(rate, VatRateFields)
    new_values = validate_patch(VatRateFields, current, changes)
    _check_consistency({**current, **new_values}, changes)
    apply_changes(rate, new_values)
    return rate.id


def _check_consistency(rate: Mapping[str, Any], changes: Mapping[str, object]) -> None:
    """Reject fields that contradict each other, at the one that was supplied."""
    category, start, end = VatCategory(rate["category"]), rate["valid_from"], rate["valid_until"]
    problems = []
    if category is not VatCategory.STANDARD and rate["percentage"]:
        message = f"With the category {category.name} the percentage is 0. A rate of {rate['percentage']} has the category STANDARD."
        problems.append(InvalidInput(_first_present(changes, "percentage", "category"), message))
    if start and end and end < start:
        message = f"The last day, {end}, is before the first, {start}."
        problems.append(InvalidInput(_first_present(changes, "valid_until", "valid_from"), message))
    if problems:
        raise RuleViolation(*problems)


def _first_present(changes: Mapping[str, object], *names: str) -> list[str]:
    return [to_camel(next(name for name in names if name in changes))]

"""Rules of rates of VAT. Only those see them who may see figures; others get nothing, not an error."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from db import vat_rates as rows
from db.rows import VatRateRow
from db.tables import VatCategory, VatRate, VatRateFields
from domain.changes import apply, filled, held
from domain.checks import checked, checked_patch
from domain.errors import InvalidInput, Refused
from domain.pages import Order, PagesOfOrganization
from domain.scope import Permission, WriteScope, hide_without, require

IN_ORDER: Order[VatRateRow] = Order("organization.vat_rates", attrgetter("id", "id"))
of_organization = hide_without(Permission.FINANCE_READ, PagesOfOrganization(IN_ORDER, rows.page))
"""The rates in the order of their creation."""
counts = require(Permission.FINANCE_READ, rows.counts)
by_id = hide_without(Permission.FINANCE_READ, rows.by_id)


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    scope.must(Permission.FINANCE_WRITE)
    wanted = checked(VatRateFields, values).model_dump()
    _refuse_contradiction(wanted, values)
    rate = VatRate(tenant_id=scope.tenant, **wanted)
    scope.session.add(rate)
    return rate.id


async def update(scope: WriteScope, rate_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Invoices keep the percentage and the category that their lines were made with."""
    scope.must(Permission.FINANCE_WRITE)
    rate = await held(scope, VatRate, rate_id, expected_version)
    current = filled(rate, VatRateFields)
    wanted = checked_patch(VatRateFields, current, changes)
    _refuse_contradiction({**current, **wanted}, changes)
    apply(rate, wanted)
    return rate.id


def _refuse_contradiction(rate: Mapping[str, Any], given: Mapping[str, object]) -> None:
    """Of fields that are right each by itself; said of the one that was given."""
    category, start, end = VatCategory(rate["category"]), rate["valid_from"], rate["valid_until"]
    found = []
    if category is not VatCategory.STANDARD and rate["percentage"]:
        message = f"With the category {category.name} the percentage is 0. A rate of {rate['percentage']} has the category STANDARD."
        found.append(InvalidInput(_first(given, "percentage", "category"), message))
    if start and end and end < start:
        message = f"The last day, {end}, is before the first, {start}."
        found.append(InvalidInput(_first(given, "valid_until", "valid_from"), message))
    if found:
        raise Refused(*found)


def _first(given: Mapping[str, object], *names: str) -> list[str]:
    return [to_camel(next(name for name in names if name in given))]

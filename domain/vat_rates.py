"""Rules of rates of VAT. Only those see them who may see figures; others get nothing, not an error."""

from collections.abc import Mapping, Sequence
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
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope, WriteScope

IN_ORDER: Order[VatRateRow] = Order("organization.vat_rates", attrgetter("id", "id"))


async def of_organization(scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> Sequence[Page[VatRateRow] | None]:
    """The rates in the order of their making. The organization of the scope is the only one that is ever asked for."""
    if not scope.may(Permission.FINANCE_READ):
        return [None] * len(ids)
    reading = Reading.of(IN_ORDER, scope.cursors, span)
    return reading.pages([await rows.page(scope, reading.part)] * len(ids), ids)


async def counts(scope: Scope, ids: Sequence[UUID]) -> list[int]:
    scope.must(Permission.FINANCE_READ)
    return await rows.counts(scope, ids)


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[VatRateRow | None]:
    return await rows.by_id(scope, ids) if scope.may(Permission.FINANCE_READ) else [None] * len(ids)


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

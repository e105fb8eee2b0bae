"""Compute the rate and the amount of a registration with pure functions."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from db.rows import RegistrationFinancialRow
from db.tables import Client, InvoiceMethod, Project, RateSource, RegistrationKind

P = TypeVar("P")
TIME, EXPENSE, MILEAGE = RegistrationKind.TIME, RegistrationKind.EXPENSE, RegistrationKind.MILEAGE
RATE_UNITS = {TIME: ("minutes", 60), EXPENSE: ("quantity", 1), MILEAGE: ("distance_km", 1)}
"""Map a kind to the field with its quantity, and to the quantity that the rate applies to (60 minutes)."""
UNPRICED_METHODS = {InvoiceMethod.NONE, InvoiceMethod.PROJECT_FIXED}
RATE_DIGITS, AMOUNT_DIGITS = 4, 2  # decimal places: of quantities and rates, and of amounts
AMOUNT_LIMIT = Decimal(10) ** 17  # the smallest amount that does not fit into the column


class RegistrationWarning(StrEnum):
    """A warning about a registration that was accepted."""

    NO_RATE = "NO_RATE"


class Rate(NamedTuple):
    """A rate and its source."""

    value: Decimal
    source: RateSource


def hourly_rate(method: str, project_rate: P | None, client_rate: P | None) -> tuple[P | None, RateSource]:
    """Return the hourly rate and its source: the project's rate if the invoice method uses it, else the client's rate.

    The rate is None if the project does not invoice hours, or if the client has no rate.
    """
    if method == InvoiceMethod.PROJECT_HOURLY and project_rate is not None:
        return project_rate, RateSource.PROJECT
    if method in UNPRICED_METHODS or client_rate is None:
        return None, RateSource.NONE
    return client_rate, RateSource.CLIENT


def default_rate(kind: RegistrationKind, client: Client, project: Project | None) -> Rate:
    """Return the default rate: the hourly rate of the project or client, or the client's rate per kilometre. Zero if there is none."""
    method, project_rate = (
        (project.invoice_method, project.hourly_rate) if kind is TIME and project else (InvoiceMethod.CLIENT_HOURLY, None)
    )
    value, source = hourly_rate(method, project_rate, client.default_hourly_rate if kind is TIME else client.default_mileage_rate)
    return Rate(value or Decimal(0), source)


def compute_amount(kind: RegistrationKind, values: Mapping[str, Any], rate: Decimal) -> Decimal:
    """Compute the amount without VAT, rounding half a cent up. It computes with integers, so that it rounds only once."""
    name, per = RATE_UNITS[kind]
    whole = 10**RATE_DIGITS
    product, one_cent = int(values[name] * whole) * int(rate * whole), per * whole * whole // 10**AMOUNT_DIGITS
    return Decimal(f"{(2 * product + one_cent) // (2 * one_cent)}E-{AMOUNT_DIGITS}")


def explicit_rate(kind: RegistrationKind, work: Mapping[str, Any]) -> Rate | None:
    """Return the supplied rate, or None. The rate of an expense is its unit price."""
    value = work.get("unit_price" if kind is EXPENSE else "rate")
    return None if value is None else Rate(value, RateSource.EXPLICIT)


def is_billable(project: Project | None) -> bool:
    """Return whether a registration is billable by default: unless its project is not invoiced."""
    return not (project and project.invoice_method == InvoiceMethod.NONE)


def warnings(row: RegistrationFinancialRow) -> list[RegistrationWarning]:
    """Return NO_RATE for billable time or mileage whose amount is zero because neither project nor client has a rate."""
    is_unpriced = row.kind == TIME and row.invoice_method in UNPRICED_METHODS
    lacks_rate = row.is_billable and row.kind != EXPENSE and row.rate_source == RateSource.NONE and not is_unpriced
    return [RegistrationWarning.NO_RATE] if lacks_rate else []

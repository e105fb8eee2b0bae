"""What a registration costs: whose rate counts, and the amount that comes of it. No statement, no state."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from db.rows import RegistrationFinancialRow
from db.tables import Client, InvoiceMethod, Project, RateSource, RegistrationKind

P = TypeVar("P")
TIME, EXPENSE, MILEAGE = RegistrationKind.TIME, RegistrationKind.EXPENSE, RegistrationKind.MILEAGE
COUNTS = {TIME: ("minutes", 60), EXPENSE: ("quantity", 1), MILEAGE: ("distance_km", 1)}
"""By kind, what is counted, and how much of it one rate is for."""
UNPAID = {InvoiceMethod.NONE, InvoiceMethod.PROJECT_FIXED}
FEE_DIGITS, CENT_DIGITS = 4, 2  # after the decimal point, of counts and rates, and of amounts
LARGEST = Decimal(10) ** 17  # the first amount that the column has no room for


class RegistrationWarning(StrEnum):
    NO_RATE = "NO_RATE"


class Rate(NamedTuple):
    """What one costs, and who said so."""

    value: Decimal
    source: RateSource


def of_hour(method: str, own: P | None, of_client: P | None) -> tuple[P | None, RateSource]:
    """What an hour for a project costs, and who says so: the project where it is to have its own price, or else its client.

    Nobody does where hours have no price.
    """
    if method == InvoiceMethod.PROJECT_HOURLY and own is not None:
        return own, RateSource.PROJECT
    if method in UNPAID or of_client is None:
        return None, RateSource.NONE
    return of_client, RateSource.CLIENT


def by_rules(kind: RegistrationKind, client: Client, project: Project | None) -> Rate:
    """Of an hour the project's, or the client's without one; of a kilometre the client's; nothing where nobody has one."""
    method, own = (project.invoice_method, project.hourly_rate) if kind is TIME and project else (InvoiceMethod.CLIENT_HOURLY, None)
    value, source = of_hour(method, own, client.default_hourly_rate if kind is TIME else client.default_mileage_rate)
    return Rate(value or Decimal(0), source)


def amount(kind: RegistrationKind, values: Mapping[str, Any], rate: Decimal) -> Decimal:
    """Without VAT, half a cent up. In whole numbers throughout: nothing is rounded twice."""
    name, per = COUNTS[kind]
    whole = 10**FEE_DIGITS
    product, one_cent = int(values[name] * whole) * int(rate * whole), per * whole * whole // 10**CENT_DIGITS
    return Decimal(f"{(2 * product + one_cent) // (2 * one_cent)}E-{CENT_DIGITS}")


def given(kind: RegistrationKind, work: Mapping[str, Any]) -> Rate | None:
    """What somebody said that it costs, if anybody did: of an expense each piece has its price."""
    said = work.get("unit_price" if kind is EXPENSE else "rate")
    return None if said is None else Rate(said, RateSource.EXPLICIT)


def is_billable(project: Project | None) -> bool:
    """Unless somebody says otherwise."""
    return not (project and project.invoice_method == InvoiceMethod.NONE)


def warnings(row: RegistrationFinancialRow) -> list[RegistrationWarning]:
    """What is to be paid by the hour or the kilometre, and comes to nothing since nobody has a rate."""
    is_unpaid = row.kind == TIME and row.invoice_method in UNPAID
    lacks_rate = row.is_billable and row.kind != EXPENSE and row.rate_source == RateSource.NONE and not is_unpaid
    return [RegistrationWarning.NO_RATE] if lacks_rate else []

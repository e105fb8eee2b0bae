"""Rates of VAT."""

from datetime import date
from decimal import Decimal

import strawberry

from db.rows import VatRateRow
from db.tables import VatCategory, VatRateFields
from domain.invoicing import vat_rates
from schema.core.connections import Connection, declare_total_count
from schema.core.row_type import Node, row_type


@row_type(VatRateRow, fields=VatRateFields, description="A rate of VAT.")
class VatRate(Node):
    name: str = strawberry.field(description="Name.")
    country: str = strawberry.field(description="Country of ISO 3166-1, as `NL`.")
    percentage: Decimal = strawberry.field(description="Percentage, `21.00` for instance; 0 in every category but STANDARD.")
    category: VatCategory = strawberry.field(description="Category.")
    valid_from: date | None = strawberry.field(description="First day on which it applies; null for always.")
    valid_until: date | None = strawberry.field(description="Last day on which it applies; null for no end.")
    is_active: bool = strawberry.field(description="Whether it can be chosen.")
    external_code: str | None = strawberry.field(description="Its code in the accounting package.")
    version: int = strawberry.field(description="Grows by one with each change.")


@strawberry.type(description="Rates of VAT in the order of their making.")
class VatRateConnection(Connection[VatRate]):
    total_count: int | None = declare_total_count(vat_rates.counts)

"""GraphQL types of VAT rates."""

from datetime import date
from decimal import Decimal

import strawberry

from db.rows import VatRateRow
from db.tables import VatCategory, VatRateFields
from domain.invoicing import vat_rates
from schema.core.connections import Connection, declare_total_count
from schema.core.row_type import Node, attribute, row_type


@row_type(VatRateRow, fields=VatRateFields, description="A VAT rate.")
class VatRate(Node):
    name: str = attribute("Name.")
    country: str = attribute("Country code (ISO 3166-1 alpha-2), for example `NL`.")
    percentage: Decimal = attribute("Percentage, for example `21.00`; 0 unless the category is `STANDARD`.")
    category: VatCategory = attribute("VAT category.")
    valid_from: date | None = attribute("First day on which the rate applies. Null if there is none.")
    valid_until: date | None = attribute("Last day on which the rate applies. Null if there is none.")
    is_active: bool = attribute("Whether to offer the rate for selection.")
    external_code: str | None = attribute("Code of the rate in the accounting software.")
    version: int = attribute("Version number, incremented by every change.")


@strawberry.type(description="A page of VAT rates, oldest first.")
class VatRateConnection(Connection[VatRate]):
    total_count: int | None = declare_total_count(vat_rates.counts)

"""Invoices of clients."""

from datetime import date
from operator import attrgetter

import strawberry

from db.rows import InvoiceRow
from db.tables.invoices import InvoiceKind, InvoiceStatus
from domain.invoicing import invoices
from resolvers.enums import describe_enum
from schema.core.connections import Connection, declare_total_count
from schema.core.money import Money, read_money
from schema.core.row_type import Node, computed_field, row_type

describe_enum(InvoiceKind, "An invoice, or one that takes back.", INVOICE="An invoice.", CREDIT_NOTE="A credit note.")
describe_enum(
    InvoiceStatus,
    "How far an invoice is.",
    DRAFT="Not issued yet; counts in no figure.",
    OPEN="Issued, and not wholly paid.",
    PAID="Wholly paid.",
    VOID="Withdrawn; counts in no figure.",
)


@row_type(InvoiceRow, description="An invoice or a credit note; amounts are positive in both.")
class Invoice(Node):
    kind: InvoiceKind = strawberry.field(description="Invoice or credit note.")
    number: str | None = strawberry.field(description="Number, given when it was issued.")
    status: InvoiceStatus = strawberry.field(description="How far it is.")
    issued_on: date | None = computed_field(attrgetter("invoice_date"), description="Day of issue.")
    due_on: date | None = computed_field(attrgetter("due_date"), description="Last day to pay.")
    net: Money = computed_field(read_money("net"), description="Excluding VAT.")
    vat: Money = computed_field(read_money("vat"), description="VAT.")
    gross: Money = computed_field(read_money("gross"), description="Including VAT.")
    version: int = strawberry.field(description="Grows by one with each change.")


@strawberry.type(description="Invoices of a client, the newest first.")
class InvoiceConnection(Connection[Invoice]):
    total_count: int | None = declare_total_count(invoices.counts)

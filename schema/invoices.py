"""GraphQL types of invoices."""

from datetime import date
from operator import attrgetter

import strawberry

from db.rows import InvoiceRow
from db.tables.invoices import InvoiceKind, InvoiceStatus
from domain.invoicing import invoices
from resolvers.enums import describe_enum
from schema.core.connections import Connection, declare_total_count
from schema.core.money import Money, read_money
from schema.core.row_type import Node, attribute, computed_field, row_type

describe_enum(InvoiceKind, "Kind of invoice.", INVOICE="An invoice.", CREDIT_NOTE="A credit note.")
describe_enum(
    InvoiceStatus,
    "Status of an invoice.",
    DRAFT="Not issued yet; not part of any total.",
    OPEN="Issued and not fully paid.",
    PAID="Issued and fully paid.",
    VOID="Withdrawn; not part of any total.",
)


@row_type(InvoiceRow, description="An invoice or a credit note. The amounts of both are positive.")
class Invoice(Node):
    kind: InvoiceKind = attribute("Whether this is an invoice or a credit note.")
    number: str | None = attribute("Invoice number, assigned on issue. Null before that.")
    status: InvoiceStatus = attribute("Status of the invoice.")
    issued_on: date | None = computed_field(attrgetter("invoice_date"), "Date of issue. May be null for a draft.")
    due_on: date | None = computed_field(attrgetter("due_date"), "Last day for payment. Null if none is set.")
    net: Money = computed_field(read_money("net"), "Amount excluding VAT.")
    vat: Money = computed_field(read_money("vat"), "Amount of VAT.")
    gross: Money = computed_field(read_money("gross"), "Amount including VAT.")
    version: int = attribute("Version number, incremented by every change.")


@strawberry.type(description="A page of the invoices and credit notes of a client, newest first.")
class InvoiceConnection(Connection[Invoice]):
    total_count: int | None = declare_total_count(invoices.counts)

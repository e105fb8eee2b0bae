"""Invoice layouts."""

import strawberry

from db.rows import InvoiceLayoutRow
from db.tables import InvoiceLayoutFields
from domain.invoicing import layouts
from schema.core.connections import Connection, declare_total_count
from schema.core.row_type import Node, row_type


@row_type(InvoiceLayoutRow, fields=InvoiceLayoutFields, description="How an invoice looks.")
class InvoiceLayout(Node):
    name: str = strawberry.field(description="Name.")
    language: str = strawberry.field(description="Language of ISO 639-1, as `nl`.")
    template: str = strawberry.field(description="Name of the template that it is made from.")
    is_default: bool = strawberry.field(description="Whether it serves clients without one of their own; one layout at most.")
    is_active: bool = strawberry.field(description="Whether it can be chosen.")
    version: int = strawberry.field(description="Grows by one with each change.")


@strawberry.type(description="Invoice layouts in the order of their making.")
class InvoiceLayoutConnection(Connection[InvoiceLayout]):
    total_count: int | None = declare_total_count(layouts.counts)

"""GraphQL types of invoice layouts."""

import strawberry

from db.rows import InvoiceLayoutRow
from db.tables import InvoiceLayoutFields
from domain.invoicing import layouts
from schema.core.connections import Connection, declare_total_count
from schema.core.row_type import Node, attribute, row_type


@row_type(InvoiceLayoutRow, fields=InvoiceLayoutFields, description="A layout for invoices.")
class InvoiceLayout(Node):
    name: str = attribute("Name.")
    language: str = attribute("Language code (ISO 639-1), for example `nl`.")
    template: str = attribute("Name of the template that the layout is based on.")
    is_default: bool = attribute("Whether this is the default for clients without a layout of their own. At most one layout is.")
    is_active: bool = attribute("Whether to offer the layout for selection.")
    version: int = attribute("Version number, incremented by every change.")


@strawberry.type(description="A page of invoice layouts, oldest first.")
class InvoiceLayoutConnection(Connection[InvoiceLayout]):
    total_count: int | None = declare_total_count(layouts.counts)

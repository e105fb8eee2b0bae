"""GraphQL types of labels."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import LabelRow
from db.tables import LabelFields
from domain.clients import labels
from domain.clients import reads as clients
from resolvers.pagination import paginate
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import relation
from schema.core.row_type import Node, attribute, row_type

if TYPE_CHECKING:
    from schema.clients import LabelClientConnection


@row_type(LabelRow, fields=LabelFields, description="A label to group clients and registrations by.")
class Label(Node):
    name: str = attribute("Name, unique in the organization; case and accents are ignored.")
    color: str = attribute("Colour as `#RRGGBB`, for example `#1D4ED8`.")
    is_active: bool = attribute("Whether to offer the label for selection.")
    version: int = attribute("Version number, incremented by every change.")
    clients: Annotated["LabelClientConnection", strawberry.lazy("schema.clients")] | None = relation(
        clients.of_labels, "Clients that have the label, sorted by name.", paginate
    )


@strawberry.type(description="A page of labels, sorted by name.")
class LabelConnection(Connection[Label]):
    total_count: int | None = declare_total_count(labels.counts)

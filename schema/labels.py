"""Labels."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import LabelRow
from db.tables import LabelFields
from domain.clients import labels
from domain.clients import reads as clients
from resolvers.pagination import paginate
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import relation
from schema.core.row_type import Node, row_type

if TYPE_CHECKING:
    from schema.clients import LabelClientConnection


@row_type(LabelRow, fields=LabelFields, description="A word to sort clients by.")
class Label(Node):
    name: str = strawberry.field(description="Name, unique in the organization.")
    color: str = strawberry.field(description="Colour, as `#RRGGBB`.")
    is_active: bool = strawberry.field(description="Whether it can be chosen.")
    version: int = strawberry.field(description="Grows by one with each change.")
    clients: Annotated["LabelClientConnection", strawberry.lazy("schema.clients")] | None = relation(
        clients.of_labels, paginate, description="Clients that carry it, by name."
    )


@strawberry.type(description="Labels by name.")
class LabelConnection(Connection[Label]):
    total_count: int | None = declare_total_count(labels.counts)

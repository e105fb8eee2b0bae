"""Labels."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import LabelRow
from resolvers import clients, labels
from resolvers.loaders import by
from schema.connections import Connection
from schema.lens import Node, answered, lens

if TYPE_CHECKING:
    from schema.clients import LabelClientConnection


@lens(LabelRow, description="A word to sort clients by.")
class Label(Node):
    name: str = strawberry.field(description="Name, unique in the organization.")
    color: str = strawberry.field(description="Colour, as `#RRGGBB`.")
    version: int = strawberry.field(description="Grows by one with each change.")
    clients: Annotated["LabelClientConnection", strawberry.lazy("schema.clients")] | None = by(
        clients.of_label, description="Clients that carry it, by name."
    )


@strawberry.type(description="Labels by name.")
class LabelConnection(Connection[Label]):
    total_count: int | None = answered(labels.total, description="How many there are in all, whatever the page.")

"""Labels."""

import strawberry

from db.rows import LabelRow
from schema.lens import Node, lens


@lens(LabelRow, description="A word to sort clients by.")
class Label(Node):
    name: str = strawberry.field(description="Name, unique in the organization.")
    color: str = strawberry.field(description="Colour, as `#RRGGBB`.")
    version: int = strawberry.field(description="Grows by one with each change.")

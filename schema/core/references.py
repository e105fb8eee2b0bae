"""References to types that cannot be imported without an import cycle."""

from typing import TYPE_CHECKING, Annotated, TypeAlias

import strawberry

if TYPE_CHECKING:
    from schema.clients import Client

ClientReference: TypeAlias = Annotated["Client", strawberry.lazy("schema.clients")]

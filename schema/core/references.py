"""References to types that are declared later."""

from typing import TYPE_CHECKING, Annotated, TypeAlias

import strawberry

if TYPE_CHECKING:
    from schema.clients import Client

ClientReference: TypeAlias = Annotated["Client", strawberry.lazy("schema.clients")]

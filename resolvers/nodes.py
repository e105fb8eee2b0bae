"""Any object by its id."""

from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.relay import GlobalID

from db.query import Row
from resolvers.context import Info
from resolvers.loaders import Loader


async def by_id(info: Info, id: Annotated[GlobalID, strawberry.argument(description="The id of the object.")]) -> Row | None:
    """Each type that can be asked for by id has a loader of its own; what is not an id of ours is as unknown as one that is gone."""
    loaders = info.context.loaders
    known: dict[str, Loader[UUID, Any]] = {
        "Client": loaders.clients,
        "Contact": loaders.contacts,
        "Label": loaders.labels,
        "Member": loaders.members,
        "Organization": loaders.organizations,
    }
    key = key_of(id)
    return await known[id.type_name].load(key) if key and id.type_name in known else None


def key_of(id: GlobalID) -> UUID | None:
    try:
        return UUID(id.node_id)
    except ValueError:
        return None

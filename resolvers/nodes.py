"""Any object by its id."""

import asyncio
from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any
from uuid import UUID

import strawberry

from db.query import Row
from domain.errors import AlreadyArchived, BadInput, VersionConflict
from domain.pages import LARGEST
from resolvers.batches import Loader
from resolvers.context import Info
from resolvers.ids import GlobalId
from resolvers.loaders import Loaders

LOADERS: dict[str, Callable[[Loaders], Loader[UUID, Any]]] = {
    "ActivityEvent": attrgetter("events"),
    "ApiToken": attrgetter("tokens"),
    "Client": attrgetter("clients"),
    "ClientPortal": attrgetter("portals"),
    "Contact": attrgetter("contacts"),
    "Invoice": attrgetter("invoices"),
    "InvoiceLayout": attrgetter("layouts"),
    "Label": attrgetter("labels"),
    "Member": attrgetter("members"),
    "Organization": attrgetter("organizations"),
    "Project": attrgetter("projects"),
    "Registration": attrgetter("registrations"),
    "Quote": attrgetter("quotes"),
    "VatRate": attrgetter("vat_rates"),
}


async def by_id(info: Info, id: Annotated[GlobalId, strawberry.argument(description="The id of the object.")]) -> Row | None:
    """Each type that has ids has a loader of its own."""
    found: Row | None = await LOADERS[id.type_name](info.context.loaders).load(id.key)
    return found


async def by_ids(info: Info, ids: Annotated[list[GlobalId], strawberry.argument(description="The ids, at most 100.")]) -> list[Row | None]:
    if len(ids) > LARGEST:
        raise BadInput(f"`ids` has at most {LARGEST}.")
    found = list[Row | None]()
    for each in await asyncio.gather(*(by_id(info, key) for key in ids), return_exceptions=True):
        if isinstance(each, BaseException):
            raise each  # of several the first in the list: which is the first in time is chance
        found.append(each)
    return found


async def current(info: Info, root: strawberry.Parent[VersionConflict | AlreadyArchived]) -> Row | None:
    """As it is now."""
    found: Row | None = await LOADERS[root.object_type](info.context.loaders).load(root.object_id)
    return found

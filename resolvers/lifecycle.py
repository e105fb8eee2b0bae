"""Inputs of archiving, one client at a time, and how it is done."""

from uuid import UUID

import strawberry

from domain import lifecycle
from domain.scope import WriteScope
from resolvers.ids import GlobalId
from resolvers.inputs import ANY_SEEN, id_of


@strawberry.input(description="A client to archive.")
class ClientArchiveInput:
    id: GlobalId = strawberry.field(description="The client.")
    expected_version: int | None = strawberry.field(default=None, description=ANY_SEEN)


@strawberry.input(description="A client to take back.")
class ClientUnarchiveInput:
    id: GlobalId = strawberry.field(description="The client.")
    expected_version: int | None = strawberry.field(default=None, description=ANY_SEEN)


async def archive(scope: WriteScope, input: ClientArchiveInput) -> UUID:
    return await lifecycle.archive(scope, id_of(input.id, "Client"), expected_version=input.expected_version)


async def unarchive(scope: WriteScope, input: ClientUnarchiveInput) -> UUID:
    return await lifecycle.unarchive(scope, id_of(input.id, "Client"), expected_version=input.expected_version)

"""Inputs and resolvers of the mutations that archive and unarchive clients."""

from uuid import UUID

import strawberry

from domain.clients import archiving
from domain.core.scope import WriteScope
from resolvers.ids import GlobalId
from resolvers.inputs import OPTIONAL_CLIENT_VERSION_DESCRIPTION, to_uuid


@strawberry.input(description="A client to archive.")
class ClientArchiveInput:
    id: GlobalId = strawberry.field(description="Id of the client.")
    expected_version: int | None = strawberry.field(default=None, description=OPTIONAL_CLIENT_VERSION_DESCRIPTION)


@strawberry.input(description="A client to unarchive.")
class ClientUnarchiveInput:
    id: GlobalId = strawberry.field(description="Id of the client.")
    expected_version: int | None = strawberry.field(default=None, description=OPTIONAL_CLIENT_VERSION_DESCRIPTION)


async def archive(scope: WriteScope, input: ClientArchiveInput) -> UUID:
    return await archiving.archive(scope, to_uuid(input.id, "Client"), expected_version=input.expected_version)


async def unarchive(scope: WriteScope, input: ClientUnarchiveInput) -> UUID:
    return await archiving.unarchive(scope, to_uuid(input.id, "Client"), expected_version=input.expected_version)

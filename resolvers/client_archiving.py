"""Inputs and resolvers of the mutations that archive and unarchive clients."""

from uuid import UUID

import strawberry

from domain.clients import archiving
from domain.core.scope import WriteScope
from resolvers.inputs import VersionedInput, to_uuid


@strawberry.input(description="A client to archive.")
class ClientArchiveInput(VersionedInput): ...


@strawberry.input(description="A client to unarchive.")
class ClientUnarchiveInput(VersionedInput): ...


async def archive(scope: WriteScope, input: ClientArchiveInput) -> UUID:
    return await archiving.archive(scope, to_uuid(input.id, "Client"), expected_version=input.expected_version)


async def unarchive(scope: WriteScope, input: ClientUnarchiveInput) -> UUID:
    return await archiving.unarchive(scope, to_uuid(input.id, "Client"), expected_version=input.expected_version)

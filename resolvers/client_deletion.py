"""The input of deleting a client, and its mutation."""

import strawberry

from domain.clients import deletion
from domain.clients.deletion import DeletionOptions, DeletionResult
from domain.core.scope import WriteScope
from resolvers.ids import GlobalId
from resolvers.inputs import to_uuid


@strawberry.input(description="A client to delete for good, as its preview showed it.")
class ClientDeleteInput:
    id: GlobalId = strawberry.field(description="The client, which is archived.")
    preview_token: str = strawberry.field(
        description="The `token` of its `deletionPreview`: 15 minutes old at most, and refused when anything has changed since."
    )
    acknowledge_fiscal_retention: bool = strawberry.field(
        default=False, description="Whether you know that the law has issued invoices kept. Needed where there are any."
    )
    delete_orphan_contacts: bool = strawberry.field(
        default=False, description="Whether contacts that no other client has go as well. They are kept otherwise. Needs CLIENTS_WRITE."
    )


async def delete(scope: WriteScope, input: ClientDeleteInput) -> DeletionResult:
    options = DeletionOptions(input.preview_token, input.acknowledge_fiscal_retention, input.delete_orphan_contacts)
    return await deletion.delete(scope, to_uuid(input.id, "Client"), options)

"""Input and resolver of the mutation that deletes a client."""

import strawberry

from domain.clients import deletion
from domain.clients.deletion import DeletionOptions, DeletionResult
from domain.core.scope import WriteScope
from resolvers.ids import GlobalId
from resolvers.inputs import to_uuid


@strawberry.input(description="A client to delete permanently, in the state that its preview showed.")
class ClientDeleteInput:
    id: GlobalId = strawberry.field(description="Id of the client, which must be archived.")
    preview_token: str = strawberry.field(
        description="`token` of the client's `deletionPreview`. The mutation fails with `PREVIEW_OUTDATED` if the token is older than "
        "15 minutes or the content of the preview has changed."
    )
    acknowledge_fiscal_retention: bool = strawberry.field(
        default=False,
        description="Whether to delete issued invoices although they must be kept by law. If there are any, the mutation fails with "
        "`FISCAL_RETENTION` unless this is true.",
    )
    delete_orphan_contacts: bool = strawberry.field(
        default=False, description="Whether to also delete contacts that no other client has. Requires `CLIENTS_WRITE`."
    )


async def delete(scope: WriteScope, input: ClientDeleteInput) -> DeletionResult:
    options = DeletionOptions(input.preview_token, input.acknowledge_fiscal_retention, input.delete_orphan_contacts)
    return await deletion.delete(scope, to_uuid(input.id, "Client"), options)

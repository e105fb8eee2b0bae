"""Inputs of the bulk upsert of clients."""

import strawberry

from db.tables import ClientFields
from domain.clients import bulk_upsert
from domain.clients.bulk_upsert import OnError, UpsertResult
from domain.clients.editing import ClientForm
from domain.core.scope import WriteScope
from resolvers.client_editing import ClientAddressInput, ClientFinancialPatchInput, ClientLabelInput, build_form, financial_patch
from resolvers.enums import describe_enum
from resolvers.inputs import patch_of, patch_values, present_lists

describe_enum(
    OnError,
    "What becomes of the others when a client is refused.",
    name="BulkErrorPolicy",
    ALL_OR_NOTHING="Nothing is done.",
    SKIP_FAILED="They are done, without those that are refused.",
)


@patch_of(ClientFields, description="A client as it is elsewhere. Of a client there is, what is left out stays and null clears.")
class ClientUpsertInput:
    name: str
    addresses: strawberry.Maybe[list[ClientAddressInput] | None] = strawberry.field(description="All its addresses from now on.")
    labels: strawberry.Maybe[list[ClientLabelInput] | None] = strawberry.field(description="All its labels from now on, 50 at most.")
    financial: strawberry.Maybe[ClientFinancialPatchInput] = strawberry.field(description="Financial settings. Needs FINANCE_WRITE.")


@strawberry.input(description="Clients to make, or to bring up to date.")
class ClientBulkUpsertInput:
    clients: list[ClientUpsertInput] = strawberry.field(description="The clients, 1 to 100, each once.")
    on_error: OnError = strawberry.field(default=OnError.ALL_OR_NOTHING, description="What becomes of the others when one is refused.")


async def upsert(scope: WriteScope, input: ClientBulkUpsertInput) -> list[UpsertResult]:
    return await bulk_upsert.upsert(scope, [_build_form(each) for each in input.clients], input.on_error)


def _build_form(input: ClientUpsertInput) -> ClientForm:
    parts = present_lists(addresses=input.addresses, labels=input.labels)
    return build_form({**patch_values(ClientFields, input), "name": input.name}, financial_patch(input.financial), parts)

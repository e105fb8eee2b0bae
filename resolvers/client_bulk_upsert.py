"""Inputs of the bulk upsert of clients."""

import strawberry

from db.tables import ClientFields
from domain.clients import bulk_upsert
from domain.clients.bulk_upsert import MAX_CLIENTS, OnError, UpsertResult
from domain.clients.editing import MAX_ADDRESSES, ClientForm
from domain.core.scope import WriteScope
from resolvers.client_editing import (
    LABELS_ADD_DESCRIPTION,
    LABELS_REMOVE_DESCRIPTION,
    ClientAddressInput,
    ClientFinancialPatchInput,
    ClientLabelInput,
    address_values,
    financial_patch,
    label_changes,
)
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import patch_of, patch_values

ADDRESSES_DESCRIPTION = f"Addresses to set, at most {MAX_ADDRESSES}: one of each type. Addresses of other types stay unchanged."

describe_enum(
    OnError,
    "What to do with the others if a client is rejected.",
    name="BulkErrorPolicy",
    ALL_OR_NOTHING="Change nothing.",
    SKIP_FAILED="Create or update the others.",
)


@patch_of(
    ClientFields,
    description="A client to create or update. An update leaves omitted fields unchanged; null clears a field. In a new client, an omitted "
    "field gets the default of `ClientCreateInput`.",
)
class ClientUpsertInput:
    name: str
    addresses: list[ClientAddressInput] = strawberry.field(default_factory=list, description=ADDRESSES_DESCRIPTION)
    labels_add: list[ClientLabelInput] = strawberry.field(default_factory=list, description=LABELS_ADD_DESCRIPTION)
    labels_remove: list[GlobalId] = strawberry.field(default_factory=list, description=LABELS_REMOVE_DESCRIPTION)
    financial: strawberry.Maybe[ClientFinancialPatchInput] = strawberry.field(description="Financial settings. Requires `FINANCE_WRITE`.")


@strawberry.input(description="Clients to create or update.")
class ClientBulkUpsertInput:
    clients: list[ClientUpsertInput] = strawberry.field(description=f"Clients, 1 to {MAX_CLIENTS}.")
    on_error: OnError = strawberry.field(default=OnError.ALL_OR_NOTHING, description="What to do with the others if a client is rejected.")


async def upsert(scope: WriteScope, input: ClientBulkUpsertInput) -> list[UpsertResult]:
    return await bulk_upsert.upsert(scope, [_build_form(each) for each in input.clients], input.on_error)


def _build_form(input: ClientUpsertInput) -> ClientForm:
    return ClientForm(
        {**patch_values(ClientFields, input), "name": input.name},
        financial_patch(input.financial),
        address_values(input.addresses) or None,
        keeps_other_addresses=True,
        labels=label_changes(input.labels_add, input.labels_remove),
    )

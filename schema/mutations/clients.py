"""Mutations of clients and their payloads."""

from operator import attrgetter

import strawberry

from domain.clients.bulk_upsert import UpsertAction, UpsertResult
from domain.clients.deletion import DeletionResult
from domain.clients.reads import by_id
from domain.core import errors
from domain.core.idempotency import Outcome
from domain.core.pagination import MAX_PAGE_SIZE
from domain.core.scope import Permission
from resolvers import client_archiving, client_bulk_upsert, client_deletion, client_editing
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId, make_id_encoder
from schema.clients import Client
from schema.core.directives import Cost, ListSize
from schema.core.errors import UserError, error_interface
from schema.core.fields import list_size, relation
from schema.core.payload import Payload, changed_object, declare_mutation, mutations
from schema.core.row_type import attribute, computed_field, row_type
from schema.previews import DeletedCounts
from schema.user_errors import (
    ClientAlreadyArchivedError,
    ClientVersionConflictError,
    FiscalRetentionError,
    NumberTakenError,
    PreviewOutdatedError,
)

BULK_LIST_SIZE = ListSize(
    assumed_size=MAX_PAGE_SIZE, slicing_arguments=["input.clients"], sized_fields=["results"], require_one_slicing_argument=False
)
EXCLUSIVE_HINT = "A document may contain only one `clientArchive` or `clientDelete`."
BULK_UPSERT_DESCRIPTION = f"""\
Creates or updates up to 100 clients, and writes only what differs. A client with a number matches the existing client with that number,
whatever its name. A client without a number matches the existing client without a number that has the same name. Case is ignored, and so
are accents in names. A client without a match is created. A matching client keeps the labels and addresses that the input does not name.
A client is rejected with `AMBIGUOUS` if several existing clients match, with `ALREADY_ARCHIVED` if the matching client is archived, and
with `DUPLICATE` if an earlier entry has the same number or name.
Also requires `{Permission.CLIENTS_WRITE}`."""
ARCHIVE_DESCRIPTION = f"""\
Archives a client and its active projects, and closes its portals. Until `clientUnarchive`, the client, its projects and its registrations
cannot change (`ALREADY_ARCHIVED`), and new registrations are rejected. Payments and credit notes are still accepted; totals stay the same.
{EXCLUSIVE_HINT}"""
UNARCHIVE_DESCRIPTION = """\
Unarchives a client, with the projects and portals that were archived or closed together with it. Projects and portals that were archived
or closed earlier are not restored. Fails with `NOT_ARCHIVED` if the client is active."""
DELETE_DESCRIPTION = f"""\
Deletes an archived client permanently, with its projects, registrations, invoices, payments, quotes, portals, addresses, labels, links to
contacts and activity, and with the exported files that may contain it. Exports that are running are cancelled. Contacts are kept, unless
`deleteOrphanContacts` is true. This cannot be undone.
Fails with `NOT_ARCHIVED` if the client is active, with `PREVIEW_OUTDATED` if the preview token has expired or the client has changed, and
with `FISCAL_RETENTION` if there are issued invoices and `acknowledgeFiscalRetention` is not true.
{EXCLUSIVE_HINT}"""


describe_enum(
    UpsertAction,
    "What a bulk upsert did with one client.",
    name="ClientUpsertAction",
    CREATED="The client was created.",
    UPDATED="The client was updated.",
    UNCHANGED="The client had these values already.",
    REFUSED="The client was rejected; `userErrors` gives the reasons.",
    NOT_DONE="Nothing, because another client was rejected and `onError` is `ALL_OR_NOTHING`.",
)


@strawberry.type
class ClientPayload(Payload):
    client: Client | None = changed_object(by_id)


def _deleted_client_id(outcome: Outcome[DeletionResult]) -> str | None:
    return None if outcome.value is None else make_id_encoder("Client")(outcome.value.client_id)


@strawberry.type
class ClientDeletePayload(Payload):
    deleted_id: GlobalId | None = computed_field(_deleted_client_id, "Id of the deleted client. Null if the mutation failed.")
    deleted: DeletedCounts | None = computed_field(attrgetter("value"), "What was deleted with the client. Null if the mutation failed.")


@error_interface("clientBulkUpsert", NumberTakenError, ClientAlreadyArchivedError)
class ClientBulkUpsertError(UserError): ...


@row_type(UpsertResult, description="Result of a bulk upsert for one client.")
class ClientUpsertResult:
    action: UpsertAction = attribute("What was done with the client.")
    client: Client | None = relation(
        by_id,
        "Client after the mutation. Null if it was rejected, if nothing was done, or if the client was deleted since.",
        key="client_id",
    )
    user_errors: list[ClientBulkUpsertError] = computed_field(
        attrgetter("user_errors"), "Errors for which the client was rejected. Empty if it was not.", directives=[list_size(5)]
    )


def _collect_user_errors(outcome: Outcome[list[UpsertResult]]) -> list[errors.UserError]:
    """Return the errors of the whole input and of each client."""
    return [*outcome.user_errors, *(error for each in outcome.value or () for error in each.user_errors)]


@strawberry.type
class ClientBulkUpsertPayload(Payload):
    results: list[ClientUpsertResult] = computed_field(
        lambda outcome: outcome.value or [], "Results in the order of `clients`. Empty if the whole input was rejected."
    )
    user_errors: list[ClientBulkUpsertError] = computed_field(
        _collect_user_errors, "Errors of the whole input and of all clients. Empty if nothing was rejected.", directives=[list_size(5)]
    )


@mutations
class ClientMutations:
    client_create: ClientPayload = declare_mutation(
        client_editing.create,
        "Creates a client with its addresses, labels, contacts and financial settings. Fails with `NUMBER_TAKEN` if another "
        "client has the number.",
        errors=[NumberTakenError],
    )
    client_update: ClientPayload = declare_mutation(
        client_editing.update,
        "Changes a client. A list of addresses replaces the current one. Labels and contacts are added and removed one by one, "
        "so the client keeps those that others added meanwhile. Fails with `NUMBER_TAKEN` if another client has the number, with "
        "`NAME_TAKEN` if a contact to add is linked already, and with `ALREADY_ARCHIVED` if the client is archived.",
        errors=[NumberTakenError, ClientAlreadyArchivedError, ClientVersionConflictError],
    )
    client_delete: ClientDeletePayload = declare_mutation(
        client_deletion.delete,
        DELETE_DESCRIPTION,
        permission=Permission.CLIENTS_ARCHIVE,
        costs=(Cost(weight="2000"),),
        is_exclusive=True,
        errors=[PreviewOutdatedError, FiscalRetentionError],
    )
    client_bulk_upsert: ClientBulkUpsertPayload = declare_mutation(
        client_bulk_upsert.upsert, BULK_UPSERT_DESCRIPTION, permission=Permission.CLIENTS_IMPORT, costs=(Cost(weight="100"), BULK_LIST_SIZE)
    )
    client_archive: ClientPayload = declare_mutation(
        client_archiving.archive,
        ARCHIVE_DESCRIPTION,
        permission=Permission.CLIENTS_ARCHIVE,
        is_exclusive=True,
        errors=[ClientAlreadyArchivedError, ClientVersionConflictError],
    )
    client_unarchive: ClientPayload = declare_mutation(
        client_archiving.unarchive,
        UNARCHIVE_DESCRIPTION,
        permission=Permission.CLIENTS_ARCHIVE,
        errors=[ClientVersionConflictError],
    )

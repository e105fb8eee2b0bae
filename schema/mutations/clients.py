"""Mutations of clients, and their payloads."""

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
from schema.core.errors import UserError
from schema.core.fields import list_size, relation
from schema.core.payload import Payload, changed_object, declare_mutation, mutations
from schema.core.row_type import computed_field, row_type
from schema.previews import DeletedCounts

BULK_LIST_SIZE = ListSize(
    assumed_size=MAX_PAGE_SIZE, slicing_arguments=["input.clients"], sized_fields=["results"], require_one_slicing_argument=False
)
BULK_UPSERT_DESCRIPTION = """\
Makes clients, or brings them up to date. One with a number is the client of that number, whatever its name, or else a new one.
One without is the client without a number that has the name, or else a new one; where several have it, it is refused (AMBIGUOUS). So is
one that is archived (ALREADY_ARCHIVED), and the second of two that are the same (DUPLICATE). Capitals make no difference.
Only what differs is written."""
ARCHIVE_DESCRIPTION = """\
Archives a client, its active projects too, and closes its portals. What was registered stays as it is, and nothing more
can be registered on it or its projects. It takes no other changes, but payments and credit notes are still entered; its figures stay."""
UNARCHIVE_DESCRIPTION = """\
Takes an archived client back, with the projects and portals that its archiving took along; a project that was archived
before, and a portal that was closed before, stay so."""
DELETE_DESCRIPTION = """\
Deletes one client for good, once it is archived and its `deletionPreview` was read: its projects, registrations, invoices,
payments, quotes, portals, addresses, labels and links to contacts, and all that was told of them. Contacts of other clients stay.
There is no way back."""


describe_enum(
    UpsertAction,
    "What became of one client.",
    name="ClientUpsertAction",
    CREATED="It is new.",
    UPDATED="It was there, and something is other than it was.",
    UNCHANGED="It was there, just as it was given.",
    REFUSED="It was refused, and left as it was.",
    NOT_DONE="Nothing: another was refused, and it was all or nothing.",
)


@strawberry.type
class ClientPayload(Payload):
    client: Client | None = changed_object(by_id)


def _deleted_client_id(outcome: Outcome[DeletionResult]) -> str | None:
    return None if outcome.value is None else make_id_encoder("Client")(outcome.value.client_id)


@strawberry.type
class ClientDeletePayload(Payload):
    deleted_id: GlobalId | None = computed_field(_deleted_client_id, description="The id that it had; null when it was refused.")
    deleted: DeletedCounts | None = computed_field(attrgetter("value"), description="What went with it; null when it was refused.")


@row_type(UpsertResult, description="What became of one client.")
class ClientUpsertResult:
    action: UpsertAction = strawberry.field(description="What was done.")
    client: Client | None = relation(by_id, key="client_id", description="As it is now; null when it was refused or not done.")
    user_errors: list[UserError] = computed_field(
        attrgetter("user_errors"), description="Why it was refused; empty when it was not.", directives=[list_size(5)]
    )


def _collect_user_errors(outcome: Outcome[list[UpsertResult]]) -> list[errors.UserError]:
    """Return the errors of the whole, and of each client."""
    return [*outcome.user_errors, *(error for each in outcome.value or () for error in each.user_errors)]


@strawberry.type
class ClientBulkUpsertPayload(Payload):
    results: list[ClientUpsertResult] = computed_field(
        lambda outcome: outcome.value or [], description="One for each client, in the order of the input."
    )
    user_errors: list[UserError] = computed_field(
        _collect_user_errors,
        description="Why what was refused was refused, all together; empty when nothing was.",
        directives=[list_size(5)],
    )


@mutations
class ClientMutations:
    client_create: ClientPayload = declare_mutation(
        client_editing.create, description="Adds a client with its addresses, labels, contacts and financial settings."
    )
    client_update: ClientPayload = declare_mutation(client_editing.update, description="Changes a client.")
    client_delete: ClientDeletePayload = declare_mutation(
        client_deletion.delete,
        description=DELETE_DESCRIPTION,
        permission=Permission.CLIENTS_ARCHIVE,
        costs=(Cost(weight="2000"),),
        is_exclusive=True,
    )
    client_bulk_upsert: ClientBulkUpsertPayload = declare_mutation(
        client_bulk_upsert.upsert,
        description=f"{BULK_UPSERT_DESCRIPTION} Takes {Permission.CLIENTS_WRITE} as well.",
        permission=Permission.CLIENTS_IMPORT,
        costs=(Cost(weight="100"), BULK_LIST_SIZE),
    )
    client_archive: ClientPayload = declare_mutation(
        client_archiving.archive, description=ARCHIVE_DESCRIPTION, permission=Permission.CLIENTS_ARCHIVE, is_exclusive=True
    )
    client_unarchive: ClientPayload = declare_mutation(
        client_archiving.unarchive, description=UNARCHIVE_DESCRIPTION, permission=Permission.CLIENTS_ARCHIVE
    )

"""Mutations of a client's links to contacts and labels and their payloads."""

import strawberry

from resolvers import client_editing
from resolvers.clients import load_changed
from schema.clients import Client
from schema.core.fields import FieldOptions, resolved_field
from schema.core.payload import Payload, declare_mutation, mutations
from schema.mutations.clients import ClientPayload
from schema.user_errors import ClientAlreadyArchivedError, ClientContactVersionConflictError


@strawberry.type
class ClientsPayload(Payload):
    clients: list[Client] | None = resolved_field(
        load_changed,
        "Clients after the mutation, in the order of `clientIds`, without those that were deleted since. Null if the mutation failed.",
        options=FieldOptions(size=100),
    )


@mutations
class ClientLinkMutations:
    client_contact_link: ClientPayload = declare_mutation(
        client_editing.link,
        "Links a contact to a client. Fails with `NAME_TAKEN` if they are linked already, and with `ALREADY_ARCHIVED` if the "
        "client is archived.",
        errors=[ClientAlreadyArchivedError],
    )
    client_contact_update: ClientPayload = declare_mutation(
        client_editing.update_link,
        "Changes the link between a contact and a client. The contact and its links to other clients stay the same. "
        "Fails with `ALREADY_ARCHIVED` if the client is archived.",
        errors=[ClientAlreadyArchivedError, ClientContactVersionConflictError],
    )
    client_contact_unlink: ClientPayload = declare_mutation(
        client_editing.unlink,
        "Removes a contact from a client, but does not delete it. Fails with `ALREADY_ARCHIVED` if the client is archived.",
        errors=[ClientAlreadyArchivedError, ClientContactVersionConflictError],
    )
    client_labels_add: ClientsPayload = declare_mutation(
        client_editing.add_labels,
        "Adds labels to up to 100 clients, or to none of them if one cannot get them. Fails with `TOO_MANY` if a client would "
        "have more than 50 labels, and with `ALREADY_ARCHIVED` if a client is archived.",
        errors=[ClientAlreadyArchivedError],
    )
    client_labels_remove: ClientsPayload = declare_mutation(
        client_editing.remove_labels,
        "Removes labels from up to 100 clients. Fails with `ALREADY_ARCHIVED` if a client is archived.",
        errors=[ClientAlreadyArchivedError],
    )

"""Mutations of a client's links to contacts and labels, and their payloads."""

import strawberry

from resolvers import client_editing
from resolvers.clients import load_changed
from schema.clients import Client
from schema.core.fields import FieldOptions, resolved_field
from schema.core.payload import Payload, declare_mutation, mutations
from schema.mutations.clients import ClientPayload


@strawberry.type
class ClientsPayload(Payload):
    clients: list[Client | None] | None = resolved_field(
        load_changed, description="As they are now; null when it was refused.", options=FieldOptions(size=100)
    )


@mutations
class ClientLinkMutations:
    client_contact_link: ClientPayload = declare_mutation(client_editing.link, description="Makes a contact one of a client's.")
    client_contact_update: ClientPayload = declare_mutation(
        client_editing.update_link, description="Changes what a contact is to one client."
    )
    client_contact_unlink: ClientPayload = declare_mutation(
        client_editing.unlink, description="Takes a contact off a client; the contact stays."
    )
    client_labels_add: ClientsPayload = declare_mutation(client_editing.add_labels, description="Puts labels on up to 100 clients.")
    client_labels_remove: ClientsPayload = declare_mutation(client_editing.remove_labels, description="Takes labels off up to 100 clients.")

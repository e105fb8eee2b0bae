"""Mutations of contacts, and their payloads."""

import strawberry

from domain.clients.contacts import by_id
from resolvers import contacts
from resolvers.ids import GlobalId
from schema.contacts import Contact
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations


@strawberry.type
class ContactPayload(Payload):
    contact: Contact | None = changed_object(by_id)


@strawberry.type
class ContactDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Contact")


@mutations
class ContactMutations:
    contact_create: ContactPayload = declare_mutation(contacts.create, description="Adds a contact.")
    contact_update: ContactPayload = declare_mutation(contacts.update, description="Changes a contact, which shows at each of its clients.")
    contact_delete: ContactDeletePayload = declare_mutation(contacts.delete, description="Deletes a contact that no client has any more.")

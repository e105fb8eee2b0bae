"""Mutations of contacts and their payloads."""

import strawberry

from domain.clients.contacts import by_id
from resolvers import contacts
from resolvers.ids import GlobalId
from schema.contacts import Contact
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations
from schema.user_errors import ContactVersionConflictError, InUseError


@strawberry.type
class ContactPayload(Payload):
    contact: Contact | None = changed_object(by_id)


@strawberry.type
class ContactDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Contact")


@mutations
class ContactMutations:
    contact_create: ContactPayload = declare_mutation(contacts.create, "Creates a contact.")
    contact_update: ContactPayload = declare_mutation(
        contacts.update,
        "Changes a contact, for all its clients.",
        errors=[ContactVersionConflictError],
    )
    contact_delete: ContactDeletePayload = declare_mutation(
        contacts.delete,
        "Deletes a contact. Fails with `IN_USE` while a client has it, also if that client is archived.",
        errors=[InUseError, ContactVersionConflictError],
    )

"""Contacts, and how a client knows them."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import ContactRow
from resolvers import clients, contacts
from resolvers.loaders import by
from schema.connections import Connection, Edge
from schema.lens import Node, answered, lens, read

if TYPE_CHECKING:
    from schema.clients import ContactClientConnection


def _full_name(row: ContactRow) -> str:
    return " ".join(part for part in (row.first_name, row.last_name) if part)


@lens(ContactRow, description="A person to talk to, who may belong to several clients.")
class Contact(Node):
    first_name: str | None = strawberry.field(description="First name; a contact has this or a last name, or both.")
    last_name: str | None = strawberry.field(description="Last name, with what goes before it.")
    full_name: str = read(_full_name, description="First and last name.")
    job_title: str | None = strawberry.field(description="What the person does.")
    email: str | None = strawberry.field(description="E-mail address.")
    phone: str | None = strawberry.field(description="Telephone number.")
    mobile: str | None = strawberry.field(description="Mobile number.")
    language: str | None = strawberry.field(description="Language of ISO 639-1, as `nl`.")
    created_at: datetime = strawberry.field(description="When the contact was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")
    clients: Annotated["ContactClientConnection", strawberry.lazy("schema.clients")] | None = by(
        clients.of_contact, description="Its clients by name."
    )


@strawberry.type(description="Contacts by name.")
class ContactConnection(Connection[Contact]):
    total_count: int | None = answered(contacts.total, description="How many there are in all, whatever the page.")


@strawberry.type(description="A contact as one client knows it.")
class ClientContactEdge(Edge[Contact]):
    position: int = read(attrgetter("node.position"), description="Place among the client's contacts.")
    department: str | None = read(attrgetter("node.department"), description="Department at this client.")
    is_invoice_contact: bool = read(attrgetter("node.is_invoice_contact"), description="Whether this client's invoices go to the person.")
    is_primary: bool = read(attrgetter("node.is_primary"), description="Whether it is the first person to call at this client.")


@strawberry.type(description="Contacts of a client, by their position there.")
class ClientContactConnection(Connection[Contact]):
    edges: Sequence[ClientContactEdge] = strawberry.field(description="The contacts, with what they are to this client.")

"""Contacts, and their links to clients."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import ContactRow
from db.tables.contacts import ClientContactFields, ContactFields, ContactRole, Recipient
from domain.clients import contacts
from domain.clients import reads as clients
from domain.core import activity
from resolvers.enums import describe_enum
from resolvers.pagination import paginate
from schema.activity import ContactActivityConnection
from schema.core.connections import Connection, Edge, declare_edges, declare_total_count
from schema.core.fields import relation
from schema.core.row_type import DESCRIBED_BY, Node, computed_field, row_type

if TYPE_CHECKING:
    from schema.clients import ContactClientConnection


describe_enum(
    ContactRole,
    "A kind of document, or of access, that a contact receives.",
    INVOICE="Invoices.",
    QUOTE="Quotes.",
    REMINDER="Reminders of what is to be paid.",
    STATEMENT="Statements of account.",
    PORTAL="Access to the client's portal.",
)
describe_enum(
    Recipient,
    "How a message is addressed to somebody.",
    TO="As its receiver.",
    CC="As one who is kept informed.",
    BCC="As one whom the others do not see.",
)


def _full_name(row: ContactRow) -> str:
    return " ".join(part for part in (row.first_name, row.last_name) if part)


@row_type(ContactRow, fields=ContactFields, description="A person to talk to, who may belong to several clients.")
class Contact(Node):
    first_name: str | None = strawberry.field(description="First name; a contact has this or a last name, or both.")
    last_name: str | None = strawberry.field(description="Last name, with what goes before it.")
    full_name: str = computed_field(_full_name, description="First and last name.", columns=("first_name", "last_name"))
    job_title: str | None = strawberry.field(description="What the person does.")
    email: str | None = strawberry.field(description="E-mail address.")
    phone: str | None = strawberry.field(description="Telephone number.")
    mobile: str | None = strawberry.field(description="Mobile number.")
    language: str | None = strawberry.field(description="Language of ISO 639-1, as `nl`.")
    notes: str | None = strawberry.field(description="Notes.")
    is_active: bool = strawberry.field(description="Whether the person can still be reached.")
    created_at: datetime = strawberry.field(description="When the contact was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")
    clients: Annotated["ContactClientConnection", strawberry.lazy("schema.clients")] | None = relation(
        clients.of_contacts, paginate, description="Its clients by name."
    )
    activity: ContactActivityConnection | None = relation(
        activity.of_contacts, paginate, description="What happened to it and its links to clients, the newest first."
    )


@strawberry.type(description="Contacts by name.")
class ContactConnection(Connection[Contact]):
    total_count: int | None = declare_total_count(contacts.counts, cost=180)


@strawberry.type(description="What a contact is to one client.")
class ClientContactLink:
    position: int = computed_field(attrgetter("node.position"), description="Place among the client's contacts.")
    department: str | None = computed_field(attrgetter("node.department"), description="Department at this client.")
    is_invoice_contact: bool = computed_field(
        attrgetter("node.is_invoice_contact"), description="Whether this client's invoices go to the person."
    )
    is_primary: bool = computed_field(attrgetter("node.is_primary"), description="Whether it is the first person to call at this client.")
    roles: list[ContactRole] = computed_field(attrgetter("node.roles"), description="Documents of this client that go to the person.")
    recipient: Recipient = computed_field(attrgetter("node.recipient"), description="How those are addressed to the person.")
    is_active: bool = computed_field(attrgetter("node.link_is_active"), description="Whether the person still speaks for this client.")


@strawberry.type(description="A contact as one client knows it.")
class ClientContactEdge(ClientContactLink, Edge[Contact]): ...


DESCRIBED_BY[ClientContactFields] = ClientContactEdge


@strawberry.type(description="Contacts of a client, by their position there.")
class ClientContactConnection(Connection[Contact]):
    edges: Sequence[ClientContactEdge] = declare_edges("The contacts, with what they are to this client.")
    total_count: int | None = declare_total_count(contacts.counts_of_clients)

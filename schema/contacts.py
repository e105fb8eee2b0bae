"""GraphQL types of contacts and their links to clients."""

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
from schema.core.row_type import DESCRIBED_BY, Node, attribute, computed_field, row_type

if TYPE_CHECKING:
    from schema.clients import ContactClientConnection


describe_enum(
    ContactRole,
    "Something that a contact receives for a client.",
    INVOICE="Invoices.",
    QUOTE="Quotes.",
    REMINDER="Payment reminders.",
    STATEMENT="Statements of account.",
    PORTAL="Access to the client's portal.",
)
describe_enum(
    Recipient,
    "Way in which a contact receives messages.",
    TO="As a recipient.",
    CC="As a recipient of a copy.",
    BCC="As a recipient of a copy whom the other recipients do not see.",
)


def _full_name(row: ContactRow) -> str:
    return " ".join(part for part in (row.first_name, row.last_name) if part)


@row_type(ContactRow, fields=ContactFields, description="A contact person, who may belong to several clients.")
class Contact(Node):
    first_name: str | None = attribute("First name. A contact has a first name, a last name or both.")
    last_name: str | None = attribute("Last name with its prefix, for example `van der Berg`.")
    full_name: str = computed_field(_full_name, "First and last name, separated by a space.", columns=("first_name", "last_name"))
    job_title: str | None = attribute("Job title.")
    email: str | None = attribute("E-mail address.")
    phone: str | None = attribute("Telephone number. A valid number is stored in international format.")
    mobile: str | None = attribute("Mobile telephone number. A valid number is stored in international format.")
    language: str | None = attribute("Language code (ISO 639-1), for example `nl`.")
    notes: str | None = attribute("Notes.")
    is_active: bool = attribute("Whether the person can still be contacted.")
    created_at: datetime = attribute("Time of creation.")
    updated_at: datetime = attribute("Time of the last change.")
    version: int = attribute("Version number, incremented by every change.")
    clients: Annotated["ContactClientConnection", strawberry.lazy("schema.clients")] | None = relation(
        clients.of_contacts, "Clients of the contact, sorted by name.", paginate
    )
    activity: ContactActivityConnection | None = relation(
        activity.of_contacts, "Changes to the contact and its links, newest first.", paginate
    )


@strawberry.type(description="A page of contacts, sorted by last name, then first name.")
class ContactConnection(Connection[Contact]):
    total_count: int | None = declare_total_count(contacts.counts, cost=180)


@strawberry.type(description="Link between a contact and a client.")
class ClientContactLink:
    position: int = computed_field(attrgetter("node.position"), "Position among the client's contacts; the lowest comes first.")
    department: str | None = computed_field(attrgetter("node.department"), "Department of the contact at this client.")
    is_invoice_contact: bool = computed_field(attrgetter("node.is_invoice_contact"), "Whether the contact receives this client's invoices.")
    is_primary: bool = computed_field(attrgetter("node.is_primary"), "Whether this is the client's primary contact; at most one is.")
    roles: list[ContactRole] = computed_field(attrgetter("node.roles"), "What the contact receives for this client.")
    recipient: Recipient = computed_field(attrgetter("node.recipient"), "Way in which the contact receives messages about this client.")
    is_active: bool = computed_field(attrgetter("node.link_is_active"), "Whether the contact still represents this client.")
    version: int = computed_field(attrgetter("node.link_version"), "Version number of the link, incremented by every change of it.")


@strawberry.type(description="A contact of a client, with the link between them.")
class ClientContactEdge(ClientContactLink, Edge[Contact]): ...


DESCRIBED_BY[ClientContactFields] = ClientContactEdge


@strawberry.type(description="A page of the contacts of a client, sorted by `position`.")
class ClientContactConnection(Connection[Contact]):
    edges: Sequence[ClientContactEdge] = declare_edges("Contacts with their cursors and their links to the client.")
    total_count: int | None = declare_total_count(contacts.counts_of_clients)

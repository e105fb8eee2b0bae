"""GraphQL types of clients and their addresses."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import AddressRow, ClientRow
from db.tables import AddressFields, AddressType, ClientFields, ClientKind
from domain import portals, projects
from domain.clients import contacts, labels, previews
from domain.clients import reads as clients
from domain.core import activity
from domain.invoicing import invoices, quotes
from domain.portals import MAX_PORTALS
from domain.registrations import rules as registrations
from domain.reports import revenue
from resolvers.enums import describe_enum
from resolvers.pagination import paginate
from resolvers.periods import select_period
from resolvers.projects import select_projects
from resolvers.registrations import select_registrations
from schema.activity import ClientActivityConnection
from schema.client_finance import ClientFinancialSettings
from schema.contacts import ClientContactConnection, ClientContactLink
from schema.core.connections import Connection, Edge, declare_edges, declare_total_count
from schema.core.fields import FINANCE_READ_OPTIONS, FieldOptions, relation
from schema.core.row_type import Node, attribute, computed_field, row_type
from schema.invoices import InvoiceConnection
from schema.portals import ClientPortal
from schema.previews import PREVIEW_OPTIONS, ArchivePreview, DeletionPreview
from schema.projects import ProjectConnection
from schema.quotes import QuoteConnection
from schema.registrations import ClientRegistrationConnection
from schema.revenue import REVENUE_OPTIONS, TOTAL_REVENUE_OPTIONS, Revenue

if TYPE_CHECKING:
    from schema.labels import Label

describe_enum(
    ClientKind,
    "Kind of client.",
    COMPANY="A company or other organization.",
    PERSON="A person.",
    GOVERNMENT="A public body.",
)
describe_enum(
    AddressType,
    "Purpose of an address.",
    PRIMARY="Main address, for every purpose that has no address of its own.",
    INVOICE="For invoices.",
    DELIVERY="For deliveries.",
    VISITING="For visits.",
)


@row_type(ClientRow, AddressRow, fields=AddressFields, description="A postal address.")
class Address:
    line1: str | None = attribute("Street and house number.")
    line2: str | None = attribute("Second address line.")
    postal_code: str | None = attribute("Postal code.")
    city: str | None = attribute("City.")
    region: str | None = attribute("Province or state.")
    country: str | None = attribute("Country code (ISO 3166-1 alpha-2), for example `NL`.")
    attention: str | None = attribute("Person or department that mail is addressed to.")


@row_type(AddressRow, description="An address of a client, with its purpose.")
class ClientAddress(Address):
    type: AddressType = attribute("Purpose of the address.")


def _primary_address(row: ClientRow) -> ClientRow | None:
    return row if row.has_address else None


@row_type(ClientRow, fields=ClientFields, description="A client of the organization: a company, a person or a public body.")
class Client(Node):
    name: str = attribute("Name. Several clients may have the same name.")
    trade_name: str | None = attribute("Trade name, if it differs from the name.")
    number: str | None = attribute("Client number, unique in the organization. It is text, so `0012` is not `12`; case is ignored.")
    kind: ClientKind = attribute("Kind of client.")
    is_prospect: bool = attribute("Whether this is a prospect.")
    phone: str | None = attribute("Telephone number. A valid number is stored in international format.")
    email: str | None = attribute("E-mail address.")
    website: str | None = attribute("Website.")
    language: str | None = attribute("Language code (ISO 639-1), for example `nl`.")
    notes: str | None = attribute("Notes.")
    kvk_number: str | None = attribute("Number in the Dutch business register (KVK), 8 digits.")
    kvk_branch_number: str | None = attribute("Branch number in the Dutch business register (KVK), 12 digits.")
    kbo_number: str | None = attribute("Number in the Belgian business register (KBO), 10 digits.")
    vat_number: str | None = attribute("VAT number with its country prefix, for example `NL123456782B01`.")
    address: Address | None = computed_field(_primary_address, "Primary address. Null if the client has none.", columns=("has_address",))
    archived_at: datetime | None = attribute("Time of archiving. Null while it is active.")
    is_archived: bool = computed_field(lambda row: row.archived_at is not None, "Whether the client is archived.", columns=("archived_at",))
    created_at: datetime = attribute("Time of creation.")
    updated_at: datetime = attribute("Time of the last change, also of its labels or its links to contacts.")
    version: int = attribute("Version number, incremented by every change except those of labels and links to contacts.")
    contacts: ClientContactConnection | None = relation(contacts.of_clients, "Contacts, sorted by `position` at this client.", paginate)
    addresses: list[ClientAddress] | None = relation(clients.addresses, "Addresses, at most one of a type.", options=FieldOptions(size=4))
    financial: ClientFinancialSettings | None = relation(
        clients.financial_settings, "Financial settings: defaults for projects and invoices.", options=FINANCE_READ_OPTIONS
    )
    projects: ProjectConnection | None = relation(
        projects.of_clients, "Projects, newest first. Use `isArchived` to select only archived or only active ones.", select_projects
    )
    registrations: ClientRegistrationConnection | None = relation(
        registrations.of_clients, "Registrations for the client, including those on its projects, newest day first.", select_registrations
    )
    invoices: InvoiceConnection | None = relation(
        invoices.of_clients, "Invoices and credit notes, newest first.", paginate, options=FINANCE_READ_OPTIONS
    )
    quotes: QuoteConnection | None = relation(quotes.of_clients, "Quotes, newest first.", paginate, options=FINANCE_READ_OPTIONS)
    portals: list[ClientPortal] | None = relation(
        portals.of_clients, f"Portals, newest first, including closed ones; at most {MAX_PORTALS}.", options=FieldOptions(size=5)
    )
    labels: list[Annotated["Label", strawberry.lazy("schema.labels")]] | None = relation(
        labels.of_clients, "Labels, sorted by name.", options=FieldOptions(size=10)
    )
    revenue: Revenue | None = relation(revenue.by_client, "Revenue of the client.", select_period, options=REVENUE_OPTIONS)
    activity: ClientActivityConnection | None = relation(
        activity.of_clients, "Changes to the client and its parts, newest first.", paginate
    )
    archive_preview: ArchivePreview | None = relation(
        previews.of_archiving, "What `clientArchive` would do. Null if the client is archived.", options=PREVIEW_OPTIONS
    )
    deletion_preview: DeletionPreview | None = relation(
        previews.of_deletion, "What `clientDelete` would delete. Null while the client is active.", options=PREVIEW_OPTIONS
    )


@strawberry.type(description="A page of clients, in the requested order.")
class ClientConnection(Connection[Client]):
    total_count: int | None = declare_total_count(clients.counts, cost=300)
    revenue: Revenue | None = relation(
        revenue.for_all_clients, "Revenue of the clients on all pages.", select_period, key="selector", options=TOTAL_REVENUE_OPTIONS
    )


@strawberry.type(description="A page of the clients that have a label, sorted by name.")
class LabelClientConnection(Connection[Client]):
    total_count: int | None = declare_total_count(clients.counts_of_labels)


@strawberry.type(description="A client of a contact, with the link between them.")
class ContactClientEdge(ClientContactLink, Edge[Client]): ...


@strawberry.type(description="A page of the clients of a contact, sorted by name.")
class ContactClientConnection(Connection[Client]):
    edges: Sequence[ContactClientEdge] = declare_edges("Clients with their cursors and their links to the contact.")
    total_count: int | None = declare_total_count(clients.counts_of_contacts)

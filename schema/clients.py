"""Clients."""

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
from schema.core.row_type import Node, computed_field, row_type
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
    "What a client is.",
    COMPANY="A company or another organization.",
    PERSON="A person.",
    GOVERNMENT="A public body.",
)
describe_enum(
    AddressType,
    "What an address is for.",
    PRIMARY="Where it is found, unless another address says otherwise.",
    INVOICE="Where its invoices go.",
    DELIVERY="Where goods go.",
    VISITING="Where to call on it.",
)


@row_type(ClientRow, AddressRow, fields=AddressFields, description="Where a client is found.")
class Address:
    line1: str | None = strawberry.field(description="Street and house number.")
    line2: str | None = strawberry.field(description="What the first line has no room for.")
    postal_code: str | None = strawberry.field(description="Postal code.")
    city: str | None = strawberry.field(description="City.")
    region: str | None = strawberry.field(description="Province or state.")
    country: str | None = strawberry.field(description="Country of ISO 3166-1, as `NL`.")
    attention: str | None = strawberry.field(description="For the attention of.")


@row_type(AddressRow, description="An address of a client, with what it is for.")
class ClientAddress(Address):
    type: AddressType = strawberry.field(description="What it is for.")


def _primary_address(row: ClientRow) -> ClientRow | None:
    return row if row.has_address else None


@row_type(ClientRow, fields=ClientFields, description="A company or person for whom work is done.")
class Client(Node):
    name: str = strawberry.field(description="Name. Several clients may have the same.")
    trade_name: str | None = strawberry.field(description="Name that it trades under, where that is another.")
    number: str | None = strawberry.field(description="Client number, as text: `0012` is not `12`. Unique in the organization.")
    kind: ClientKind = strawberry.field(description="Company, person or government.")
    is_prospect: bool = strawberry.field(description="Whether it is only hoped to become a client.")
    phone: str | None = strawberry.field(description="Telephone number.")
    email: str | None = strawberry.field(description="E-mail address.")
    website: str | None = strawberry.field(description="Website.")
    language: str | None = strawberry.field(description="Language of ISO 639-1, as `nl`.")
    notes: str | None = strawberry.field(description="Notes.")
    kvk_number: str | None = strawberry.field(description="Number in the Dutch register of companies, 8 digits.")
    kvk_branch_number: str | None = strawberry.field(description="Number of the branch there, 12 digits.")
    kbo_number: str | None = strawberry.field(description="Number in the Belgian register of companies, 10 digits.")
    vat_number: str | None = strawberry.field(description="VAT number with its country, as `NL123456782B01`.")
    address: Address | None = computed_field(_primary_address, description="The primary address.", columns=("has_address",))
    archived_at: datetime | None = strawberry.field(description="Since when it is archived; null while it is active.")
    is_archived: bool = computed_field(
        lambda row: row.archived_at is not None, description="Whether it is archived.", columns=("archived_at",)
    )
    created_at: datetime = strawberry.field(description="When the client was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")
    contacts: ClientContactConnection | None = relation(
        contacts.of_clients, paginate, description="Contacts, by their position at this client."
    )
    addresses: list[ClientAddress] | None = relation(
        clients.addresses, description="All addresses, one of a type at most.", options=FieldOptions(size=4)
    )
    financial: ClientFinancialSettings | None = relation(
        clients.financial_settings, description="Defaults for its projects and invoices.", options=FINANCE_READ_OPTIONS
    )
    projects: ProjectConnection | None = relation(
        projects.of_clients, select_projects, description="Projects, the newest first; all, unless one kind is asked for."
    )
    registrations: ClientRegistrationConnection | None = relation(
        registrations.of_clients, select_registrations, description="What was registered for it, on its projects too, the newest first."
    )
    invoices: InvoiceConnection | None = relation(
        invoices.of_clients, paginate, description="Invoices, the newest first.", options=FINANCE_READ_OPTIONS
    )
    quotes: QuoteConnection | None = relation(
        quotes.of_clients, paginate, description="Quotes, the newest first.", options=FINANCE_READ_OPTIONS
    )
    portals: list[ClientPortal] | None = relation(
        portals.of_clients,
        description=f"Portals, the newest first, {MAX_PORTALS} at most, the closed ones too.",
        options=FieldOptions(size=5),
    )
    labels: list[Annotated["Label", strawberry.lazy("schema.labels")]] | None = relation(
        labels.of_clients, description="Labels by name.", options=FieldOptions(size=10)
    )
    revenue: Revenue | None = relation(revenue.by_client, select_period, description="What the client brought in.", options=REVENUE_OPTIONS)
    activity: ClientActivityConnection | None = relation(
        activity.of_clients, paginate, description="What happened to it and what belongs to it, the newest first."
    )
    archive_preview: ArchivePreview | None = relation(
        previews.of_archiving, description="What archiving it would do; null once it is archived.", options=PREVIEW_OPTIONS
    )
    deletion_preview: DeletionPreview | None = relation(
        previews.of_deletion, description="What deleting it would take along; null while it is active.", options=PREVIEW_OPTIONS
    )


@strawberry.type(description="Clients in an order.")
class ClientConnection(Connection[Client]):
    total_count: int | None = declare_total_count(clients.counts, cost=300)
    revenue: Revenue | None = relation(
        revenue.for_all_clients,
        select_period,
        key="selector",
        description="What all of them brought in, whatever the page.",
        options=TOTAL_REVENUE_OPTIONS,
    )


@strawberry.type(description="Clients that carry a label, by name.")
class LabelClientConnection(Connection[Client]):
    total_count: int | None = declare_total_count(clients.counts_of_labels)


@strawberry.type(description="A client as one of its contacts knows it.")
class ContactClientEdge(ClientContactLink, Edge[Client]): ...


@strawberry.type(description="Clients of a contact, by name.")
class ContactClientConnection(Connection[Client]):
    edges: Sequence[ContactClientEdge] = declare_edges("The clients, with what the contact is to each.")
    total_count: int | None = declare_total_count(clients.counts_of_contacts)

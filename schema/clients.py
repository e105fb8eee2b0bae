"""Clients: a description, no code."""

from datetime import datetime

import strawberry

from db.rows import ClientRow
from db.tables import ClientKind
from resolvers import clients, contacts, labels, revenue
from resolvers.loaders import by
from schema.connections import Connection
from schema.contacts import ClientContactConnection
from schema.labels import Label
from schema.lens import Node, answered, lens, read
from schema.revenue import Revenue

strawberry.enum(ClientKind, description="What a client is.")


@lens(ClientRow, description="Where a client is found.")
class Address:
    line1: str | None = strawberry.field(description="Street and house number.")
    line2: str | None = strawberry.field(description="What the first line has no room for.")
    postal_code: str | None = strawberry.field(description="Postal code.")
    city: str | None = strawberry.field(description="City.")
    region: str | None = strawberry.field(description="Province or state.")
    country: str | None = strawberry.field(description="Country of ISO 3166-1, as `NL`.")
    attention: str | None = strawberry.field(description="For the attention of.")


def _address(row: ClientRow) -> ClientRow | None:
    return row if row.has_address else None


@lens(ClientRow, description="A company or person for whom work is done.")
class Client(Node):
    name: str = strawberry.field(description="Name. Several clients may have the same.")
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
    address: Address | None = read(_address, description="The primary address.")
    archived_at: datetime | None = strawberry.field(description="Since when it is archived; null while it is active.")
    is_archived: bool = read(lambda row: row.archived_at is not None, description="Whether it is archived.")
    created_at: datetime = strawberry.field(description="When the client was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")
    contacts: ClientContactConnection | None = by(contacts.of_client, description="Contacts, by their position at this client.")
    labels: list[Label] | None = by(labels.of_client, description="Labels by name, at most 50.")
    revenue: Revenue | None = by(revenue.of_client, description="What the client brought in. Null without FINANCE_READ.")


@strawberry.type(description="Clients in an order.")
class ClientConnection(Connection[Client]):
    total_count: int | None = answered(clients.total, description="How many there are in all, whatever the page.")

"""Portals of clients."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import PortalRow
from domain import portals
from domain.clients import reads as clients
from domain.portals import MAX_LISTED
from schema.contacts import Contact
from schema.core.fields import FieldOptions, relation
from schema.core.row_type import Node, computed_field, row_type
from schema.projects import Project

if TYPE_CHECKING:
    from schema.clients import Client


@row_type(PortalRow, description="A portal, where contacts of a client look at its projects, and at what else it shows.")
class ClientPortal(Node):
    client: Annotated["Client", strawberry.lazy("schema.clients")] | None = relation(
        clients.by_id, key="client_id", description="Whose projects it shows."
    )
    name: str = strawberry.field(description="Name.")
    language: str = strawberry.field(description="Language of ISO 639-1, as `nl`.")
    shows_descriptions: bool = strawberry.field(description="Whether it shows what was written about work.")
    shows_rates: bool = strawberry.field(description="Whether it shows what work costs.")
    shows_budget: bool = strawberry.field(description="Whether it shows what a project may cost.")
    shows_invoices: bool = strawberry.field(description="Whether it shows invoices.")
    shows_quotes: bool = strawberry.field(description="Whether it shows quotes.")
    takes_approval: bool = strawberry.field(description="Whether work can be approved there.")
    closed_at: datetime | None = strawberry.field(description="Since when it is closed to everybody; null while it is open.")
    is_open: bool = computed_field(lambda row: row.closed_at is None, description="Whether those who have access can look.")
    projects: list[Project] | None = relation(
        portals.projects, description=f"Projects that it shows, the newest first, {MAX_LISTED} at most.", options=FieldOptions(size=10)
    )
    contacts: list[Contact] | None = relation(
        portals.contacts, description=f"Contacts who have access, by name, {MAX_LISTED} at most.", options=FieldOptions(size=10)
    )
    created_at: datetime = strawberry.field(description="When the portal was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")

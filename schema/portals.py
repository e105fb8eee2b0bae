"""GraphQL type of client portals."""

from datetime import datetime

from db.rows import PortalRow
from domain import portals
from domain.clients import reads as clients
from domain.portals import MAX_LISTED
from schema.contacts import Contact
from schema.core.fields import REFERENCE_OPTIONS, FieldOptions, relation
from schema.core.references import ClientReference
from schema.core.row_type import Node, attribute, computed_field, row_type
from schema.projects import Project


@row_type(PortalRow, description="A portal where contacts of a client can view its projects and documents.")
class ClientPortal(Node):
    client: ClientReference | None = relation(clients.by_id, "Client of the portal.", key="client_id", options=REFERENCE_OPTIONS)
    name: str = attribute("Name.")
    language: str = attribute("Language code (ISO 639-1), for example `nl`.")
    shows_descriptions: bool = attribute("Whether the portal shows descriptions of work.")
    shows_rates: bool = attribute("Whether the portal shows rates.")
    shows_budget: bool = attribute("Whether the portal shows budgets of projects.")
    shows_invoices: bool = attribute("Whether the portal shows invoices.")
    shows_quotes: bool = attribute("Whether the portal shows quotes.")
    takes_approval: bool = attribute("Whether contacts can approve work in the portal.")
    closed_at: datetime | None = attribute("Time of closing. Null while the portal is open.")
    is_open: bool = computed_field(lambda row: row.closed_at is None, "Whether the portal is open to the contacts with access.")
    projects: list[Project] | None = relation(
        portals.projects, f"Projects that the portal shows, newest first; at most {MAX_LISTED}.", options=FieldOptions(size=10)
    )
    contacts: list[Contact] | None = relation(
        portals.contacts, f"Contacts with access, sorted by name; at most {MAX_LISTED}.", options=FieldOptions(size=10)
    )
    created_at: datetime = attribute("Time of creation.")
    updated_at: datetime = attribute("Time of the last change.")
    version: int = attribute("Version number, incremented by every change.")

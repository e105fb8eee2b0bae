"""Client portals, the projects that each shows, and the contacts who have access."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field as ColumnField

from db.tables.base import LANGUAGE, Entity, Table, Versioned, foreign_key
from db.tables.timestamps import now


class ClientPortal(Versioned, Entity, table=True):
    """A client portal. Contacts with access can use it until it is closed."""

    __tablename__ = "client_portal"
    __table_args__ = (
        foreign_key("client", "client_id"),
        UniqueConstraint("tenant_id", "id", "client_id"),
        Index("client_portal_of_client", "tenant_id", "client_id", "id"),
    )
    client_id: UUID
    name: str = ColumnField(max_length=100)
    language: str = ColumnField(default="nl", regex=LANGUAGE, max_length=2)
    shows_descriptions: bool = True
    shows_rates: bool = False
    shows_budget: bool = False
    shows_invoices: bool = True
    shows_quotes: bool = True
    takes_approval: bool = False
    closed_at: datetime | None = None
    archive_operation_id: UUID | None = None  # the archive operation of the client that closed it


class PortalProject(Table, table=True):
    """A project that a portal of its client shows."""

    __tablename__ = "portal_project"
    __table_args__ = (
        foreign_key("client_portal", "portal_id", "client_id", referenced_columns=("id", "client_id")),
        foreign_key("project", "project_id", "client_id", referenced_columns=("id", "client_id"), on_delete_cascade=True),
        Index("portal_project_by_project", "tenant_id", "project_id"),
    )
    portal_id: UUID = ColumnField(primary_key=True)
    project_id: UUID = ColumnField(primary_key=True)
    client_id: UUID


class PortalAccess(Table, table=True):
    """The access of a client's contact to a portal. Removing the contact from the client deletes it."""

    __tablename__ = "portal_access"
    __table_args__ = (
        foreign_key("client_portal", "portal_id", "client_id", referenced_columns=("id", "client_id")),
        foreign_key("client_contact", "client_id", "contact_id", referenced_columns=("client_id", "contact_id"), on_delete_cascade=True),
        Index("portal_access_by_contact", "tenant_id", "client_id", "contact_id"),
    )
    portal_id: UUID = ColumnField(primary_key=True)
    contact_id: UUID = ColumnField(primary_key=True)
    client_id: UUID
    created_at: datetime = ColumnField(default_factory=now)

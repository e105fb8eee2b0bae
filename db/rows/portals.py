"""Rows of client portals, their projects and their contacts."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row
from db.rows.contacts import ContactRow
from db.rows.projects import ProjectRow


class PortalRow(Row):
    id: UUID
    client_id: UUID
    name: str
    language: str
    shows_descriptions: bool
    shows_rates: bool
    shows_budget: bool
    shows_invoices: bool
    shows_quotes: bool
    takes_approval: bool
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class PortalProjectRow(ProjectRow):
    """A project that a portal shows."""

    portal_id: UUID


class PortalContactRow(ContactRow):
    """A contact who has access to a portal."""

    portal_id: UUID

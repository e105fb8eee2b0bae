"""Rows of contacts and labels, and of their links to clients."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row


class LockedUsesRow(Row):
    """The number of clients and registrations that have a label and cannot change."""

    clients: int
    registrations: int


class ContactRow(Row):
    id: UUID
    name_key: str
    first_name: str | None
    last_name: str | None
    job_title: str | None
    email: str | None
    phone: str | None
    mobile: str | None
    language: str | None
    notes: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime
    version: int


class ClientContactRow(ContactRow):
    """A contact of a client, with the fields of the link, which GraphQL shows on the edge."""

    client_id: UUID
    position: int
    department: str | None
    is_invoice_contact: bool
    is_primary: bool
    roles: list[str]
    recipient: str
    link_is_active: bool
    link_version: int


class LabelRow(Row):
    id: UUID
    name_key: str
    name: str
    color: str
    is_active: bool
    version: int


class ClientLabelRow(LabelRow):
    client_id: UUID

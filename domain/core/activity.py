"""Report the activity of clients and contacts: who changed what, when and how. Amounts need FINANCE_READ."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from pydantic.alias_generators import to_camel

from db.audit import OBJECT_TYPES
from db.queries import activity as rows
from db.rows import EventRow
from db.tables import (
    Client,
    ClientAddress,
    ClientContact,
    ClientFinancialFields,
    ClientLabel,
    ClientPortal,
    Contact,
    Project,
    Registration,
    RegistrationLabel,
)
from domain.core.pagination import Page, PageReader, PageRequest, SortOrder
from domain.core.scope import Permission, ReadScope, Scope

FINANCIAL_FIELDS: dict[str, Collection[str]] = {
    Client.__name__: {*ClientFinancialFields.model_fields, "vat_rate_id", "invoice_layout_id"},
    ClientAddress.__name__: (),
    ClientContact.__name__: (),
    ClientLabel.__name__: (),
    ClientPortal.__name__: (),
    Contact.__name__: (),
    Project.__name__: {"hourly_rate", "fixed_price"},
    Registration.__name__: {"unit_price", "unit_rate", "rate_source", "currency", "amount_net", "vat_rate_id"},
    RegistrationLabel.__name__: (),
}
"""Map a type to its fields with amounts. All fields of a type that is not listed here are amounts."""
REFERENCED_TYPES = {
    "archived_by": "Member",
    "client_id": "Client",
    "contact_id": "Contact",
    "invoice_layout_id": "InvoiceLayout",
    "label_id": "Label",
    "member_id": "Member",
    "project_id": "Project",
    "registration_id": "Registration",
    "vat_rate_id": "VatRate",
}
"""Map a field with an id to the type that it refers to."""


@dataclass(frozen=True, slots=True)
class Change:
    """The old and the new value of a field as text. `reference_type` is the type of the object if the values are ids."""

    field: str
    old_value: str | None
    new_value: str | None
    reference_type: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """An event, without the changes that the caller may not see. `subject_type` is the type of the object with `object_id`."""

    id: UUID
    at: datetime
    channel: str
    member_id: UUID | None
    operation: str
    action: str
    object_type: str
    subject_type: str
    object_id: UUID
    client_id: UUID | None
    contact_id: UUID | None
    changes: list[Change]


CLIENT_EVENTS_NEWEST_FIRST: SortOrder[Event] = SortOrder("client.activity.newest", attrgetter("id", "id"), is_ascending=False)
CONTACT_EVENTS_NEWEST_FIRST: SortOrder[Event] = SortOrder("contact.activity.newest", attrgetter("id", "id"), is_ascending=False)

counts_of_clients, counts_of_contacts = rows.counts_of_clients, rows.counts_of_contacts


async def of_clients(scope: ReadScope, ids: Sequence[UUID], *, page_request: PageRequest) -> list[Page[Event]]:
    """Return the events of each client and its parts, newest first. A caller who may read a client may read its events."""
    reader = PageReader.of(CLIENT_EVENTS_NEWEST_FIRST, scope.cursors, page_request)
    return reader.pages([_to_events(scope, event_rows) for event_rows in await rows.of_clients(scope, ids, reader.page_slice)], ids)


async def of_contacts(scope: ReadScope, ids: Sequence[UUID], *, page_request: PageRequest) -> list[Page[Event]]:
    """Return the events of each contact and its links to clients, newest first."""
    reader = PageReader.of(CONTACT_EVENTS_NEWEST_FIRST, scope.cursors, page_request)
    return reader.pages([_to_events(scope, event_rows) for event_rows in await rows.of_contacts(scope, ids, reader.page_slice)], ids)


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[Event | None]:
    """Return events by id, but only those of clients and contacts: CLIENTS_READ does not cover events of members and tokens."""
    scope.require(Permission.CLIENTS_READ)
    event_rows = [row for row in await rows.by_id(scope, ids) if row and (row.client_id or row.contact_id)]
    events = {event.id: event for event in _to_events(scope, event_rows)}
    return [events.get(key) for key in ids]


def _to_events(scope: Scope, event_rows: Sequence[EventRow]) -> list[Event]:
    sees_figures = scope.allows(Permission.FINANCE_READ)
    return [_to_event(row, sees_figures=sees_figures) for row in event_rows]


def _to_event(row: EventRow, *, sees_figures: bool) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        channel=row.channel,
        member_id=row.member_id,
        operation=row.operation,
        action=row.action,
        object_type=row.object_type,
        subject_type=OBJECT_TYPES.get(row.object_type, row.object_type),
        object_id=row.object_id,
        client_id=row.client_id,
        contact_id=row.contact_id,
        changes=_to_changes(row, sees_figures=sees_figures),
    )


def _to_changes(row: EventRow, *, sees_figures: bool) -> list[Change]:
    """Return the changed fields that the caller may see, sorted by name."""
    hidden_fields = () if sees_figures else FINANCIAL_FIELDS.get(row.object_type)
    if hidden_fields is None:
        return []
    steps = [(name, _to_text(old_value), _to_text(new_value)) for name, (old_value, new_value) in sorted(json.loads(row.changes).items())]
    return [
        Change(to_camel(name), old_value, new_value, REFERENCED_TYPES.get(name))
        for name, old_value, new_value in steps
        if old_value != new_value and name not in hidden_fields
    ]


def _to_text(value: object) -> str | None:
    """Convert a value to text; an empty list becomes None."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)

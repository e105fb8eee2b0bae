"""What happened to clients and contacts: who changed what, when and how. Figures are told to those alone who may see them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from pydantic.alias_generators import to_camel

from db import activity as rows
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
from db.traces import OBJECT_TYPES
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

FIGURES: dict[str, Collection[str]] = {
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
"""By type, the fields that only those see who may see figures. A type that is not here is figures through and through."""
NAMED = {
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
"""What the fields name that hold an id."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a field was and what it is, as text; of ids also what they name."""

    field: str
    was: str | None
    now: str | None
    names: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, as far as whoever asks may know. `about` is the type that `object_id` is of."""

    id: UUID
    at: datetime
    channel: str
    member_id: UUID | None
    operation: str
    action: str
    object_type: str
    about: str
    object_id: UUID
    client_id: UUID | None
    contact_id: UUID | None
    changes: list[Change]


OF_CLIENT: Order[Event] = Order("client.activity.newest", attrgetter("id", "id"), is_ascending=False)
OF_CONTACT: Order[Event] = Order("contact.activity.newest", attrgetter("id", "id"), is_ascending=False)

counts_of_clients, counts_of_contacts = rows.counts_of_clients, rows.counts_of_contacts


async def of_clients(scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> list[Page[Event]]:
    """What happened to each client and what belongs to it, the newest first. Whoever sees a client sees what happened to it."""
    reading = Reading.of(OF_CLIENT, scope.cursors, span)
    return reading.pages([_told(scope, found) for found in await rows.of_clients(scope, ids, reading.part)], ids)


async def of_contacts(scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> list[Page[Event]]:
    """What happened to each contact and its links to clients, the newest first."""
    reading = Reading.of(OF_CONTACT, scope.cursors, span)
    return reading.pages([_told(scope, found) for found in await rows.of_contacts(scope, ids, reading.part)], ids)


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[Event | None]:
    """Events of clients and contacts, and no others: no right here shows those of members and tokens."""
    scope.must(Permission.CLIENTS_READ)
    found = [row for row in await rows.by_id(scope, ids) if row and (row.client_id or row.contact_id)]
    told = {event.id: event for event in _told(scope, found)}
    return [told.get(key) for key in ids]


def _told(scope: Scope, found: Sequence[EventRow]) -> list[Event]:
    sees_figures = scope.may(Permission.FINANCE_READ)
    return [_event(row, sees_figures=sees_figures) for row in found]


def _event(row: EventRow, *, sees_figures: bool) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        channel=row.channel,
        member_id=row.member_id,
        operation=row.operation,
        action=row.action,
        object_type=row.object_type,
        about=OBJECT_TYPES.get(row.object_type, row.object_type),
        object_id=row.object_id,
        client_id=row.client_id,
        contact_id=row.contact_id,
        changes=_changes(row, sees_figures=sees_figures),
    )


def _changes(row: EventRow, *, sees_figures: bool) -> list[Change]:
    """By field."""
    hidden = () if sees_figures else FIGURES.get(row.object_type)
    if hidden is None:
        return []
    steps = [(name, _text(was), _text(now)) for name, (was, now) in sorted(json.loads(row.changes).items())]
    return [Change(to_camel(name), was, now, NAMED.get(name)) for name, was, now in steps if was != now and name not in hidden]


def _text(value: object) -> str | None:
    """An empty list is none."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)

"""What every change leaves behind: who did what, what others are to be told, and which requests were answered already."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field as Stored

from db.moments import now
from db.tables.base import CHOICE, Row, Table, check, of_organization, one_of


class Channel(StrEnum):
    """The way a change came in."""

    API = "API"
    COMMAND_LINE = "COMMAND_LINE"


class Action(StrEnum):
    """What happened to an object."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"


class AuditEvent(Row, table=True):
    """Who changed which object, when and how. Only ever added: it keeps ids and no links, so that it outlives what it tells of."""

    __tablename__ = "audit_event"
    __table_args__ = (
        of_organization(),
        one_of("channel", Channel),
        one_of("action", Action),
        Index("audit_event_by_object", "tenant_id", "object_id", "id"),
        Index("audit_event_by_client", "tenant_id", "client_id", "id", postgresql_where=text("client_id IS NOT NULL")),
        Index("audit_event_by_contact", "tenant_id", "contact_id", "id", postgresql_where=text("contact_id IS NOT NULL")),
    )
    at: datetime = Stored(default_factory=now)
    channel: Annotated[Channel, CHOICE]
    member_id: UUID | None = None
    token_id: UUID | None = None
    operation: str = Stored(max_length=100)
    action: Annotated[Action, CHOICE]
    object_type: str = Stored(max_length=50)
    object_id: UUID
    client_id: UUID | None = None
    contact_id: UUID | None = None
    changes: dict[str, list[Any]] = Stored(sa_column=Column(JSONB, nullable=False))


class OutboxEvent(Row, table=True):
    """What others are to be told of, in the order of its making."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        of_organization(),
        one_of("action", Action),
        Index("outbox_event_by_object", "tenant_id", "object_id", "id"),
        Index("outbox_event_by_client", "tenant_id", "client_id", postgresql_where=text("client_id IS NOT NULL")),
    )
    at: datetime = Stored(default_factory=now)
    action: Annotated[Action, CHOICE]
    object_type: str = Stored(max_length=50)
    object_id: UUID
    client_id: UUID | None = None


class DeletionRecord(Row, table=True):
    """All that is left of a client that was deleted: its id, when, by whom, and how much went with it."""

    __tablename__ = "deletion_record"
    __table_args__ = (of_organization(), one_of("channel", Channel))
    at: datetime = Stored(default_factory=now)
    channel: Annotated[Channel, CHOICE]
    member_id: UUID | None = None
    token_id: UUID | None = None
    counts: dict[str, int] = Stored(sa_column=Column(JSONB, nullable=False))


class IdempotencyKey(Table, table=True):
    """A request that was answered, by whom, and with what; without an outcome while it is at work."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        of_organization(),
        check("hash", "octet_length(request_hash) = 32"),
        Index("idempotency_key_by_age", "tenant_id", "created_at"),
    )
    subject: UUID = Stored(primary_key=True)
    key: str = Stored(primary_key=True, max_length=255)
    request_hash: bytes = Stored(sa_type=LargeBinary)
    outcome: dict[str, Any] | None = Stored(default=None, sa_column=Column(JSONB, nullable=True))
    created_at: datetime = Stored(default_factory=now)

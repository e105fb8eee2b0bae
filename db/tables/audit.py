"""The audit log, the outbox, deletion records and idempotency keys."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field as ColumnField

from db.tables.base import ENUM_TEXT, Entity, Table, check, enum_check, organization_foreign_key
from db.tables.timestamps import now


class Channel(StrEnum):
    """The channel that a change came through."""

    API = "API"
    COMMAND_LINE = "COMMAND_LINE"
    JOB = "JOB"


class AuditAction(StrEnum):
    """The kind of a change to an object."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"


class AuditEvent(Entity, table=True):
    """A change of an object: its author, time and changed fields. Append-only; ids without foreign keys, so that it outlives the object."""

    __tablename__ = "audit_event"
    __table_args__ = (
        organization_foreign_key(),
        enum_check("channel", Channel),
        enum_check("action", AuditAction),
        Index("audit_event_by_object", "tenant_id", "object_id", "id"),
        Index("audit_event_by_client", "tenant_id", "client_id", "id", postgresql_where=text("client_id IS NOT NULL")),
        Index("audit_event_by_contact", "tenant_id", "contact_id", "id", postgresql_where=text("contact_id IS NOT NULL")),
    )
    at: datetime = ColumnField(default_factory=now)
    channel: Annotated[Channel, ENUM_TEXT]
    member_id: UUID | None = None
    token_id: UUID | None = None
    operation: str = ColumnField(max_length=100)
    action: Annotated[AuditAction, ENUM_TEXT]
    object_type: str = ColumnField(max_length=50)
    object_id: UUID
    client_id: UUID | None = None
    contact_id: UUID | None = None
    changes: dict[str, list[Any]] = ColumnField(sa_column=Column(JSONB, nullable=False))


class OutboxEvent(Entity, table=True):
    """A change to be published to subscribers, in order of creation."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        organization_foreign_key(),
        enum_check("action", AuditAction),
        Index("outbox_event_by_object", "tenant_id", "object_id", "id"),
        Index("outbox_event_by_client", "tenant_id", "client_id", postgresql_where=text("client_id IS NOT NULL")),
    )
    at: datetime = ColumnField(default_factory=now)
    action: Annotated[AuditAction, ENUM_TEXT]
    object_type: str = ColumnField(max_length=50)
    object_id: UUID
    client_id: UUID | None = None


class DeletionRecord(Entity, table=True):
    """The record of a deletion of a client: its id, the time, the author, and the number of rows deleted with it."""

    __tablename__ = "deletion_record"
    __table_args__ = (organization_foreign_key(), enum_check("channel", Channel))
    at: datetime = ColumnField(default_factory=now)
    channel: Annotated[Channel, ENUM_TEXT]
    member_id: UUID | None = None
    token_id: UUID | None = None
    counts: dict[str, int] = ColumnField(sa_column=Column(JSONB, nullable=False))


class IdempotencyKey(Table, table=True):
    """An idempotency key: the subject that sent the request, the hash of the request, and its outcome (null while it runs)."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        organization_foreign_key(),
        check("hash", "octet_length(request_hash) = 32"),
        Index("idempotency_key_by_age", "tenant_id", "created_at"),
    )
    subject: UUID = ColumnField(primary_key=True)
    key: str = ColumnField(primary_key=True, max_length=255)
    request_hash: bytes = ColumnField(sa_type=LargeBinary)
    outcome: dict[str, Any] | None = ColumnField(default=None, sa_column=Column(JSONB, nullable=True))
    created_at: datetime = ColumnField(default_factory=now)

"""Rows of audit events."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row


class EventRow(Row):
    """An audit event of one object. `changes` is JSON."""

    id: UUID
    at: datetime
    channel: str
    member_id: UUID | None
    operation: str
    action: str
    object_type: str
    object_id: UUID
    client_id: UUID | None
    contact_id: UUID | None
    changes: str

"""Audit log of a unit of work, recorded from flush events so that no change can bypass it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables.audit import AuditAction, AuditEvent, Channel, DeletionRecord, IdempotencyKey, OutboxEvent
from db.tables.base import Entity, Table, table_of
from db.tables.files import File, FilePart
from db.tables.keys import new_id
from db.tables.organizations import NumberSequence
from db.tables.timestamps import format_timestamp, now

Changes = dict[str, list[Any]]  # the old and the new value of each field
# Of a file, the audit log has the job that made it.
UNAUDITED_TABLES = (AuditEvent, OutboxEvent, IdempotencyKey, DeletionRecord, NumberSequence, File, FilePart)
# Bookkeeping, derived keys and secrets: the audit log shows what users change. The input of a job may name a client, and the deletion of
# that client would not find it in the audit log.
UNAUDITED_FIELDS = {
    "tenant_id",
    "id",
    "created_at",
    "updated_at",
    "version",
    "name_key",
    "number_key",
    "token_hash",
    "archive_operation_id",
    "created_by",
    "attempts",
    "cursor",
    "done_count",
    "finished_at",
    "input",
    "lease_until",
    "owner",
}
# The first of these fields that a row has is the id of the object that its events are about. The value is the object's type, where that is
# not the row's own.
OBJECT_ID_FIELDS = {"id": None, "contact_id": "Contact", "label_id": "Label", "client_id": "Client", "tenant_id": "Organization"}
OBJECT_TYPES = {
    table.__name__: next(kind or table.__name__ for name, kind in OBJECT_ID_FIELDS.items() if name in table.model_fields)
    for table in (*Table.__subclasses__(), *Entity.__subclasses__())
}
"""The type of the object that the events of each table are about. For a link table, that is the object linked with the client."""


@dataclass(frozen=True)
class ChangeOrigin:
    """The author of a change, the channel that it came through, and the operation."""

    member_id: UUID | None = None
    token_id: UUID | None = None
    channel: Channel = Channel.COMMAND_LINE
    operation: str = ""


@dataclass(frozen=True)
class RecordedChange:
    """The recorded change of one row."""

    row: Table
    action: AuditAction
    changes: Changes


class AuditRecorder:
    """Record the changes that a session flushes, one per row."""

    def __init__(self, session: AsyncSession, origin: ChangeOrigin) -> None:
        self.session = session
        self.origin = origin
        self.changes: dict[tuple[object, ...], RecordedChange] = {}
        event.listen(session.sync_session, "before_flush", self._on_flush)

    def _on_flush(self, session: Session, *_: object) -> None:
        for rows, action in (
            (session.new, AuditAction.CREATED),
            (session.dirty, AuditAction.CHANGED),
            (session.deleted, AuditAction.REMOVED),
        ):
            for row in rows:
                if isinstance(row, Table) and not isinstance(row, UNAUDITED_TABLES):
                    self._record(RecordedChange(row, action, _field_changes(row, action)))

    def _record(self, change: RecordedChange) -> None:
        """Merge the flushes of a row into one change. Drop a row that was created and removed, and a change without effect."""
        key = (type(change.row), *(getattr(change.row, column.key) for column in inspect(type(change.row)).primary_key))
        previous = self.changes.pop(key, None)
        if previous:
            change = _merge(previous, change)
        if change.changes and not (previous and previous.action is AuditAction.CREATED and change.action is AuditAction.REMOVED):
            self.changes[key] = change

    async def write(self) -> None:
        """Insert an audit event and an outbox event for each change. Call it as the last step before the commit.

        It inserts plain rows instead of ORM entities: flushing the entities of a hundred clients blocked the event loop for 25 ms.
        """
        await self.session.flush()
        audit, outbox = list[dict[str, Any]](), list[dict[str, Any]]()
        for change in self.changes.values():
            values = {
                "tenant_id": change.row.tenant_id,
                "action": change.action,
                "object_type": type(change.row).__name__,
                **_object_ids(change.row),
            }
            contact_id = getattr(change.row, "contact_id", None) or (values["object_id"] if values["object_type"] == "Contact" else None)
            timestamp = now()
            audit.append(
                {**values, **vars(self.origin), "id": new_id(), "at": timestamp, "contact_id": contact_id, "changes": change.changes}
            )
            outbox.append({**values, "id": new_id(), "at": timestamp})
        if audit:
            connection = await self.session.connection()
            await connection.execute(insert(table_of(AuditEvent)), audit)
            await connection.execute(insert(table_of(OutboxEvent)), outbox)


def _field_changes(row: Table, action: AuditAction) -> Changes:
    state = inspect(row)
    if action is AuditAction.CHANGED:
        return {name: [_to_json(old), _to_json(new)] for name, old, new in _modified_fields(state)}
    values = {name: _to_json(attribute.value) for name, attribute in state.attrs.items() if name not in UNAUDITED_FIELDS}
    return {name: [None, value] if action is AuditAction.CREATED else [value, None] for name, value in values.items() if value is not None}


def _modified_fields(state: Any) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401 SQLAlchemy's own
    for name, attribute in state.attrs.items():
        history = attribute.history
        if name not in UNAUDITED_FIELDS and history.added and list(history.added) != list(history.deleted):
            yield name, (history.deleted or [None])[0], history.added[0]


def _to_json(value: object) -> object:
    """Convert a value to JSON. A decimal gets its shortest form, which does not depend on the scale of its column."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return format_timestamp(value)
    return to_jsonable_python(value)


def _merge(previous: RecordedChange, change: RecordedChange) -> RecordedChange:
    fields = {**previous.changes, **{name: [previous.changes.get(name, step)[0], step[1]] for name, step in change.changes.items()}}
    is_again = previous.action is AuditAction.REMOVED and change.action is AuditAction.CREATED
    action = AuditAction.CREATED if previous.action is AuditAction.CREATED else AuditAction.CHANGED if is_again else change.action
    return RecordedChange(change.row, action, {name: step for name, step in fields.items() if step[0] != step[1]})


def _object_ids(row: Table) -> dict[str, Any]:
    """Return the id of the object that the row's events are about, and the id of the client that the row belongs to."""
    name = next(name for name in OBJECT_ID_FIELDS if hasattr(row, name))
    client_id = row.id if type(row).__name__ == "Client" else getattr(row, "client_id", None)  # type: ignore[attr-defined]
    return {"object_id": attrgetter(name)(row), "client_id": client_id}

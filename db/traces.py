"""The trace of a unit of work: what it made, changed and removed, as the session itself tells it, so that no change can forget its own."""

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

from db.keys import new_id
from db.moments import as_text, now
from db.query import table_of
from db.tables.base import Row, Table
from db.tables.organizations import NumberSequence
from db.tables.traces import Action, AuditEvent, Channel, DeletionRecord, IdempotencyKey, OutboxEvent

Changes = dict[str, list[Any]]  # by field, from what to what
UNTRACED = (AuditEvent, OutboxEvent, IdempotencyKey, DeletionRecord, NumberSequence)
UNTOLD = {
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
}
# The first that a row has is the id of what it is about; and what that is, where it is not the row itself.
OBJECT = {"id": None, "contact_id": "Contact", "label_id": "Label", "client_id": "Client", "tenant_id": "Organization"}
ABOUT = {
    table.__name__: next(kind or table.__name__ for name, kind in OBJECT.items() if name in table.model_fields)
    for table in (*Table.__subclasses__(), *Row.__subclasses__())
}
"""What the events of a table are about: a link tells of what it links the client with."""


@dataclass(frozen=True)
class Who:
    """Whose change it is, which way it came, and what it is called."""

    member_id: UUID | None = None
    token_id: UUID | None = None
    channel: Channel = Channel.COMMAND_LINE
    operation: str = ""


@dataclass(frozen=True)
class Told:
    """What happened to one row."""

    row: Table
    action: Action
    changes: Changes


class Trace:
    """What a session has flushed so far, each row once."""

    def __init__(self, session: AsyncSession, who: Who) -> None:
        self.session = session
        self.who = who
        self.told: dict[tuple[object, ...], Told] = {}
        event.listen(session.sync_session, "before_flush", self._hear)

    def _hear(self, session: Session, *_: object) -> None:
        for rows, action in ((session.new, Action.CREATED), (session.dirty, Action.CHANGED), (session.deleted, Action.REMOVED)):
            for row in rows:
                if isinstance(row, Table) and not isinstance(row, UNTRACED):
                    self._tell(Told(row, action, _changes(row, action)))

    def _tell(self, now: Told) -> None:
        """A row that is flushed again is told of as one change; made and removed again it is none, and so is what comes to nothing."""
        key = (type(now.row), *(getattr(now.row, column.key) for column in inspect(type(now.row)).primary_key))
        before = self.told.pop(key, None)
        if before:
            now = _joined(before, now)
        if now.changes and not (before and before.action is Action.CREATED and now.action is Action.REMOVED):
            self.told[key] = now

    async def write(self) -> None:
        """Add an audit row and an outbox row for each; the last thing before the commit.

        The rows are no entities: a unit of work of those of a hundred clients held up the event loop for 25 ms.
        """
        await self.session.flush()
        audit, outbox = list[dict[str, Any]](), list[dict[str, Any]]()
        for told in self.told.values():
            what = {"tenant_id": told.row.tenant_id, "action": told.action, "object_type": type(told.row).__name__, **_about(told.row)}
            contact = getattr(told.row, "contact_id", None) or (what["object_id"] if what["object_type"] == "Contact" else None)
            at = now()
            audit.append({**what, **vars(self.who), "id": new_id(), "at": at, "contact_id": contact, "changes": told.changes})
            outbox.append({**what, "id": new_id(), "at": at})
        if audit:
            connection = await self.session.connection()
            await connection.execute(insert(table_of(AuditEvent)), audit)
            await connection.execute(insert(table_of(OutboxEvent)), outbox)


def _changes(row: Table, action: Action) -> Changes:
    state = inspect(row)
    if action is Action.CHANGED:
        return {name: [_plain(was), _plain(now)] for name, was, now in _altered(state)}
    values = {name: _plain(attribute.value) for name, attribute in state.attrs.items() if name not in UNTOLD}
    return {name: [None, value] if action is Action.CREATED else [value, None] for name, value in values.items() if value is not None}


def _altered(state: Any) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401 SQLAlchemy's own
    for name, attribute in state.attrs.items():
        history = attribute.history
        if name not in UNTOLD and history.added and list(history.added) != list(history.deleted):
            yield name, (history.deleted or [None])[0], history.added[0]


def _plain(value: object) -> object:
    """As JSON has it; an amount in its one shortest form, however many digits its column has."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return as_text(value)
    return to_jsonable_python(value)


def _joined(before: Told, now: Told) -> Told:
    both = {**before.changes, **{name: [before.changes.get(name, step)[0], step[1]] for name, step in now.changes.items()}}
    is_again = before.action is Action.REMOVED and now.action is Action.CREATED
    action = Action.CREATED if before.action is Action.CREATED else Action.CHANGED if is_again else now.action
    return Told(now.row, action, {name: step for name, step in both.items() if step[0] != step[1]})


def _about(row: Table) -> dict[str, Any]:
    """The id of the row, or of what it links; and the client that it belongs to."""
    name = next(name for name in OBJECT if hasattr(row, name))
    client = row.id if type(row).__name__ == "Client" else getattr(row, "client_id", None)  # type: ignore[attr-defined]
    return {"object_id": attrgetter(name)(row), "client_id": client}

"""Cursors: signed places in an order, so that only those that we gave out are taken back, and only by whom they were given to."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from db.paging import CursorPosition
from domain.errors import BadInput
from domain.seals import Seal

PURPOSE = b"cursor 1"


class Cursors:
    """Writes and reads the cursors of one organization."""

    def __init__(self, secrets: Sequence[bytes], tenant: UUID) -> None:
        self._seal = Seal(secrets, tenant, PURPOSE)

    def write(self, order: str, place: CursorPosition) -> str:
        value: object
        value, key = place
        if value.__class__ is not str:  # as most are
            value = None if value == key else _held(value)
        return self._seal.put(orjson.dumps([order, value, key.hex]))

    def read(self, order: str, cursor: str | None) -> CursorPosition | None:
        """The place; a cursor of another order or organization, or one that was changed, is refused."""
        if cursor is None:
            return None
        try:
            known_order, value, key = orjson.loads(self._seal.opened(cursor))
        except ValueError as wrong:
            raise BadInput("This cursor is not one of ours. Take it from `pageInfo` or an edge of an earlier answer.") from wrong
        if known_order != order:
            raise BadInput(f"This cursor belongs to the order {known_order}, not to {order}.")
        return _value(value, UUID(hex=key)), UUID(hex=key)


def _held(value: object) -> object:
    """A moment and a day are held as what they are; a moment is a day to Python."""
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return {"on": value.isoformat()} if isinstance(value, date) else value


def _value(held: object, key: UUID) -> Any:  # noqa: ANN401 what JSON held; the signature says that we wrote it
    """Nothing is held where rows are in the order of their ids."""
    if held is None:
        return key
    if not isinstance(held, dict):
        return held
    return date.fromisoformat(held["on"]) if "on" in held else datetime.fromisoformat(held["at"])

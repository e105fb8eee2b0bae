"""Encode and decode cursors: signed positions in a sort order, valid only for the organization that they were issued to."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from db.sql.pagination import CursorPosition
from domain.core.errors import BadInput
from domain.core.signing import Signer

PURPOSE = b"cursor 1"


class Cursors:
    """Encode and decode the cursors of one organization."""

    def __init__(self, secrets: Sequence[bytes], tenant: UUID) -> None:
        self._signer = Signer(secrets, tenant, PURPOSE)

    def encode(self, order: str, position: CursorPosition) -> str:
        value: object
        value, key = position
        if value.__class__ is not str:  # most sort values are text
            value = None if value == key else _encode_value(value)
        return self._signer.sign(orjson.dumps([order, value, key.hex]))

    def decode(self, order: str, cursor: str | None) -> CursorPosition | None:
        """Return the position, or None without a cursor.

        Raises `BadInput` if the cursor was changed or belongs to another order or organization.
        """
        if cursor is None:
            return None
        try:
            cursor_order, value, key = orjson.loads(self._signer.unsign(cursor))
        except ValueError as error:
            raise BadInput("The cursor is not valid. Use a cursor from `pageInfo` or an edge of an earlier response.") from error
        if cursor_order != order:
            raise BadInput(f"The cursor belongs to the order `{cursor_order}`, not `{order}`. Use a cursor of this list and order.")
        return _decode_value(value, UUID(hex=key)), UUID(hex=key)


def _encode_value(value: object) -> object:
    """Convert a sort value for JSON. Check datetime first, since it is a subclass of date."""
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return {"on": value.isoformat()} if isinstance(value, date) else value


def _decode_value(json_value: object, key: UUID) -> Any:  # noqa: ANN401 any JSON value; the signature proves that this server wrote it
    """Restore a sort value. None means that the rows are sorted by id, so that the key is the value."""
    if json_value is None:
        return key
    if not isinstance(json_value, dict):
        return json_value
    return date.fromisoformat(json_value["on"]) if "on" in json_value else datetime.fromisoformat(json_value["at"])

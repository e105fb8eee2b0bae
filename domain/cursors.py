"""Cursors: signed places in an order, so that only those that we gave out are taken back, and only by whom they were given to."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.paging import Key
from domain.errors import BadInput

SIGNED = 12  # bytes of the signature: 96 bits, far beyond guessing over a network
PURPOSE = b"cursor 1"


class Cursors:
    """Writes and reads the cursors of one organization. The first secret signs; all verify, so that they can be rotated."""

    def __init__(self, secrets: Sequence[bytes], tenant: UUID) -> None:
        self._keys = [hmac.digest(secret, PURPOSE + tenant.bytes, "sha256") for secret in secrets]

    def write(self, order: str, place: Key) -> str:
        value, key = place
        said = json.dumps([order, None if value == key else _held(value), key.hex], separators=(",", ":")).encode()
        return urlsafe_b64encode(_signature(self._keys[0], said) + said).decode()

    def read(self, order: str, cursor: str | None) -> Key | None:
        """The place; a cursor of another order or organization, or one that was changed, is refused."""
        if cursor is None:
            return None
        try:
            known_order, value, key = json.loads(self._verified(cursor.encode("ascii")))
        except ValueError as wrong:
            raise BadInput("This cursor is not one of ours. Take it from `pageInfo` or an edge of an earlier answer.") from wrong
        if known_order != order:
            raise BadInput(f"This cursor belongs to the order {known_order}, not to {order}.")
        return _value(value, UUID(hex=key)), UUID(hex=key)

    def _verified(self, cursor: bytes) -> bytes:
        held = urlsafe_b64decode(cursor)
        signature, said = held[:SIGNED], held[SIGNED:]
        if urlsafe_b64encode(held) != cursor or not any(hmac.compare_digest(signature, _signature(key, said)) for key in self._keys):
            raise ValueError(cursor)
        return said


def _signature(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, "sha256")[:SIGNED]


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

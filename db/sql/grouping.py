"""Put rows in the order of the keys by which they were requested."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from uuid import UUID

from db.engine.statement import R, Row

_bytes = attrgetter("bytes")


def group_by_key(rows: Sequence[R], keys: Sequence[UUID], column: str) -> list[list[R]]:
    """Group the rows by key, in the order of the keys."""
    groups: dict[bytes, list[R]] = {key: [] for key in map(_bytes, keys)}
    for key, row in zip(_key_bytes(rows, column), rows, strict=True):
        groups[key].append(row)
    return list(groups.values())


def row_by_key(rows: Sequence[R], keys: Sequence[UUID], column: str = "id") -> list[R | None]:
    """Return the row of each key, or None, in the order of the keys."""
    rows_by_key = dict(zip(_key_bytes(rows, column), rows, strict=True))
    return [rows_by_key.get(key) for key in map(_bytes, keys)]


def _key_bytes(rows: Sequence[Row], column: str) -> Iterable[bytes]:
    """Return the key of each row as bytes. All rows have the class of the first."""
    # `map` calls the property's getter from C. Hashing the bytes of a UUID takes a third of the time of hashing the UUID.
    return map(_bytes, map(getattr(type(rows[0]), column).fget, rows)) if rows else ()

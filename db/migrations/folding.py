"""Recompute the stored keys after a change of the folding (`db.tables.keys`).

A first pass compares all keys without a lock. The second pass writes only the rows whose key changes, under a lock that prevents others
from adding rows with the same keys: on clients, the lock of the caller's ALTER TABLE; on labels, a lock that is taken here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables.keys import KEY_SEPARATOR, name_key, number_key

BATCH = 5_000  # rows that are read at a time
RowId: TypeAlias = tuple[UUID, UUID]
"""The id of the organization and the id of the row."""
Columns: TypeAlias = "sa.TableClause"


def _table(name: str, *texts: str) -> Columns:
    keys: list[sa.ColumnClause[Any]] = [sa.column("tenant_id", sa.Uuid()), sa.column("id", sa.Uuid())]
    keys.append(sa.column("created_at", sa.DateTime(timezone=True)))
    return sa.table(name, *keys, *(sa.column(text_column, sa.Text()) for text_column in texts), schema="relaties")


CLIENT = _table("client", "name", "name_key", "number", "number_key")
CONTACT = _table("contact", "first_name", "last_name", "name_key")
LABEL = _table("label", "scope", "name", "name_key")


def _name(row: "sa.Row[Any]") -> str:
    return name_key(row.name)


def _full_name(row: "sa.Row[Any]") -> str:
    """Fold the full name as `domain.clients.contacts` does, with the last name first."""
    return name_key(" ".join(name for name in (row.last_name, row.first_name) if name))


def _number(row: "sa.Row[Any]") -> str | None:
    """Fold the number. Return None if there is none, or if it has only invisible characters."""
    return number_key(row.number) or None if row.number is not None else None


@dataclass(frozen=True)
class StaleKeys:
    """The rows whose stored keys differ from the recomputed ones, by column."""

    client_names: Sequence[RowId]
    client_numbers: Sequence[RowId]
    contacts: Sequence[RowId]
    labels: Sequence[RowId]


def find_stale(connection: sa.Connection) -> StaleKeys:
    """Compare the keys of all organizations. Reads in batches and takes no lock."""
    # If the owner is subject to row-level security, fail instead of reading no rows.
    connection.execute(sa.text("SET LOCAL row_security = off"))
    names, numbers = list[RowId](), list[RowId]()
    for row in _iterate_rows(connection, CLIENT):
        if _name(row) != row.name_key:
            names.append((row.tenant_id, row.id))
        if _number(row) != row.number_key:
            numbers.append((row.tenant_id, row.id))
    contacts = [(row.tenant_id, row.id) for row in _iterate_rows(connection, CONTACT) if _full_name(row) != row.name_key]
    labels = [(row.tenant_id, row.id) for row in _iterate_rows(connection, LABEL) if _name(row) != row.name_key]
    return StaleKeys(names, numbers, contacts, labels)


def _iterate_rows(connection: sa.Connection, table: Columns) -> "Iterator[sa.Row[Any]]":
    """Iterate over all rows with a cursor: one scan of the table, with one batch in memory at a time."""
    # Each table has a cursor name of its own, because the driver caches the result type of a FETCH by its text.
    columns, cursor = ", ".join(column.name for column in table.c), f"folded_{table.name}"
    connection.execute(sa.text(f"DECLARE {cursor} NO SCROLL CURSOR FOR SELECT {columns} FROM relaties.{table.name}"))  # noqa: S608 constants of ours
    batch = sa.text(f"FETCH {BATCH} FROM {cursor}").columns(*table.c)
    while rows := connection.execute(batch).all():
        yield from rows
    # Otherwise the cursor stays open until the transaction ends, and PostgreSQL refuses to alter the table until then.
    connection.execute(sa.text(f"CLOSE {cursor}"))


def refold(connection: sa.Connection, stale: StaleKeys) -> None:
    """Write the new keys. The caller must have locked the table `client`, and have allowed a number without a key."""
    _set_names(connection, CLIENT, stale.client_names, _name)
    _set_names(connection, CONTACT, stale.contacts, _full_name)
    _set_numbers(connection, stale.client_numbers)
    if stale.labels:
        connection.execute(sa.text("LOCK TABLE relaties.label IN SHARE ROW EXCLUSIVE MODE"))
        _set_labels(connection, stale.labels)


def _set_names(connection: sa.Connection, table: Columns, ids: Sequence[RowId], fold: "Callable[[sa.Row[Any]], str]") -> None:
    for tenant, keys in _by_tenant(ids):
        _write(connection, table, "name_key", tenant, {row.id: fold(row) for row in _find_rows(connection, table, tenant, "id", keys)})


def _set_numbers(connection: sa.Connection, ids: Sequence[RowId]) -> None:
    """Give the key to the oldest of the clients whose numbers fold to the same text. The others keep their number without a key."""
    for tenant, keys in _by_tenant(ids):
        _write(connection, CLIENT, "number_key", tenant, dict.fromkeys(keys))
        stale_rows = _find_rows(connection, CLIENT, tenant, "id", keys)
        new_keys = {row.id: key for row in stale_rows if (key := _number(row)) is not None}
        others = _find_rows(connection, CLIENT, tenant, "number_key", new_keys.values())
        creation_order, ids_by_key = (
            {row.id: (row.created_at, row.id) for row in (*stale_rows, *others)},
            defaultdict[str, list[UUID]](list),
        )
        for each, key in (*new_keys.items(), *((row.id, row.number_key) for row in others)):
            ids_by_key[key].append(each)
        first = {min(each, key=creation_order.__getitem__): key for key, each in ids_by_key.items()}
        _write(connection, CLIENT, "number_key", tenant, {row.id: None for row in others if row.id not in first})
        _write(connection, CLIENT, "number_key", tenant, {each: key for each, key in first.items() if each in new_keys})


def _set_labels(connection: sa.Connection, ids: Sequence[RowId]) -> None:
    """Give the key to the oldest of the labels whose names fold to the same text. The keys of the others get their id as a suffix."""
    for tenant, keys in _by_tenant(ids):
        stale_rows = _find_rows(connection, LABEL, tenant, "id", keys)
        _write(connection, LABEL, "name_key", tenant, {row.id: KEY_SEPARATOR + row.id.hex for row in stale_rows})
        others = _find_rows(connection, LABEL, tenant, "name_key", {_name(row) for row in stale_rows})
        rows_by_key = defaultdict[tuple[str, str], list[Any]](list)
        for row in (*stale_rows, *others):
            rows_by_key[row.scope, _name(row)].append(row)
        for (_, key), rows in rows_by_key.items():
            _, *later = sorted(rows, key=lambda row: (row.created_at, row.id))
            _write(connection, LABEL, "name_key", tenant, {row.id: key + KEY_SEPARATOR + row.id.hex for row in later})
        firsts = {min(rows, key=lambda row: (row.created_at, row.id)).id: key for (_, key), rows in rows_by_key.items()}
        _write(connection, LABEL, "name_key", tenant, firsts)


def _by_tenant(ids: Sequence[RowId]) -> Iterable[tuple[UUID, list[UUID]]]:
    ids_by_tenant = defaultdict[UUID, list[UUID]](list)
    for tenant, key in ids:
        ids_by_tenant[tenant].append(key)
    return ids_by_tenant.items()


def _find_rows(connection: sa.Connection, table: Columns, tenant: UUID, column: str, values: Iterable[object]) -> "Sequence[sa.Row[Any]]":
    """Return the rows of the organization that have one of these values."""
    array = sa.literal([*values], ARRAY(table.c[column].type))
    return connection.execute(sa.select(table).where(table.c.tenant_id == tenant, table.c[column] == sa.func.any(array))).all()


def _write(connection: sa.Connection, table: Columns, column: str, tenant: UUID, keys: "dict[UUID, Any]") -> None:
    update = sa.update(table).where(table.c.tenant_id == tenant, table.c.id == sa.bindparam("of", type_=sa.Uuid()))
    if keys:
        values = [{"of": each, "key": key} for each, key in keys.items()]
        connection.execute(update.values({column: sa.bindparam("key", type_=sa.Text())}), values)

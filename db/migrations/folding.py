"""Recompute stored keys after a change of how they are folded.

Keys are compared in a first pass that takes no lock. Only rows whose key changes are written, by then under a lock that keeps others from
adding what would collide with them: on clients that of the caller's change of the table, on labels one of our own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from db.keys import APART, name_key, number_key

BATCH = 5_000  # rows that are read at once
Id: TypeAlias = tuple[UUID, UUID]
"""Of the organization, and of the row."""
Columns: TypeAlias = "sa.TableClause"


def _table(name: str, *texts: str) -> Columns:
    keys: list[sa.ColumnClause[Any]] = [sa.column("tenant_id", sa.Uuid()), sa.column("id", sa.Uuid())]
    keys.append(sa.column("created_at", sa.DateTime(timezone=True)))
    return sa.table(name, *keys, *(sa.column(text, sa.Text()) for text in texts), schema="relaties")


CLIENT = _table("client", "name", "name_key", "number", "number_key")
CONTACT = _table("contact", "first_name", "last_name", "name_key")
LABEL = _table("label", "scope", "name", "name_key")


def _name(row: "sa.Row[Any]") -> str:
    return name_key(row.name)


def _full_name(row: "sa.Row[Any]") -> str:
    """As `domain.contacts` has it: the last name first."""
    return name_key(" ".join(name for name in (row.last_name, row.first_name) if name))


def _number(row: "sa.Row[Any]") -> str | None:
    """None where nothing of the number can be seen, too."""
    return number_key(row.number) or None if row.number is not None else None


@dataclass(frozen=True)
class Stale:
    """The rows whose stored keys are not what folding gives, by what is folded."""

    client_names: Sequence[Id]
    client_numbers: Sequence[Id]
    contacts: Sequence[Id]
    labels: Sequence[Id]


def find(connection: sa.Connection) -> Stale:
    """Compare every key, of all organizations. Reads in batches and takes no lock."""
    # Fail rather than see no rows, should the owner be subject to row level security.
    connection.execute(sa.text("SET LOCAL row_security = off"))
    names, numbers = list[Id](), list[Id]()
    for row in _rows(connection, CLIENT):
        if _name(row) != row.name_key:
            names.append((row.tenant_id, row.id))
        if _number(row) != row.number_key:
            numbers.append((row.tenant_id, row.id))
    contacts = [(row.tenant_id, row.id) for row in _rows(connection, CONTACT) if _full_name(row) != row.name_key]
    labels = [(row.tenant_id, row.id) for row in _rows(connection, LABEL) if _name(row) != row.name_key]
    return Stale(names, numbers, contacts, labels)


def _rows(connection: sa.Connection, table: Columns) -> "Iterator[sa.Row[Any]]":
    """All rows, by a cursor: one scan of the table, of which a batch is in memory at a time."""
    columns, cursor = ", ".join(column.name for column in table.c), f"folded_{table.name}"  # the driver keeps what it knows of a FETCH
    connection.execute(sa.text(f"DECLARE {cursor} NO SCROLL CURSOR FOR SELECT {columns} FROM relaties.{table.name}"))  # noqa: S608 our own words
    batch = sa.text(f"FETCH {BATCH} FROM {cursor}").columns(*table.c)
    while found := connection.execute(batch).all():
        yield from found
    # The driver's own cursor stays open until the transaction ends, and the table cannot be altered until then.
    connection.execute(sa.text(f"CLOSE {cursor}"))


def refold(connection: sa.Connection, stale: Stale) -> None:
    """Write the new keys. The caller holds the table of clients, and has allowed a number without a key."""
    _set_names(connection, CLIENT, stale.client_names, _name)
    _set_names(connection, CONTACT, stale.contacts, _full_name)
    _set_numbers(connection, stale.client_numbers)
    if stale.labels:
        connection.execute(sa.text("LOCK TABLE relaties.label IN SHARE ROW EXCLUSIVE MODE"))
        _set_labels(connection, stale.labels)


def _set_names(connection: sa.Connection, table: Columns, ids: Sequence[Id], fold: "Callable[[sa.Row[Any]], str]") -> None:
    for tenant, keys in _by_tenant(ids):
        _write(connection, table, "name_key", tenant, {row.id: fold(row) for row in _some(connection, table, tenant, "id", keys)})


def _set_numbers(connection: sa.Connection, ids: Sequence[Id]) -> None:
    """Of those that fold to one number, the one made first has the key; the others keep the number as text."""
    for tenant, keys in _by_tenant(ids):
        _write(connection, CLIENT, "number_key", tenant, dict.fromkeys(keys))
        changed = _some(connection, CLIENT, tenant, "id", keys)
        wanted = {row.id: key for row in changed if (key := _number(row)) is not None}
        others = _some(connection, CLIENT, tenant, "number_key", wanted.values())
        made, same = {row.id: (row.created_at, row.id) for row in (*changed, *others)}, defaultdict[str, list[UUID]](list)
        for each, key in (*wanted.items(), *((row.id, row.number_key) for row in others)):
            same[key].append(each)
        first = {min(each, key=made.__getitem__): key for key, each in same.items()}
        _write(connection, CLIENT, "number_key", tenant, {row.id: None for row in others if row.id not in first})
        _write(connection, CLIENT, "number_key", tenant, {each: key for each, key in first.items() if each in wanted})


def _set_labels(connection: sa.Connection, ids: Sequence[Id]) -> None:
    """Of those that fold to one name, the one made first has it as its key; those of the others go on with their ids."""
    for tenant, keys in _by_tenant(ids):
        changed = _some(connection, LABEL, tenant, "id", keys)
        _write(connection, LABEL, "name_key", tenant, {row.id: APART + row.id.hex for row in changed})
        others = _some(connection, LABEL, tenant, "name_key", {_name(row) for row in changed})
        same = defaultdict[tuple[str, str], list[Any]](list)
        for row in (*changed, *others):
            same[row.scope, _name(row)].append(row)
        for (_, key), rows in same.items():
            _, *later = sorted(rows, key=lambda row: (row.created_at, row.id))
            _write(connection, LABEL, "name_key", tenant, {row.id: key + APART + row.id.hex for row in later})
        firsts = {min(rows, key=lambda row: (row.created_at, row.id)).id: key for (_, key), rows in same.items()}
        _write(connection, LABEL, "name_key", tenant, firsts)


def _by_tenant(ids: Sequence[Id]) -> Iterable[tuple[UUID, list[UUID]]]:
    found = defaultdict[UUID, list[UUID]](list)
    for tenant, key in ids:
        found[tenant].append(key)
    return found.items()


def _some(connection: sa.Connection, table: Columns, tenant: UUID, column: str, values: Iterable[object]) -> "Sequence[sa.Row[Any]]":
    """The rows of the organization with one of these values."""
    wanted = sa.literal([*values], ARRAY(table.c[column].type))
    return connection.execute(sa.select(table).where(table.c.tenant_id == tenant, table.c[column] == sa.func.any(wanted))).all()


def _write(connection: sa.Connection, table: Columns, column: str, tenant: UUID, keys: "dict[UUID, Any]") -> None:
    update = sa.update(table).where(table.c.tenant_id == tenant, table.c.id == sa.bindparam("of", type_=sa.Uuid()))
    if keys:
        values = [{"of": each, "key": key} for each, key in keys.items()]
        connection.execute(update.values({column: sa.bindparam("key", type_=sa.Text())}), values)

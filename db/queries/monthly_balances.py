"""Monthly balances of each client: sums of its invoices, credit notes and payments.

Code that creates, changes or deletes invoices, credit notes or payments must call `rebuild` at the end of the same unit of work: for their
clients before and after the change, from the earliest of their dates on. Deleting a client deletes its balances too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

import asyncpg
from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Date,
    Integer,
    Select,
    Text,
    Uuid,
    cast,
    delete,
    except_,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from db.engine.protocols import Transaction
from db.engine.statement import Command, Query
from db.queries.revenue import DOCUMENTS, FIGURES, ONE, PAYMENTS, Source, first_day_of_month, select_moves
from db.rows import IdRow
from db.sql.expressions import TENANT, col, columns, id_in, parameter
from db.sql.pagination import count_rows
from db.tables import Client, ClientMonth
from db.tables.base import table_of

SINCE = parameter("since", Date())
MONTH: ColumnElement[str] = literal_column("'month'", Text())
INFINITY: ColumnElement[date] = literal_column("'infinity'::date", Date())
KEYS = ("client_id", "month", "currency")


class StatementExecutor(Protocol):
    """A unit of work, or another executor of commands."""

    async def execute(self, command: Command, **values: object) -> int: ...


@dataclass(frozen=True)
class OwnerTransaction:
    """Execute commands in a transaction of the database's owner, for bulk loading."""

    owner: asyncpg.Connection
    tenant: UUID

    async def execute(self, command: Command, **values: object) -> int:
        status = await self.owner.execute(command.sql, *command.arguments({**values, "tenant": self.tenant}))
        return int(status.rpartition(" ")[2])


def _source_moves(source: Source) -> Select[*tuple[Any, ...]]:
    month = cast(func.date_trunc(MONTH, cast(source.day, TIMESTAMP())), Date())
    amounts = (*source.in_period, *source.outstanding)
    return select_moves(source.table, _requested_clients, month.label("month"), amounts).where(*source.conditions, source.day >= SINCE)


def _previous_balances() -> Select[*tuple[Any, ...]]:
    """Select the balances just before `SINCE`: for each currency the row that is valid on the day before."""
    month = col(ClientMonth.month)
    figures = tuple(col(getattr(ClientMonth, name)) for name in FIGURES)
    return select_moves(ClientMonth, _requested_clients, month.label("month"), figures).where(
        month < SINCE, col(ClientMonth.until) >= SINCE - ONE
    )


def _requested_clients(client: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
    return [id_in(client)]


def _balances(*leading_columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Compute the balances since `SINCE` from documents, payments and the previous balance.

    The row of the previous balance is part of the result, because its `until` may change.
    """
    moves = union_all(_source_moves(DOCUMENTS), _source_moves(PAYMENTS), _previous_balances()).subquery("moved")
    keys, sums = [moves.c[name] for name in KEYS], [func.sum(moves.c[name]).label(name) for name in FIGURES]
    sums_by_month = select(*keys, *sums).group_by(*keys).subquery("of")
    window: Any = {"partition_by": (sums_by_month.c.client_id, sums_by_month.c.currency), "order_by": sums_by_month.c.month}
    until = func.lead(sums_by_month.c.month - ONE, ONE, INFINITY).over(**window).label("until")
    figures = [func.sum(sums_by_month.c[name]).over(**window).label(name) for name in FIGURES]
    return select(*leading_columns, *(sums_by_month.c[name] for name in KEYS), until, *figures)


def _build_inconsistent() -> Query[IdRow]:
    """Return the query of the clients whose stored balances differ from the computed ones."""
    conditions = col(ClientMonth.tenant_id) == TENANT, id_in(col(ClientMonth.client_id))
    computed_balances = _balances().cte("counted")
    stored_balances = select(*(col(getattr(ClientMonth, name)) for name in (*KEYS, "until", *FIGURES))).where(*conditions).cte("kept")
    differences = union_all(
        except_(select(computed_balances), select(stored_balances)), except_(select(stored_balances), select(computed_balances))
    ).subquery("found")
    return Query(select(differences.c.client_id.label("id")).distinct().order_by(differences.c.client_id), IdRow)


LOCK_CLIENTS = Command(
    select(col(Client.id))
    .where(col(Client.tenant_id) == TENANT, id_in(col(Client.id)))
    .order_by(col(Client.id))
    .with_for_update(key_share=True),
    "clients to lock",
)
DELETE_BALANCES = Command(
    delete(table_of(ClientMonth)).where(
        col(ClientMonth.tenant_id) == TENANT, id_in(col(ClientMonth.client_id)), col(ClientMonth.month) >= SINCE
    ),
    "balances to delete",
)
_insert = insert(table_of(ClientMonth)).from_select(["tenant_id", *KEYS, "until", *FIGURES], _balances(TENANT.label("tenant_id")))
INSERT_BALANCES = Command(
    _insert.on_conflict_do_update(index_elements=["tenant_id", *KEYS], set_={"until": _insert.excluded.until}), "balances to insert"
)
INCONSISTENT = _build_inconsistent()
CLIENTS = Query(
    select(*columns(IdRow, Client))
    .where(col(Client.tenant_id) == TENANT, col(Client.id) > parameter("after", Uuid()))
    .order_by(col(Client.id))
    .limit(parameter("count", Integer())),
    IdRow,
)
CLIENT_COUNT = count_rows(Client, [col(Client.tenant_id) == TENANT])


async def rebuild(work: StatementExecutor, clients: Sequence[UUID], since: date = date.min) -> None:
    """Rebuild the balances of the clients from the month of `since` on; by default of all months.

    Locks the clients until the unit of work ends, all at once and in the order of their ids, so that the next rebuild of one of them sees
    this one and two rebuilds do not deadlock. A caller that has already locked a client must have used `locking.lock_for_update`: two
    callers with `locking.lock_for_share` would wait for each other.
    """
    await work.execute(LOCK_CLIENTS, ids=[*clients])
    arguments = {"ids": [*clients], "since": first_day_of_month(since)}
    await work.execute(DELETE_BALANCES, **arguments)
    await work.execute(INSERT_BALANCES, **arguments)


async def find_inconsistent(tx: Transaction, clients: Sequence[UUID]) -> list[UUID]:
    """Return the clients whose stored balances differ from their documents and payments."""
    return [row.id for row in await tx.fetch(INCONSISTENT, ids=[*clients], since=date.min)]


async def client_ids(tx: Transaction, after: UUID, count: int) -> list[UUID]:
    """Return the first `count` ids of clients after `after`, in order."""
    return [row.id for row in await tx.fetch(CLIENTS, after=after, count=count)]


async def count_clients(tx: Transaction) -> int:
    (row,) = await tx.fetch(CLIENT_COUNT)
    return row.count

"""What each client had come to by the end of each month: counted anew by whoever changed it, so that it is at all times what the books say.

Whoever makes, changes or removes documents and payments calls `recount` for their clients and the first of their days, last and in the
same unit of work: those of before and those of after. Who deletes a client need not, as its months go with it.
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

from db.engine import Tx
from db.query import TENANT, Command, Query, among, col, columns, parameter, table_of
from db.revenue import DOCUMENTS, FIGURES, ONE, PAYMENTS, Source, first_of, moves_of
from db.rows import KeyRow
from db.tables import Client, ClientMonth

SINCE = parameter("since", Date())
MONTH: ColumnElement[str] = literal_column("'month'", Text())
EVER: ColumnElement[date] = literal_column("'infinity'::date", Date())
KEYS = ("client_id", "month", "currency")


class Runs(Protocol):
    """A unit of work, or what stands for one."""

    async def run(self, command: Command, **values: object) -> int: ...


@dataclass(frozen=True)
class Owned:
    """A transaction of the database's owner: of who loads what was made elsewhere."""

    owner: asyncpg.Connection
    tenant: UUID

    async def run(self, command: Command, **values: object) -> int:
        said = await self.owner.execute(command.sql, *command.arguments({**values, "tenant": self.tenant}))
        return int(said.rpartition(" ")[2])


def _of_books(source: Source) -> Select[*tuple[Any, ...]]:
    month = cast(func.date_trunc(MONTH, cast(source.day, TIMESTAMP())), Date())
    amounts = (*source.in_period, *source.outstanding)
    return moves_of(source.table, _asked, month.label("month"), amounts).where(*source.found, source.day >= SINCE)


def _of_before() -> Select[*tuple[Any, ...]]:
    """What it had come to by then: of each currency the row that held."""
    month = col(ClientMonth.month)
    figures = tuple(col(getattr(ClientMonth, name)) for name in FIGURES)
    return moves_of(ClientMonth, _asked, month.label("month"), figures).where(month < SINCE, col(ClientMonth.until) >= SINCE - ONE)


def _asked(client: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
    return [among(client)]


def _counted(*before: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """What the documents and the payments come to, on top of what was before; the row of that is among them, as it may hold shorter now."""
    moved = union_all(_of_books(DOCUMENTS), _of_books(PAYMENTS), _of_before()).subquery("moved")
    keys, sums = [moved.c[name] for name in KEYS], [func.sum(moved.c[name]).label(name) for name in FIGURES]
    of = select(*keys, *sums).group_by(*keys).subquery("of")
    in_order: Any = {"partition_by": (of.c.client_id, of.c.currency), "order_by": of.c.month}
    until = func.lead(of.c.month - ONE, ONE, EVER).over(**in_order).label("until")
    figures = [func.sum(of.c[name]).over(**in_order).label(name) for name in FIGURES]
    return select(*before, *(of.c[name] for name in KEYS), until, *figures)


def _wrong() -> Query[KeyRow]:
    """What is kept and should not be, and what should be and is not."""
    mine = col(ClientMonth.tenant_id) == TENANT, among(col(ClientMonth.client_id))
    counted = _counted().cte("counted")
    kept = select(*(col(getattr(ClientMonth, name)) for name in (*KEYS, "until", *FIGURES))).where(*mine).cte("kept")
    found = union_all(except_(select(counted), select(kept)), except_(select(kept), select(counted))).subquery("found")
    return Query(select(found.c.client_id.label("id")).distinct().order_by(found.c.client_id), KeyRow)


HOLD = Command(
    select(col(Client.id))
    .where(col(Client.tenant_id) == TENANT, among(col(Client.id)))
    .order_by(col(Client.id))
    .with_for_update(key_share=True),
    "clients to hold",
)
FORGET = Command(
    delete(table_of(ClientMonth)).where(
        col(ClientMonth.tenant_id) == TENANT, among(col(ClientMonth.client_id)), col(ClientMonth.month) >= SINCE
    ),
    "months to forget",
)
_counting = insert(table_of(ClientMonth)).from_select(["tenant_id", *KEYS, "until", *FIGURES], _counted(TENANT.label("tenant_id")))
COUNT = Command(
    _counting.on_conflict_do_update(index_elements=["tenant_id", *KEYS], set_={"until": _counting.excluded.until}), "months to count"
)
WRONG = _wrong()
CLIENTS = Query(
    select(*columns(KeyRow, Client))
    .where(col(Client.tenant_id) == TENANT, col(Client.id) > parameter("after", Uuid()))
    .order_by(col(Client.id))
    .limit(parameter("count", Integer())),
    KeyRow,
)


async def recount(work: Runs, clients: Sequence[UUID], since: date = date.min) -> None:
    """Counts the month of this day and those after it anew; all months unless told otherwise.

    The clients are held until the unit of work ends, all at once and in the order of their ids: who counts one of them next sees what
    this one did, and two that meet wait and never block. Whoever holds a client before holds it for a change (`entities.locked`): two that
    had it shared (`entities.steady`) would wait for each other.
    """
    await work.run(HOLD, ids=[*clients])
    of = {"ids": [*clients], "since": first_of(since)}
    await work.run(FORGET, **of)
    await work.run(COUNT, **of)


async def wrong(tx: Tx, clients: Sequence[UUID]) -> list[UUID]:
    """Those whose months are not what their books come to."""
    return [row.id for row in await tx.fetch(WRONG, ids=[*clients], since=date.min)]


async def clients(tx: Tx, after: UUID, count: int) -> list[UUID]:
    """The next so many clients in the order of their ids."""
    return [row.id for row in await tx.fetch(CLIENTS, after=after, count=count)]

"""What each client had in each month: counted anew by whoever changed it, so that it is at all times what the books come to.

Whoever makes, changes or removes documents and payments calls `recount` for their clients and days, last and in the same unit of work:
those of before and those of after. Who deletes a client need not, as its months go with it.
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
    SQLColumnExpression,
    Text,
    Uuid,
    cast,
    delete,
    except_,
    func,
    insert,
    literal_column,
    select,
    union_all,
)
from sqlmodel import col

from db.engine import Tx
from db.query import TENANT, Command, Query, among, columns, parameter
from db.revenue import SIGN, ZERO, first_of, last_of
from db.rows import KeyRow
from db.tables import Client, ClientMonth, Invoice, PaymentAllocation

SINCE, UNTIL = parameter("since", Date()), parameter("until", Date())
MONTH: ColumnElement[str] = literal_column("'month'", Text())
KEYS = ("client_id", "month", "currency")
FIGURES = ("invoiced", "invoiced_base", "gross", "gross_base", "paid", "paid_base")


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


def _month_of(day: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    return cast(func.date_trunc(MONTH, cast(day, TIMESTAMP())), Date())


def _documents() -> Select[*tuple[Any, ...]]:
    day = col(Invoice.invoice_date)
    amounts = [SIGN * col(getattr(Invoice, name)) for name in ("net", "net_base", "gross", "gross_base")]
    shown = zip(FIGURES, [*amounts, ZERO, ZERO], strict=True)
    found = col(Invoice.tenant_id) == TENANT, among(col(Invoice.client_id)), col(Invoice.is_issued).is_(True), day.between(SINCE, UNTIL)
    keys = col(Invoice.client_id), _month_of(day).label("month"), col(Invoice.currency)
    return select(*keys, *(amount.label(name) for name, amount in shown)).where(*found)


def _payments() -> Select[*tuple[Any, ...]]:
    day, amounts = col(PaymentAllocation.paid_on), (col(PaymentAllocation.amount), col(PaymentAllocation.amount_base))
    found = col(PaymentAllocation.tenant_id) == TENANT, among(col(PaymentAllocation.client_id)), day.between(SINCE, UNTIL)
    keys = col(PaymentAllocation.client_id), _month_of(day), col(PaymentAllocation.currency)
    return select(*keys, ZERO, ZERO, ZERO, ZERO, *amounts).where(*found)


def _counted(*before: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """What the documents and the payments come to."""
    moved = union_all(_documents(), _payments()).subquery("moved")
    keys, sums = [moved.c[name] for name in KEYS], [func.sum(moved.c[name]).label(name) for name in FIGURES]
    return select(*before, *keys, *sums).group_by(*keys)


def _wrong() -> Query[KeyRow]:
    """What is kept and should not be, and what should be and is not."""
    mine = col(ClientMonth.tenant_id) == TENANT, among(col(ClientMonth.client_id))
    counted = _counted().cte("counted")
    kept = select(*(col(getattr(ClientMonth, name)) for name in (*KEYS, *FIGURES))).where(*mine).cte("kept")
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
    delete(ClientMonth).where(
        col(ClientMonth.tenant_id) == TENANT, among(col(ClientMonth.client_id)), col(ClientMonth.month).between(SINCE, UNTIL)
    ),
    "months to forget",
)
COUNT = Command(insert(ClientMonth).from_select(["tenant_id", *KEYS, *FIGURES], _counted(TENANT.label("tenant_id"))), "months to count")
WRONG = _wrong()
CLIENTS = Query(
    select(*columns(KeyRow, Client))
    .where(col(Client.tenant_id) == TENANT, col(Client.id) > parameter("after", Uuid()))
    .order_by(col(Client.id))
    .limit(parameter("count", Integer())),
    KeyRow,
)


async def recount(work: Runs, clients: Sequence[UUID], since: date = date.min, until: date = date.max) -> None:
    """Counts the months of these days anew; all months unless told otherwise.

    The clients are held until the unit of work ends, all at once and in the order of their ids: who counts one of them next sees what
    this one did, and two that meet wait and never block. Whoever holds a client before holds it for a change (`entities.locked`): two that
    had it shared (`entities.steady`) would wait for each other.
    """
    await work.run(HOLD, ids=[*clients])
    of = {"ids": [*clients], "since": first_of(since), "until": last_of(until)}
    await work.run(FORGET, **of)
    await work.run(COUNT, **of)


async def wrong(tx: Tx, clients: Sequence[UUID]) -> list[UUID]:
    """Those whose months are not what their books come to."""
    return [row.id for row in await tx.fetch(WRONG, ids=[*clients], since=date.min, until=date.max)]


async def clients(tx: Tx, after: UUID, count: int) -> list[UUID]:
    """The next so many clients in the order of their ids."""
    return [row.id for row in await tx.fetch(CLIENTS, after=after, count=count)]

"""Sums over issued documents and the payments on them."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Numeric,
    Select,
    SQLColumnExpression,
    Subquery,
    case,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlmodel import col

from db.clients import Filter, those
from db.engine import Tx
from db.query import TENANT, Query, among, asked, columns, grouped, parameter, word
from db.rows import ClientRevenueRow, RevenueRow
from db.tables import Client, Invoice, InvoiceKind, Organization, PaymentAllocation

START, END = parameter("start", Date()), parameter("end", Date())
ZERO = literal_column("0.00", Numeric(19, 2))
ONE = literal_column("1", Integer())
SIGN = case((col(Invoice.kind) == word(InvoiceKind.CREDIT_NOTE), -ONE), else_=ONE)


def _from(start: SQLColumnExpression[bool], amount: SQLColumnExpression[object]) -> ColumnElement[object]:
    """What counts from the start of the period; what is outstanding counts from the beginning of time."""
    return case((start, amount), else_=ZERO)


Mine: TypeAlias = Callable[[SQLColumnExpression[UUID]], Sequence[ColumnElement[bool]]]
"""The conditions on the client of a document or a payment."""


def _documents(mine: Mine) -> Select[*tuple[Any, ...]]:
    since = col(Invoice.invoice_date) >= START
    found = col(Invoice.tenant_id) == TENANT, col(Invoice.is_issued).is_(True), col(Invoice.invoice_date) <= END
    return select(
        col(Invoice.currency).label("currency"),
        _from(since, SIGN * col(Invoice.net)).label("invoiced"),
        _from(since, SIGN * col(Invoice.net_base)).label("invoiced_base"),
        ZERO.label("paid"),
        ZERO.label("paid_base"),
        (SIGN * col(Invoice.gross)).label("outstanding"),
        (SIGN * col(Invoice.gross_base)).label("outstanding_base"),
    ).where(*found, *mine(col(Invoice.client_id)))


def _payments(mine: Mine) -> Select[*tuple[Any, ...]]:
    since = col(PaymentAllocation.paid_on) >= START
    found = col(PaymentAllocation.tenant_id) == TENANT, col(PaymentAllocation.paid_on) <= END
    return select(
        col(PaymentAllocation.currency),
        ZERO,
        ZERO,
        _from(since, col(PaymentAllocation.amount)),
        _from(since, col(PaymentAllocation.amount_base)),
        -col(PaymentAllocation.amount),
        -col(PaymentAllocation.amount_base),
    ).where(*found, *mine(col(PaymentAllocation.client_id)))


def _sums(moved: Subquery, is_total: ColumnElement[bool]) -> dict[str, ColumnElement[Any]]:
    """A row per currency, and one of all in base: `GROUPING` tells them apart."""
    base = select(col(Organization.base_currency)).where(col(Organization.tenant_id) == TENANT).scalar_subquery()
    sums: dict[str, ColumnElement[Any]] = {"is_total": is_total, "currency": case((is_total, base), else_=moved.c.currency)}
    for name in ("invoiced", "paid", "outstanding"):
        sums[name] = case((is_total, func.coalesce(func.sum(moved.c[f"{name}_base"]), ZERO)), else_=func.sum(moved.c[name]))
    return sums


def _by_client() -> Select[*tuple[Any, ...]]:
    """A client without anything has its total alone."""
    documents, payments = _documents(lambda client: [among(client)]), _payments(lambda client: [among(client)])
    of_client = documents.add_columns(col(Invoice.client_id)), payments.add_columns(col(PaymentAllocation.client_id))
    moved = union_all(*of_client).subquery("moved")
    is_total = func.grouping(moved.c.currency) == ONE
    shown = columns(ClientRevenueRow, Invoice, client_id=asked.c.id, **_sums(moved, is_total))
    per_client = select(*shown).select_from(asked.outerjoin(moved, moved.c.client_id == asked.c.id))
    grouping = per_client.group_by(func.grouping_sets(asked.c.id, tuple_(asked.c.id, moved.c.currency)))
    return grouping.having(is_total | moved.c.currency.is_not(None)).order_by(asked.c.id, is_total.desc(), moved.c.currency)


BY_CLIENT = Query(_by_client(), ClientRevenueRow)


async def by_client(tx: Tx, ids: Sequence[UUID], *, start: date, end: date) -> list[list[ClientRevenueRow]]:
    """For each client its total in the organization's currency, then a row per currency."""
    return grouped(await tx.fetch(BY_CLIENT, ids=ids, start=start, end=end), ids, "client_id")


@cache
def _of_all(shape: tuple[str, ...]) -> Query[RevenueRow]:
    wanted = select(col(Client.id)).where(*those(shape))
    among_them: Mine = lambda client: [client.in_(wanted)] if shape else []  # noqa: E731
    moved = union_all(_documents(among_them), _payments(among_them)).subquery("moved")
    is_total = func.grouping(moved.c.currency) == ONE
    of_all = select(*columns(RevenueRow, Invoice, **_sums(moved, is_total))).select_from(moved)
    of_all = of_all.group_by(func.grouping_sets(tuple_(), moved.c.currency))
    return Query(of_all.order_by(is_total.desc(), moved.c.currency), RevenueRow)


async def of_all(tx: Tx, wanted: Filter, *, start: date, end: date) -> list[RevenueRow]:
    """The total of all clients that are wanted in the organization's currency, then a row per currency."""
    return await tx.fetch(_of_all(wanted.shape), **wanted.values, start=start, end=end)

"""Sums over issued documents and the payments on them."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Numeric,
    Select,
    SQLColumnExpression,
    case,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlmodel import col

from db.engine import Tx
from db.query import TENANT, Query, among, asked, columns, grouped, parameter, word
from db.rows import RevenueRow
from db.tables import Invoice, InvoiceKind, Organization, PaymentAllocation

START, END = parameter("start", Date()), parameter("end", Date())
ZERO = literal_column("0.00", Numeric(19, 2))
ONE = literal_column("1", Integer())
SIGN = case((col(Invoice.kind) == word(InvoiceKind.CREDIT_NOTE), -ONE), else_=ONE)


def _from(start: SQLColumnExpression[bool], amount: SQLColumnExpression[object]) -> ColumnElement[object]:
    """What counts from the start of the period; what is outstanding counts from the beginning of time."""
    return case((start, amount), else_=ZERO)


def _documents() -> Select[*tuple[Any, ...]]:
    since = col(Invoice.invoice_date) >= START
    return select(
        col(Invoice.client_id).label("client_id"),
        col(Invoice.currency).label("currency"),
        _from(since, SIGN * col(Invoice.net)).label("invoiced"),
        _from(since, SIGN * col(Invoice.net_base)).label("invoiced_base"),
        ZERO.label("paid"),
        ZERO.label("paid_base"),
        (SIGN * col(Invoice.gross)).label("outstanding"),
        (SIGN * col(Invoice.gross_base)).label("outstanding_base"),
    ).where(
        col(Invoice.tenant_id) == TENANT, among(col(Invoice.client_id)), col(Invoice.is_issued).is_(True), col(Invoice.invoice_date) <= END
    )


def _payments() -> Select[*tuple[Any, ...]]:
    since = col(PaymentAllocation.paid_on) >= START
    return select(
        col(PaymentAllocation.client_id),
        col(PaymentAllocation.currency),
        ZERO,
        ZERO,
        _from(since, col(PaymentAllocation.amount)),
        _from(since, col(PaymentAllocation.amount_base)),
        -col(PaymentAllocation.amount),
        -col(PaymentAllocation.amount_base),
    ).where(col(PaymentAllocation.tenant_id) == TENANT, among(col(PaymentAllocation.client_id)), col(PaymentAllocation.paid_on) <= END)


def _by_client() -> Select[*tuple[Any, ...]]:
    """A row per client and currency, and one of all in base: `GROUPING` tells them apart. A client without anything has the latter."""
    moved = union_all(_documents(), _payments()).subquery("moved")
    is_total = func.grouping(moved.c.currency) == ONE
    base = select(col(Organization.base_currency)).where(col(Organization.tenant_id) == TENANT).scalar_subquery()

    def total(name: str) -> ColumnElement[object]:
        return case((is_total, func.coalesce(func.sum(moved.c[f"{name}_base"]), ZERO)), else_=func.sum(moved.c[name]))

    sums = {name: total(name) for name in ("invoiced", "paid", "outstanding")}
    shown = columns(
        RevenueRow, Invoice, client_id=asked.c.id, is_total=is_total, currency=case((is_total, base), else_=moved.c.currency), **sums
    )
    per_client = select(*shown).select_from(asked.outerjoin(moved, moved.c.client_id == asked.c.id))
    grouping = per_client.group_by(func.grouping_sets(asked.c.id, tuple_(asked.c.id, moved.c.currency)))
    return grouping.having(is_total | moved.c.currency.is_not(None)).order_by(asked.c.id, is_total.desc(), moved.c.currency)


BY_CLIENT = Query(_by_client(), RevenueRow)


async def by_client(tx: Tx, ids: Sequence[UUID], *, start: date, end: date) -> list[list[RevenueRow]]:
    """For each client its total in the organization's currency, then a row per currency."""
    return grouped(await tx.fetch(BY_CLIENT, ids=ids, start=start, end=end), ids, "client_id")

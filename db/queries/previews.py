"""Queries of everything that depends on a client, for previews of archiving and deleting it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, exists, func, select, true, union_all

from db.engine.protocols import Transaction
from db.engine.statement import Query
from db.queries.revenue import SIGN, ZERO
from db.rows import ClientAmountsRow, DependentCountsRow, OrphanRow
from db.sql.expressions import TENANT, col, columns, enum_literal, id_in, reference, requested_ids
from db.sql.fetchers import GroupFetcher, RowFetcher
from db.sql.grouping import group_by_key
from db.tables import (
    Client,
    ClientContact,
    ClientPortal,
    Invoice,
    InvoiceMethod,
    InvoiceStatus,
    PaymentAllocation,
    Project,
    Quote,
    QuoteStatus,
    Registration,
    RegistrationKind,
    RegistrationStatus,
    Table,
)
from db.tables.base import table_of

UNBILLED_CONDITIONS = (
    col(Registration.is_billable).is_(True),
    col(Registration.status).in_(
        [enum_literal(RegistrationStatus.OPEN), enum_literal(RegistrationStatus.PENDING), enum_literal(RegistrationStatus.APPROVED)]
    ),
)
"""The conditions that a registration is still to be invoiced."""


def _count_per_client(table: type[Table], **filters: ColumnElement[bool]) -> FromClause:
    """Count the client's rows in one scan: all of them, and those that match each of `filters`."""
    filtered_counts = [func.count().filter(condition).label(name) for name, condition in filters.items()]
    conditions = col(table.tenant_id) == TENANT, col(table.client_id) == col(Client.id)  # type: ignore[attr-defined]
    return (
        select(func.count().label("all"), *filtered_counts)
        .select_from(table_of(table))
        .where(*conditions)
        .correlate(table_of(Client))
        .lateral()
    )


def _has_kind(kind: RegistrationKind) -> ColumnElement[bool]:
    return col(Registration.kind) == enum_literal(kind)


def _payments() -> FromClause:
    """Count the client's payments that have no allocation to another client's documents."""
    conditions = col(PaymentAllocation.tenant_id) == TENANT, col(PaymentAllocation.client_id) == col(Client.id)
    other = table_of(PaymentAllocation).alias().c
    same_payment = other.tenant_id == TENANT, other.payment_id == col(PaymentAllocation.payment_id)
    elsewhere = exists().where(*same_payment, other.client_id != col(PaymentAllocation.client_id))
    count = func.count(func.distinct(col(PaymentAllocation.payment_id))).label("payments")
    return select(count).where(*conditions, ~elsewhere).correlate(table_of(Client)).lateral()


def _counts() -> Query[DependentCountsRow]:
    registrations = _count_per_client(
        Registration,
        time=_has_kind(RegistrationKind.TIME),
        expense=_has_kind(RegistrationKind.EXPENSE),
        mileage=_has_kind(RegistrationKind.MILEAGE),
        unbilled=and_(*UNBILLED_CONDITIONS),
    )
    projects = _count_per_client(Project, active=col(Project.archived_at).is_(None))
    invoices = _count_per_client(Invoice, drafts=col(Invoice.status) == enum_literal(InvoiceStatus.DRAFT))
    quotes = _count_per_client(Quote, drafts=col(Quote.status) == enum_literal(QuoteStatus.DRAFT))
    portals, payments = _count_per_client(ClientPortal, open=col(ClientPortal.closed_at).is_(None)), _payments()
    output = columns(
        DependentCountsRow,
        Client,
        projects=projects.c.all,
        active_projects=projects.c.active,
        registrations=registrations.c.all,
        time_registrations=registrations.c.time,
        expense_registrations=registrations.c.expense,
        mileage_registrations=registrations.c.mileage,
        unbilled_registrations=registrations.c.unbilled,
        invoices=invoices.c.all,
        draft_invoices=invoices.c.drafts,
        payments=payments.c.payments,
        quotes=quotes.c.all,
        draft_quotes=quotes.c.drafts,
        portals=portals.c.all,
        open_portals=portals.c.open,
    )
    rows = select(*output).select_from(table_of(Client))
    for each in (projects, registrations, invoices, payments, quotes, portals):
        rows = rows.join(each, true())
    return Query(rows.where(col(Client.tenant_id) == TENANT, id_in(col(Client.id))), DependentCountsRow)


COUNTS = _counts()
counts = RowFetcher(COUNTS)
"""The counts of each client; None if the client does not exist."""


def _unbilled_amounts() -> Select[*tuple[Any, ...]]:
    """Select the net amounts that are still to be invoiced. Hours on a project without an hourly price count as zero."""
    has_no_hourly_price = col(Project.invoice_method).in_([enum_literal(InvoiceMethod.NONE), enum_literal(InvoiceMethod.PROJECT_FIXED)])
    is_free = and_(_has_kind(RegistrationKind.TIME), has_no_hourly_price)
    return (
        select(
            col(Registration.client_id).label("client_id"),
            col(Registration.currency).label("currency"),
            ZERO.label("invoiced"),
            ZERO.label("outstanding"),
            case((is_free, ZERO), else_=col(Registration.amount_net)).label("unbilled"),
        )
        .select_from(table_of(Registration))
        .outerjoin(*reference(Project, col(Registration.project_id)))
        .where(col(Registration.tenant_id) == TENANT, id_in(col(Registration.client_id)), *UNBILLED_CONDITIONS)
    )


def _invoiced_amounts() -> Select[*tuple[Any, ...]]:
    conditions = col(Invoice.tenant_id) == TENANT, id_in(col(Invoice.client_id)), col(Invoice.is_issued).is_(True)
    return select(col(Invoice.client_id), col(Invoice.currency), SIGN * col(Invoice.net), SIGN * col(Invoice.gross), ZERO).where(
        *conditions
    )


def _payment_amounts() -> Select[*tuple[Any, ...]]:
    conditions = col(PaymentAllocation.tenant_id) == TENANT, id_in(col(PaymentAllocation.client_id))
    return select(col(PaymentAllocation.client_id), col(PaymentAllocation.currency), ZERO, -col(PaymentAllocation.amount), ZERO).where(
        *conditions
    )


def _amounts() -> Query[ClientAmountsRow]:
    moves = union_all(_unbilled_amounts(), _invoiced_amounts(), _payment_amounts()).subquery("moved")
    sums = {name: func.sum(moves.c[name]) for name in ("invoiced", "outstanding", "unbilled")}
    rows = select(*columns(ClientAmountsRow, Invoice, client_id=moves.c.client_id, currency=moves.c.currency, **sums))
    keys = moves.c.client_id, moves.c.currency
    return Query(rows.group_by(*keys).order_by(*keys), ClientAmountsRow)


AMOUNTS = _amounts()
amounts = GroupFetcher(AMOUNTS, "client_id")
"""The amounts of each client, one row per currency."""


def _orphans() -> Query[OrphanRow]:
    other = table_of(ClientContact).alias().c
    same_contact = other.tenant_id == TENANT, other.contact_id == col(ClientContact.contact_id)
    elsewhere = exists().where(*same_contact, other.client_id != col(ClientContact.client_id))
    link_of_client = and_(col(ClientContact.tenant_id) == TENANT, col(ClientContact.client_id) == requested_ids.c.id)
    rows = (
        select(*columns(OrphanRow, ClientContact))
        .select_from(requested_ids.join(table_of(ClientContact), link_of_client))
        .where(~elsewhere)
    )
    return Query(rows.order_by(col(ClientContact.client_id), col(ClientContact.contact_id)), OrphanRow)


ORPHANS = _orphans()


async def orphans(tx: Transaction, ids: Sequence[UUID]) -> list[list[UUID]]:
    """Return the ids of each client's contacts that belong to no other client."""
    return [[row.contact_id for row in rows] for rows in group_by_key(await tx.fetch(ORPHANS, ids=ids), ids, "client_id")]

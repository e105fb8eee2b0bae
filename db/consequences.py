"""Queries of all that hangs on a client: what archiving would lock, and what deleting would take along."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, exists, func, select, true, union_all

from db.engine import Tx
from db.fetching import ByKey, GroupsByKey
from db.query import TENANT, Query, among, asked, col, columns, grouped, table_of, word
from db.revenue import SIGN, ZERO
from db.rows import ClientAmountsRow, ConsequencesRow, OrphanRow
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

STUCK = (
    col(Registration.is_billable).is_(True),
    col(Registration.status).in_([word(RegistrationStatus.OPEN), word(RegistrationStatus.PENDING), word(RegistrationStatus.APPROVED)]),
)
"""What is still to be invoiced."""


def _tally(table: type[Table], **those: ColumnElement[bool]) -> FromClause:
    """Rows of the client, all of them and some, counted in one look."""
    some = [func.count().filter(condition).label(name) for name, condition in those.items()]
    mine = col(table.tenant_id) == TENANT, col(table.client_id) == col(Client.id)  # type: ignore[attr-defined]
    return select(func.count().label("all"), *some).select_from(table_of(table)).where(*mine).correlate(table_of(Client)).lateral()


def _of_kind(kind: RegistrationKind) -> ColumnElement[bool]:
    return col(Registration.kind) == word(kind)


def _payments() -> FromClause:
    """Payments of which no other client's documents take a part."""
    mine = col(PaymentAllocation.tenant_id) == TENANT, col(PaymentAllocation.client_id) == col(Client.id)
    other = table_of(PaymentAllocation).alias().c
    same = other.tenant_id == TENANT, other.payment_id == col(PaymentAllocation.payment_id)
    elsewhere = exists().where(*same, other.client_id != col(PaymentAllocation.client_id))
    count = func.count(func.distinct(col(PaymentAllocation.payment_id))).label("payments")
    return select(count).where(*mine, ~elsewhere).correlate(table_of(Client)).lateral()


def _counts() -> Query[ConsequencesRow]:
    work = _tally(
        Registration,
        time=_of_kind(RegistrationKind.TIME),
        expense=_of_kind(RegistrationKind.EXPENSE),
        mileage=_of_kind(RegistrationKind.MILEAGE),
        unbilled=and_(*STUCK),
    )
    projects = _tally(Project, active=col(Project.archived_at).is_(None))
    invoices = _tally(Invoice, drafts=col(Invoice.status) == word(InvoiceStatus.CONCEPT))
    quotes = _tally(Quote, drafts=col(Quote.status) == word(QuoteStatus.CONCEPT))
    portals, payments = _tally(ClientPortal, open=col(ClientPortal.closed_at).is_(None)), _payments()
    shown = columns(
        ConsequencesRow,
        Client,
        projects=projects.c.all,
        active_projects=projects.c.active,
        registrations=work.c.all,
        time_registrations=work.c.time,
        expense_registrations=work.c.expense,
        mileage_registrations=work.c.mileage,
        unbilled_registrations=work.c.unbilled,
        invoices=invoices.c.all,
        draft_invoices=invoices.c.drafts,
        payments=payments.c.payments,
        quotes=quotes.c.all,
        draft_quotes=quotes.c.drafts,
        portals=portals.c.all,
        open_portals=portals.c.open,
    )
    rows = select(*shown).select_from(table_of(Client))
    for each in (projects, work, invoices, payments, quotes, portals):
        rows = rows.join(each, true())
    return Query(rows.where(col(Client.tenant_id) == TENANT, among(col(Client.id))), ConsequencesRow)


COUNTS = _counts()
counts = ByKey(COUNTS)
"""The counts of each client; None for one that does not exist."""


def _unbilled() -> Select[*tuple[Any, ...]]:
    """What was worked and not invoiced; hours on a project without a price by the hour count nothing."""
    priceless = col(Project.invoice_method).in_([word(InvoiceMethod.NONE), word(InvoiceMethod.PROJECT_FIXED)])
    is_free = and_(col(Registration.kind) == word(RegistrationKind.TIME), priceless)
    project = and_(col(Project.tenant_id) == TENANT, col(Project.id) == col(Registration.project_id))
    return (
        select(
            col(Registration.client_id).label("client_id"),
            col(Registration.currency).label("currency"),
            ZERO.label("invoiced"),
            ZERO.label("outstanding"),
            case((is_free, ZERO), else_=col(Registration.amount_net)).label("unbilled"),
        )
        .select_from(table_of(Registration))
        .outerjoin(table_of(Project), project)
        .where(col(Registration.tenant_id) == TENANT, among(col(Registration.client_id)), *STUCK)
    )


def _documents() -> Select[*tuple[Any, ...]]:
    issued = col(Invoice.tenant_id) == TENANT, among(col(Invoice.client_id)), col(Invoice.is_issued).is_(True)
    return select(col(Invoice.client_id), col(Invoice.currency), SIGN * col(Invoice.net), SIGN * col(Invoice.gross), ZERO).where(*issued)


def _paid() -> Select[*tuple[Any, ...]]:
    mine = col(PaymentAllocation.tenant_id) == TENANT, among(col(PaymentAllocation.client_id))
    return select(col(PaymentAllocation.client_id), col(PaymentAllocation.currency), ZERO, -col(PaymentAllocation.amount), ZERO).where(
        *mine
    )


def _amounts() -> Query[ClientAmountsRow]:
    moved = union_all(_unbilled(), _documents(), _paid()).subquery("moved")
    sums = {name: func.sum(moved.c[name]) for name in ("invoiced", "outstanding", "unbilled")}
    rows = select(*columns(ClientAmountsRow, Invoice, client_id=moved.c.client_id, currency=moved.c.currency, **sums))
    keys = moved.c.client_id, moved.c.currency
    return Query(rows.group_by(*keys).order_by(*keys), ClientAmountsRow)


AMOUNTS = _amounts()
amounts = GroupsByKey(AMOUNTS, "client_id")
"""The amounts of each client, a row per currency."""


def _orphans() -> Query[OrphanRow]:
    other = table_of(ClientContact).alias().c
    same = other.tenant_id == TENANT, other.contact_id == col(ClientContact.contact_id)
    elsewhere = exists().where(*same, other.client_id != col(ClientContact.client_id))
    mine = and_(col(ClientContact.tenant_id) == TENANT, col(ClientContact.client_id) == asked.c.id)
    rows = select(*columns(OrphanRow, ClientContact)).select_from(asked.join(table_of(ClientContact), mine)).where(~elsewhere)
    return Query(rows.order_by(col(ClientContact.client_id), col(ClientContact.contact_id)), OrphanRow)


ORPHANS = _orphans()


async def orphans(tx: Tx, ids: Sequence[UUID]) -> list[list[UUID]]:
    """Contacts of each client that no other client has."""
    return [[row.contact_id for row in rows] for rows in grouped(await tx.fetch(ORPHANS, ids=ids), ids, "client_id")]

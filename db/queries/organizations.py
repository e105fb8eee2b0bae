"""Queries of organizations."""

from sqlalchemy import Integer, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select as select_entities

from db.engine.database import Database
from db.engine.protocols import Transaction, UnitOfWork
from db.engine.statement import Query, compile_statement
from db.rows import InvoiceNumberRow, OrganizationRow
from db.sql.expressions import TENANT, col, columns, enum_literal, id_in
from db.sql.fetchers import RowFetcher
from db.tables import Invoice, InvoiceStatus, NumberSequence, Organization

ORGANIZATION_COLUMNS = columns(OrganizationRow, Organization, id=col(Organization.tenant_id))
BY_ID = Query(
    select(*ORGANIZATION_COLUMNS).where(col(Organization.tenant_id) == TENANT, id_in(col(Organization.tenant_id))),
    OrganizationRow,
)
# One issued invoice is enough: an index has the numbers in order, so PostgreSQL stops at the first match.
ISSUED_INVOICE = Query(
    select(col(Invoice.number).label("number"))
    .where(col(Invoice.tenant_id) == TENANT, col(Invoice.number).is_not(None), col(Invoice.status) != enum_literal(InvoiceStatus.DRAFT))
    .order_by(col(Invoice.number))
    .limit(literal_column("1", Integer())),
    InvoiceNumberRow,
)
ALL = select(*ORGANIZATION_COLUMNS).order_by(col(Organization.created_at))

by_id = RowFetcher(BY_ID)


async def list_all(owner: Database) -> list[OrganizationRow]:
    """Return all organizations. Row-level security hides them from every role but the database's owner."""
    return await owner.fetch_across_tenants(compile_statement(ALL)[0], OrganizationRow)


async def lock_organization(work: UnitOfWork) -> Organization:
    """Lock the organization of the unit of work FOR NO KEY UPDATE, so that others can still insert rows that refer to it."""
    statement = select_entities(Organization).where(col(Organization.tenant_id) == work.tenant)
    return (await work.session.exec(statement.with_for_update(key_share=True))).one()


async def has_issued(tx: Transaction) -> bool:
    """Return whether the organization has ever issued an invoice."""
    return bool(await tx.fetch(ISSUED_INVOICE))


async def lock_sequence(work: UnitOfWork, kind: str) -> NumberSequence:
    """Lock the number sequence of a kind FOR UPDATE. Creates it on first use."""
    await work.session.exec(insert(NumberSequence).values(tenant_id=work.tenant, kind=kind, last=0).on_conflict_do_nothing())
    statement = select_entities(NumberSequence).where(col(NumberSequence.tenant_id) == work.tenant, col(NumberSequence.kind) == kind)
    return (await work.session.exec(statement.with_for_update())).one()

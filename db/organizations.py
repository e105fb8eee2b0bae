"""Queries of organizations."""

from sqlalchemy import Integer, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select as entities

from db.engine import Database, Tx, Work
from db.fetching import ByKey
from db.query import TENANT, Query, among, col, columns, compiled, word
from db.rows import NumberedRow, OrganizationRow
from db.tables import Invoice, InvoiceStatus, NumberSequence, Organization

IDENTIFIED = columns(OrganizationRow, Organization, id=col(Organization.tenant_id))
BY_ID = Query(
    select(*IDENTIFIED).where(col(Organization.tenant_id) == TENANT, among(col(Organization.tenant_id))),
    OrganizationRow,
)
# One of those that were issued: their numbers are in order in an index, so that the first one found is the only one read.
ISSUED = Query(
    select(col(Invoice.number).label("number"))
    .where(col(Invoice.tenant_id) == TENANT, col(Invoice.number).is_not(None), col(Invoice.status) != word(InvoiceStatus.CONCEPT))
    .order_by(col(Invoice.number))
    .limit(literal_column("1", Integer())),
    NumberedRow,
)
ALL = select(*IDENTIFIED).order_by(col(Organization.created_at))

by_id = ByKey(BY_ID)


async def everywhere(owner: Database) -> list[OrganizationRow]:
    """All organizations: for the owner of the database alone, since the wall shows others none."""
    return await owner.fetch_across_tenants(compiled(ALL)[0], OrganizationRow)


async def held(work: Work) -> Organization:
    """The organization of the unit of work, changed by nobody else until that ends; others may go on adding what belongs to it."""
    mine = entities(Organization).where(col(Organization.tenant_id) == work.tenant)
    return (await work.session.exec(mine.with_for_update(key_share=True))).one()


async def has_issued(tx: Tx) -> bool:
    """Whether any invoice was ever issued."""
    return bool(await tx.fetch(ISSUED))


async def held_sequence(work: Work, kind: str) -> NumberSequence:
    """The sequence of a kind, made with its first use; nobody else's until the unit of work ends."""
    await work.session.exec(insert(NumberSequence).values(tenant_id=work.tenant, kind=kind, last=0).on_conflict_do_nothing())
    mine = entities(NumberSequence).where(col(NumberSequence.tenant_id) == work.tenant, col(NumberSequence.kind) == kind)
    return (await work.session.exec(mine.with_for_update())).one()

"""Queries of organizations and members."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel import select as entities

from db.engine import Database, Tx, Work
from db.query import TENANT, Query, among, by_key, columns, compiled, parameter
from db.rows import MemberRow, OrganizationRow
from db.tables import Member, NumberSequence, Organization

IDENTIFIED = columns(OrganizationRow, Organization, id=col(Organization.tenant_id))
BY_ID = Query(
    select(*IDENTIFIED).where(col(Organization.tenant_id) == TENANT, among(col(Organization.tenant_id))),
    OrganizationRow,
)
MEMBERS_BY_ID = Query(select(*columns(MemberRow, Member)).where(col(Member.tenant_id) == TENANT, among(col(Member.id))), MemberRow)
MEMBER_BY_EMAIL = Query(
    select(*columns(MemberRow, Member)).where(
        col(Member.tenant_id) == TENANT, func.lower(col(Member.email)) == func.lower(parameter("email", Text()))
    ),
    MemberRow,
)
ALL, _ = compiled(select(*IDENTIFIED).order_by(col(Organization.created_at)))


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[OrganizationRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)


async def members_by_id(tx: Tx, ids: Sequence[UUID]) -> list[MemberRow | None]:
    return by_key(await tx.fetch(MEMBERS_BY_ID, ids=ids), ids)


async def member_by_email(tx: Tx, email: str) -> MemberRow | None:
    return next(iter(await tx.fetch(MEMBER_BY_EMAIL, email=email)), None)


async def everywhere(owner: Database) -> list[OrganizationRow]:
    """All organizations: for the owner of the database alone, since the wall shows others none."""
    return await owner.fetch_across_tenants(ALL, OrganizationRow)


async def held(work: Work) -> Organization:
    """The organization, held against whoever holds it in the same way; what belongs to it can be added meanwhile."""
    mine = entities(Organization).where(col(Organization.tenant_id) == work.tenant)
    return (await work.session.exec(mine.with_for_update(key_share=True))).one()


async def held_sequence(work: Work, kind: str) -> NumberSequence:
    """The sequence of a kind, made with its first use; nobody else's until the unit of work ends."""
    await work.session.exec(insert(NumberSequence).values(tenant_id=work.tenant, kind=kind, last=0).on_conflict_do_nothing())
    mine = entities(NumberSequence).where(col(NumberSequence.tenant_id) == work.tenant, col(NumberSequence.kind) == kind)
    return (await work.session.exec(mine.with_for_update())).one()

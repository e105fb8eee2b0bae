"""Queries of members."""

from uuid import UUID

from sqlalchemy import Text, and_, func, or_, select
from sqlmodel import select as select_entities

from db.engine.protocols import Transaction, UnitOfWork
from db.engine.statement import Query
from db.rows import MemberRow
from db.sql.expressions import TENANT, col, columns, id_in, parameter
from db.sql.fetchers import CountFetcher, PageFetcher, RowFetcher
from db.sql.pagination import count_per_parent
from db.tables import Member, Role

ALL = select(*columns(MemberRow, Member)).where(col(Member.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(Member.id))), MemberRow)
BY_EMAIL = Query(ALL.where(func.lower(col(Member.email)) == func.lower(parameter("email", Text()))), MemberRow)
OF_ORGANIZATION = count_per_parent(Member, "tenant_id")

page = PageFetcher.by_creation(ALL, MemberRow, Member)
"""Members in the order of their creation."""
counts, by_id = CountFetcher(OF_ORGANIZATION), RowFetcher(BY_ID)


async def by_email(tx: Transaction, email: str) -> MemberRow | None:
    return next(iter(await tx.fetch(BY_EMAIL, email=email)), None)


async def lock_with_owners(work: UnitOfWork, member_id: UUID) -> dict[UUID, Member]:
    """Lock the member and all active owners, in the order of their ids. Return them by id.

    Otherwise two concurrent transactions could each remove a different owner, because each would still see the other one as active. Then
    no owner would be left.
    """
    is_owner = and_(col(Member.role) == Role.OWNER, col(Member.is_active))
    statement = select_entities(Member).where(col(Member.tenant_id) == work.tenant, or_(col(Member.id) == member_id, is_owner))
    return {row.id: row for row in await work.session.exec(statement.order_by(col(Member.id)).with_for_update())}
